"""Fixtures of the fault suite; long cases run with CLIPMILL_FAULTS=all only (`./run faults`)."""

from __future__ import annotations

import os

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Declare the mark of long cases."""
    config.addinivalue_line("markers", "long: takes minutes; run by `./run faults` only")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip long cases unless all are asked for."""
    if os.environ.get("CLIPMILL_FAULTS") == "all":
        return
    skip = pytest.mark.skip(reason="long: CLIPMILL_FAULTS=all (`./run faults`)")
    for item in items:
        if item.get_closest_marker("long"):
            item.add_marker(skip)
