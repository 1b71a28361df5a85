"""The API as a process, as its image starts it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import httpx
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from clipmill_api.auth import new_key

COMMAND = [sys.executable, "-m", "clipmill_api"]


def test_the_server_answers_with_settings_from_its_environment(tmp_path: Path) -> None:
    """Both probes answer on CLIPMILL_PORT, and the process leaves when told to."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    env = {
        **os.environ,
        "CLIPMILL_STATE": str(tmp_path),
        "CLIPMILL_PORT": str(port),
        "CLIPMILL_ADMIN_KEY": new_key("admin"),
        "CLIPMILL_OPERATOR_KEY": new_key("operator"),
    }
    with subprocess.Popen(COMMAND, env=env, stderr=subprocess.DEVNULL) as server:
        starting = Retrying(
            retry=retry_if_exception_type(httpx.TransportError),
            wait=wait_fixed(0.1),
            stop=stop_after_delay(30),
        )
        for path in ("/healthz", "/readyz"):
            assert starting(httpx.get, f"http://127.0.0.1:{port}{path}").status_code == 200
        server.terminate()
    assert (tmp_path / "clipmill.db").exists()


def test_unsafe_settings_end_in_one_line_and_no_traceback() -> None:
    """What is missing is named; the exit code says that a restart does not help."""
    env = {**os.environ, "CLIPMILL_STATE": ""}
    done = subprocess.run(COMMAND, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("clipmill-api: CLIPMILL_STATE is not set")
    assert len(done.stderr.splitlines()) == 1
