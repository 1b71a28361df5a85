"""Start the API as a process, as its image does."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

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
