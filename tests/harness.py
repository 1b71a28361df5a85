"""A real API over real HTTP on a real database, with a clock that tests turn."""

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
from clipmill.spec import CompilationSpec
from clipmill_api.context import Context
from clipmill_api.http.app import create_app
from clipmill_api.http.authentication import new_key
from clipmill_api.settings import Settings
from clipmill_client.client import Client

SMALL = {"name": "main", "preset": "custom", "width": 320, "height": 180, "rate": 30}


class Clock:
    """The time now, and a way to make it later."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    def advance(self, seconds: float) -> None:
        self._ahead += timedelta(seconds=seconds)


class Harness:
    """One running API and the ways into it. Clients do not retry: a test sees every answer."""

    def __init__(self, url: str, app: FastAPI, clock: Clock) -> None:
        self.url, self.app, self.clock = url, app, clock
        self.ctx: Context = app.state.context
        self.settings = self.ctx.settings
        self._clients: list[Client] = []
        self.admin = self.client(self.settings.admin_key).admin
        self.operator = self.client(self.settings.operator_key).operator

    def client(self, key: str) -> Client:
        """A client with this key."""
        # No TLS on the loopback: loading the certificates costs more than a test.
        transport = httpx.HTTPTransport(verify=False)
        self._clients.append(Client(self.url, key, attempts=1, transport=transport))
        return self._clients[-1]

    def close(self) -> None:
        """Close every client."""
        for client in self._clients:
            client.close()

    def user(self, **limits: Any) -> tuple[str, Client]:
        """A new user, on a tier of its own with these limits (none: unlimited)."""
        name = f"u{uuid.uuid4().hex[:12]}"
        self.admin.put_tier(TierView(name=name, **limits))
        self.admin.put_user(UserView(name=name, tier=name))
        return name, self.client(self.admin.mint(name))

    def register(self, owner: str, spec: dict[str, Any], **rest: Any) -> tuple[str, Plan]:
        """A new compilation as the operator registers it: (uid, plan)."""
        uid = rest.pop("uid", None) or uuid.uuid4().hex
        wish = Registration(
            namespace="default",
            name="test",
            generation=rest.get("generation", 1),
            owner=owner,
            spec=CompilationSpec.model_validate({"outputs": [SMALL], **spec}),
        )
        return uid, self.operator.register(uid, wish)

    def job(self, uid: str, stage: Stage, generation: int = 1) -> Client:
        """A client with a fresh key of that stage."""
        return self.client(self.operator.mint(uid, stage, generation))

    def rows(self, sql: str, **values: Any) -> list[dict[str, Any]]:
        """What the database really holds."""
        with self.ctx.db.read() as session:
            return [dict(row._mapping) for row in session.execute(text(sql), values)]


def library_clip(user: Client, path: Path) -> Media:
    """A clip in the user's library."""
    return user.upload_media(path, MediaKind.CLIP)


@contextmanager
def running(state: Path, database_url: str = "", **more: Any) -> Iterator[Harness]:
    """An API on a free port of the loopback, stopped at the end."""
    clock = Clock()
    settings = Settings(
        state=state,
        database_url=database_url,
        admin_key=new_key("admin"),
        operator_key=new_key("operator"),
        **more,
    )
    app = create_app(settings, clock)
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", ws="none")
    server = uvicorn.Server(config)
    socket = config.bind_socket()
    socket.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)  # as asyncio does with sockets of its own
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
