"""Fixtures of service tests: both databases, a running API, short clips, a control plane."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from clipmaker import clip
from clipmill_api.http.authentication import new_key
from clipmill_api.media.store_check import check_store
from controlplane import ControlPlane, binaries, control_plane
from harness import Harness, library_clip, running
from legacy_world import LegacyOwner, LegacyWorld, new_world
from manifests import ROOT
from operating import Cluster
from operator_runs import watched_namespace
from postgres_server import new_database, postgres_server
from sdk_clients import close_clients


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """URL of a PostgreSQL server that runs during the session."""
    with postgres_server() as server:
        yield server.url


@pytest.fixture
def new_postgres(postgres: str) -> Callable[[], str]:
    """Return a function that creates an empty PostgreSQL database and returns its URL."""
    return lambda: new_database(postgres)


@pytest.fixture
def fresh_postgres(postgres: str) -> str:
    """URL of an empty PostgreSQL database for one test."""
    return new_database(postgres)


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of an empty database of each kind for one test."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.db'}"
    return str(request.getfixturevalue("fresh_postgres"))


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """URL of a new database of each kind; empty for SQLite in the state folder."""
    if request.param == "sqlite":
        return ""
    return new_database(request.getfixturevalue("postgres"))


@pytest.fixture(scope="module")
def own_database_url(database_url: str, request: pytest.FixtureRequest) -> str:
    """URL of a new database for the tests of one module; a store belongs to one database."""
    return new_database(request.getfixturevalue("postgres")) if database_url else ""


@pytest.fixture(scope="session")
def api(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    """A running API on each database. Tests share it and create their own users."""
    with running(tmp_path_factory.mktemp("state"), database_url, allow_any_host=True) as harness:
        yield harness
        # Whatever the tests removed or cut off: each blob has a row, an upload or a tombstone.
        assert check_store(harness.ctx).unknown.paths == []


@pytest.fixture(scope="session")
def two_seconds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip of 2 s: 60 frames, with audio."""
    return clip(tmp_path_factory.mktemp("clips") / "two.mp4")


@pytest.fixture(scope="session")
def three_seconds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip of 3 s: 90 frames, with audio."""
    return clip(tmp_path_factory.mktemp("clips") / "three.mp4", seconds=3)


@pytest.fixture(scope="session")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A Kubernetes API server with controllers and our CRD."""
    cluster_binaries = binaries()
    if cluster_binaries is None:
        pytest.skip("no etcd and kubebox: `./run cluster up` builds them (CLIPMILL_KUBE_BIN)")
    crd = ROOT / "manifests/crd.yaml"
    with control_plane(tmp_path_factory.mktemp("plane"), cluster_binaries, crd) as running_plane:
        yield running_plane


@pytest.fixture(scope="session")
def legacy_owner(api: Harness, two_seconds: Path) -> LegacyOwner:
    """A user with one clip in the library."""
    name, user = api.user(storage_limit_bytes=10**9, render_limit_seconds=10**6)
    return LegacyOwner(api, name, user, library_clip(user, two_seconds).id)


@pytest.fixture
def legacy_world(legacy_owner: LegacyOwner) -> LegacyWorld:
    """A new compilation of that user."""
    return new_world(legacy_owner)


@pytest.fixture(scope="module")
def single_owner_api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    """Run an API with a default owner, as the chart installs it."""
    owner = {"default_owner": "default", "default_owner_key": new_key("user")}
    with running(tmp_path_factory.mktemp("state"), allow_any_host=True, **owner) as api:
        yield api


@pytest.fixture
def cluster(plane: ControlPlane, single_owner_api: Harness, tmp_path: Path) -> Cluster:
    """Return a namespace of its own with everything that an operator of it needs."""
    return watched_namespace(plane, single_owner_api, tmp_path)


@pytest.fixture(autouse=True)
def _closed_clients() -> Iterator[None]:
    """Close the clients that a test opened."""
    yield
    close_clients()
