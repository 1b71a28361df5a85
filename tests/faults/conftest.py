"""Fixtures of the fault suite; long cases run with CLIPMILL_FAULTS=all only (`./run faults`)."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from postgres_server import PostgresServer, new_database, postgres_server
from small_disk import Disk


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


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL that runs during the session."""
    with postgres_server() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """URL of an empty database of each kind; empty for SQLite in the state folder."""
    if request.param == "sqlite":
        return ""
    return new_database(request.getfixturevalue("postgres").url)


@pytest.fixture
def new_disk() -> Iterator[Callable[[Path, str], Disk]]:
    """Return a function that mounts a disk of a size on a folder until the end of the test."""
    with ExitStack() as disks:

        def mounted(folder: Path, size: str) -> Disk:
            disk = Disk(folder, size)
            disks.callback(disk.unmount)
            return disk

        yield mounted
