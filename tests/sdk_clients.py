"""Clients of the SDK that do not wait between attempts, and raw HTTP responses for them."""

from __future__ import annotations

import json
from typing import Any

from clipmill_client import Client
from faulty_network import Listener

_open: list[Client] = []


def new_client(url: str, key: str, waits: list[float] | None = None, **options: Any) -> Client:
    """Return a client that records its waits instead of waiting."""
    pause = waits.append if waits is not None else lambda _: None
    _open.append(Client(url, key, pause=pause, **options))
    return _open[-1]


def client(listener: Listener, waits: list[float] | None = None, **options: Any) -> Client:
    """Return a client of a scripted server."""
    return new_client(listener.url, "cm_u_" + "k" * 40, waits, **options)


def close_clients() -> None:
    """Close all clients of a test."""
    while _open:
        _open.pop().close()


def reply(status: str, body: object, *headers: str) -> bytes:
    """Return a raw HTTP response."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(data)}", "Connection: close", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + data
