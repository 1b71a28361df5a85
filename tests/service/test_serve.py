"""The API as a process, as its image starts it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from api_process import COMMAND, environment, free_port, status_of


def test_settings_come_from_the_environment(tmp_path: Path) -> None:
    """Both probes answer on CLIPMILL_PORT, and the process ends on SIGTERM."""
    port = free_port()
    env = environment(tmp_path, port)
    with subprocess.Popen(COMMAND, env=env, stderr=subprocess.DEVNULL) as server:
        assert [status_of(port, path) for path in ("/healthz", "/readyz")] == [200, 200]
        server.terminate()
    assert (tmp_path / "clipmill.db").exists()


def test_the_start_waits_for_the_database(postgres: str, tmp_path: Path) -> None:
    """Each failed attempt is one line; the server starts once the database's socket exists."""
    folder = parse_qs(urlsplit(postgres).query)["host"][0]
    later, port = tmp_path / "later", free_port()
    url = postgres.replace(folder, str(later))
    env = environment(tmp_path, port, DATABASE_URL=url)
    with subprocess.Popen(COMMAND, env=env, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        line = server.stderr.readline()
        assert line.startswith("clipmill-api: the database does not answer yet: "), line
        later.symlink_to(folder)
        assert status_of(port, "/readyz") == 200
        server.terminate()


def test_invalid_settings_are_one_line_without_a_traceback() -> None:
    """The line names the variable, and the exit code differs from that of a crash."""
    env = {**os.environ, "CLIPMILL_STATE": ""}
    done = subprocess.run(COMMAND, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("clipmill-api: CLIPMILL_STATE is not set")
    assert len(done.stderr.splitlines()) == 1
