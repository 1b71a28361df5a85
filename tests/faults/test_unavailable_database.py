"""A database that does not answer: requests end with 503 in time, liveness stays, all recovers."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from harness import Harness, running
from postgres_server import PostgresServer, postgres_server

# More requests at once than the API has threads.
REQUESTS = 60
TIMEOUT_S = 2
# Loading certificates for each request would cost more than the request.
HTTP = httpx.Client(verify=False, timeout=60, limits=httpx.Limits(max_connections=None))


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """A PostgreSQL that nobody else uses."""
    with postgres_server() as running_server:
        yield running_server


@pytest.fixture
def api(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Harness]:
    """An API whose waits for the database are short; on SQLite, or on the server by its mark."""
    url = ""
    if "server" in request.fixturenames:
        url = request.getfixturevalue("server").url
    limits = {"database_timeout_s": TIMEOUT_S, "requests_in_flight": 1000}
    with running(tmp_path / "state", url, **limits) as harness:
        yield harness


def status_of(api: Harness, path: str, key: str = "") -> tuple[int, float]:
    """Send one request; return its status and how long it took."""
    began = time.monotonic()
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    reply = HTTP.get(f"{api.url}{path}", headers=headers)
    return reply.status_code, time.monotonic() - began


def all_of(call: Callable[[int], tuple[int, float]]) -> list[tuple[int, float]]:
    """Return the results of many calls at once."""
    with ThreadPoolExecutor(REQUESTS) as pool:
        return list(pool.map(call, range(REQUESTS)))


def wait_until_ready(api: Harness) -> None:
    """Wait until /readyz answers 200."""
    until = time.monotonic() + 30
    while status_of(api, "/readyz")[0] != 200:
        assert time.monotonic() < until, "not ready again"
        time.sleep(0.2)


def test_frozen_postgresql(server: PostgresServer, api: Harness) -> None:
    """SIGSTOP: every request gets 503 within seconds, /healthz stays 200, and all recovers."""
    owner, user = api.user()
    key = api.admin.create_key(owner)
    with server.frozen():
        with ThreadPoolExecutor(1) as pool:
            requests = pool.submit(all_of, lambda _: status_of(api, "/api/compilations", key))
            time.sleep(0.5)  # the requests hold all threads by now
            alive, ready = status_of(api, "/healthz"), status_of(api, "/readyz")
            results = requests.result()
        again = status_of(api, "/api/compilations", key)
    assert alive[0] == 200
    assert alive[1] < 1
    assert ready[0] == 503
    assert ready[1] < 5
    assert {status for status, _ in [*results, again]} == {503}
    assert max(seconds for _, seconds in results) < 8 * TIMEOUT_S
    wait_until_ready(api)
    assert user.compilations().items == []


def test_locked_sqlite(api: Harness) -> None:
    """Another process holds the write lock: writes end with 503 in time, reads are answered."""
    owner, user = api.user()
    with closing(sqlite3.connect(api.settings.state / "clipmill.db")) as holder:
        holder.execute("BEGIN IMMEDIATE")
        admin = api.settings.admin_key

        def write(i: int) -> tuple[int, float]:
            began = time.monotonic()
            headers = {"Authorization": f"Bearer {admin}"}
            body = {"name": f"locked-{i}", "tier": owner}
            reply = HTTP.put(
                f"{api.url}/api/admin/users/{body['name']}", headers=headers, json=body
            )
            return reply.status_code, time.monotonic() - began

        with ThreadPoolExecutor(1) as pool:
            requests = pool.submit(all_of, write)
            time.sleep(0.5)
            alive, ready = status_of(api, "/healthz"), status_of(api, "/readyz")
            results = requests.result()
        assert user.compilations().items == []
    assert (alive[0], ready[0]) == (200, 200)
    assert alive[1] < 1
    assert {status for status, _ in results} == {503}
    assert max(seconds for _, seconds in results) < 8 * TIMEOUT_S
    assert api.rows("SELECT name FROM users WHERE name LIKE 'locked-%'") == []
    time.sleep(2)
    api.user()


def test_readiness_names_what_fails(api: Harness) -> None:
    """A state folder that is gone: /readyz is 503 and names the disk, /healthz is 200."""
    state = api.settings.state
    state.rename(state.with_name("gone"))
    reply = HTTP.get(f"{api.url}/readyz")
    assert (reply.status_code, reply.json()["code"]) == (503, "NotReady")
    assert "disk" in reply.json()["failed"]
    assert status_of(api, "/healthz")[0] == 200
    state.with_name("gone").rename(state)
    assert status_of(api, "/readyz")[0] == 200
