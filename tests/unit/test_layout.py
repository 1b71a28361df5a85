"""The layout of the tree."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("folder", ["operator", "api", "core", "job-image"])
def test_top_folders_are_no_packages(folder: str) -> None:
    """An operator/__init__.py would hide the standard library's `operator`."""
    assert not (ROOT / folder / "__init__.py").exists()
