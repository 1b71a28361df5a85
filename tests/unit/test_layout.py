"""The shape of the tree that the language itself cares about."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("folder", ["operator", "api", "core", "job-image"])
def test_top_folders_are_no_packages(folder: str) -> None:
    """An operator/__init__.py would hide Python's own `operator`."""
    assert not (ROOT / folder / "__init__.py").exists()
