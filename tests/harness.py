"""Run a real API over HTTP on a real database, with a clock that tests advance."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from socket import IPPROTO_TCP, TCP_NODELAY
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI
from sqlalchemy import text

from clipmill.protocol import Media, MediaKind, Plan, Registration, Stage, TierView, UserView
from clipmill.spec import CompilationSpec, Manifest
from clipmill_api.context import Context
from clipmill_api.http.app import create_app
from clipmill_api.http.authentication import new_key
from clipmill_api.settings import Settings
from clipmill_client.client import Client

SMALL = {"name": "main", "preset": "custom", "width": 320, "height": 180, "rate": 30}


class Clock:
    """The current time, which tests can advance."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    def advance(self, seconds: float) -> None:
        self._ahead += timedelta(seconds=seconds)


class StillClock(Clock):
    """A time that passes only when a test advances it, however slow the machine is."""

    def __init__(self) -> None:
        super().__init__()
        self._began = datetime.now(UTC).replace(second=5, microsecond=0)

    def __call__(self) -> datetime:
        return self._began + self._ahead


class Harness:
    """A running API and its clients. The clients do not retry: a test gets each response."""

    def __init__(self, url: str, app: FastAPI, clock: Clock) -> None:
        self.url, self.app, self.clock = url, app, clock
        self.ctx: Context = app.state.context
        self.settings = self.ctx.settings
        self._clients: list[Client] = []
        self.admin = self.client(self.settings.admin_key).admin
        self.operator = self.client(self.settings.operator_key).operator

    def client(self, key: str, *, url: str = "") -> Client:
        """Return a client with this key, closed at the end of the test."""
        # No TLS on the loopback: loading the certificates costs more than a test.
        transport = httpx.HTTPTransport(verify=False)
        self._clients.append(Client(url or self.url, key, attempts=1, transport=transport))
        return self._clients[-1]

    def close(self) -> None:
        """Close all clients."""
        for client in self._clients:
            client.close()

    def user(self, **limits: Any) -> tuple[str, Client]:
        """Create a user on a tier of its own with these limits; the default is unlimited."""
        name = f"u{uuid.uuid4().hex[:12]}"
        self.admin.put_tier(TierView(name=name, **limits))
        self.admin.put_user(UserView(name=name, tier=name))
        return name, self.client(self.admin.create_key(name))

    def register(self, owner: str, spec: dict[str, Any], **rest: Any) -> tuple[str, Plan]:
        """Register a compilation as the operator does. Return its uid and plan."""
        uid = rest.pop("uid", None) or uuid.uuid4().hex
        registration = Registration(
            namespace="default",
            name="test",
            generation=rest.get("generation", 1),
            owner=owner,
            spec=CompilationSpec.model_validate({"outputs": [SMALL], **spec}),
        )
        return uid, self.operator.register(uid, registration)

    def job(self, uid: str, stage: Stage, generation: int = 1) -> Client:
        """Return a client with a new job key of this stage."""
        return self.client(self.operator.create_key(uid, stage, generation))

    def uid_of(self, compilation_id: str) -> str:
        """Return the uid of a submission, however many others wait for the operator."""
        rows = self.rows("SELECT uid FROM compilations WHERE id = :id", id=compilation_id)
        return str(rows[0]["uid"])

    def rows(self, sql: str, **values: Any) -> list[dict[str, Any]]:
        """Return rows of the database."""
        return self.rows_of(self.ctx, sql, **values)

    @staticmethod
    def rows_of(ctx: Context, sql: str, **values: Any) -> list[dict[str, Any]]:
        """Return rows of a database without a running API."""
        with ctx.db.read() as session:
            return [dict(row._mapping) for row in session.execute(text(sql), values)]


def new_manifest(media_id: str, name: str = "test", **spec: Any) -> Manifest:
    """Return a manifest with one clip of the library; fields of the spec can be replaced."""
    return Manifest.model_validate(
        {
            "apiVersion": "clipmill.dev/v1alpha1",
            "kind": "Compilation",
            "metadata": {"name": name},
            "spec": {"clips": [{"mediaId": media_id}], "outputs": [SMALL], **spec},
        }
    )


def library_clip(user: Client, path: Path) -> Media:
    """Upload a clip to the user's library."""
    return user.upload_media(path, MediaKind.CLIP)


@contextmanager
def running(
    state: Path,
    database_url: str = "",
    *,
    system_clock: Clock | None = None,
    clock: Clock | None = None,
    **more: Any,
) -> Iterator[Harness]:
    """Run an API on a free port of the loopback, and stop it at the end.

    With a `system_clock` the time is that of the database, as in an installation.
    """
    clock = system_clock or clock or Clock()
    # Tests send more than any user; test_key_limits.py tests the limits.
    more = {"requests_per_second": 10_000, "requests_in_flight": 1000, **more}
    keys = {"admin_key": new_key("admin"), "operator_key": new_key("operator")}
    settings = Settings(state=state, database_url=database_url, **{**keys, **more})
    app = create_app(settings, None if system_clock else clock, system_clock=clock)
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", ws="none")
    server = uvicorn.Server(config)
    socket = config.bind_socket()
    socket.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)  # as asyncio does with its own sockets
    socket.listen()  # so that a first request waits for the server instead of being refused
    thread = threading.Thread(target=server.run, kwargs={"sockets": [socket]}, daemon=True)
    thread.start()
    try:
        url = f"http://127.0.0.1:{socket.getsockname()[1]}"
        harness = Harness(url, app, clock)
        yield harness
        harness.close()
    finally:
        server.should_exit = True
        thread.join(timeout=10)
        socket.close()
