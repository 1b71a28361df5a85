"""What the tests on a cluster share. Without a cluster all of them are skipped, and say how not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

HERE = Path(__file__).parent
HOW = "no cluster: ./run cluster up && ./run cluster test"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Only `./run cluster test` runs these: it says which cluster."""
    if os.environ.get("CLIPMILL_CLUSTER") == "1":
        return
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.skip(reason=HOW))
