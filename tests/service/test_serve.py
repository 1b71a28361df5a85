"""The API as a process, as its image starts it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from clipmill_api.http.authentication import new_key

COMMAND = [sys.executable, "-m", "clipmill_api"]


def free_port() -> int:
    """Return an unused port of the loopback interface."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port


def environment(state: Path, port: int, **more: str) -> dict[str, str]:
    """Return the environment of the API's process."""
    return {
        **os.environ,
        "CLIPMILL_STATE": str(state),
        "CLIPMILL_PORT": str(port),
        "CLIPMILL_ADMIN_KEY": new_key("admin"),
        "CLIPMILL_OPERATOR_KEY": new_key("operator"),
        **more,
    }


def status_of(port: int, path: str) -> int:
    """Return the status of a response, as soon as the server accepts connections."""
    retrying = Retrying(
        retry=retry_if_exception_type(httpx.TransportError),
        wait=wait_fixed(0.1),
        stop=stop_after_delay(30),
    )
    return retrying(httpx.get, f"http://127.0.0.1:{port}{path}").status_code


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
