"""What the tests on a cluster share. Without a cluster all of them are skipped, and say how not."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster import release, world
from cluster.kubectl import kubectl

# Their assertions say what was found, as those of tests do.
pytest.register_assert_rewrite("cluster.compilations", "cluster.held")
HERE = Path(__file__).parent
HOW = "no cluster: ./run cluster up && ./run cluster test"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Only `./run cluster test` runs these: it says which cluster. Those of Kueue come last."""
    items.sort(key=lambda item: item.path.name == "test_kueue.py")
    if os.environ.get("CLIPMILL_CLUSTER"):
        return
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.skip(reason=HOW))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Past the moment that CI has set, what is left is skipped, and named."""
    until = float(os.environ.get("CLIPMILL_TESTS_UNTIL") or "inf")
    if HERE in item.path.parents and time.time() > until:
        pytest.skip("the time that CI has for these is over: ./run cluster test")


@pytest.fixture(scope="session")
def installed() -> Iterator[None]:
    """The chart with a PostgreSQL, in the namespace `clipmill`; what is there is upgraded."""
    release.install()
    yield
    kubectl("delete", "compilations", "--all", "-n", release.VIDEOS, "--wait=false")


@pytest.fixture(scope="session")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder that the world outside serves at each of its addresses."""
    if os.environ.get("CLIPMILL_IMAGE_PREFIX"):
        pytest.skip("needs the nodes' engine: only on the cluster of ./run cluster up")
    folder = tmp_path_factory.mktemp("served")
    folder.chmod(0o755)
    with world.world(folder):
        yield folder
