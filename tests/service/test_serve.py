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
    """A port of the loopback that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port


def environment(state: Path, port: int, **more: str) -> dict[str, str]:
    """What the image is started with."""
    return {
        **os.environ,
        "CLIPMILL_STATE": str(state),
        "CLIPMILL_PORT": str(port),
        "CLIPMILL_ADMIN_KEY": new_key("admin"),
        "CLIPMILL_OPERATOR_KEY": new_key("operator"),
        **more,
    }


def answers(port: int, path: str) -> int:
    """The status of an answer, once there is one."""
    starting = Retrying(
        retry=retry_if_exception_type(httpx.TransportError),
        wait=wait_fixed(0.1),
        stop=stop_after_delay(30),
    )
    return starting(httpx.get, f"http://127.0.0.1:{port}{path}").status_code


def test_the_server_answers_with_settings_from_its_environment(tmp_path: Path) -> None:
    """Both probes answer on CLIPMILL_PORT, and the process ends on SIGTERM."""
    port = free_port()
    env = environment(tmp_path, port)
    with subprocess.Popen(COMMAND, env=env, stderr=subprocess.DEVNULL) as server:
        assert [answers(port, path) for path in ("/healthz", "/readyz")] == [200, 200]
        server.terminate()
    assert (tmp_path / "clipmill.db").exists()


def test_a_database_that_starts_later_is_waited_for(postgres: str, tmp_path: Path) -> None:
    """A try that failed is one line; the server comes up once the database's socket is there."""
    folder = parse_qs(urlsplit(postgres).query)["host"][0]
    later, port = tmp_path / "later", free_port()
    url = postgres.replace(folder, str(later))
    env = environment(tmp_path, port, DATABASE_URL=url)
    with subprocess.Popen(COMMAND, env=env, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        said = server.stderr.readline()
        assert said.startswith("clipmill-api: the database does not answer yet: "), said
        later.symlink_to(folder)
        assert answers(port, "/readyz") == 200
        server.terminate()


def test_unsafe_settings_end_in_one_line_and_no_traceback() -> None:
    """What is missing is named; the exit code says that a restart does not help."""
    env = {**os.environ, "CLIPMILL_STATE": ""}
    done = subprocess.run(COMMAND, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("clipmill-api: CLIPMILL_STATE is not set")
    assert len(done.stderr.splitlines()) == 1
