"""A web server on loopback that serves the demo's clips."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread


@dataclass(frozen=True, slots=True)
class DemoServer:
    """A running server; `requests` counts requests by file name."""

    port: int
    requests: Counter[str]

    @property
    def address(self) -> str:
        """`host:port`, as --allow-private takes it."""
        return f"127.0.0.1:{self.port}"

    def url(self, file: Path) -> str:
        """Return the URL of a file."""
        return f"http://{self.address}/{file.name}"


class _CountingServer(ThreadingHTTPServer):
    requests: Counter[str]

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore a client that has what it needs and closes the connection; report the rest."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class _ClipHandler(SimpleHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, _CountingServer)
        self.server.requests[self.path.lstrip("/")] += 1
        super().do_GET()

    def log_message(self, *_: object) -> None:
        """Log nothing: the terminal belongs to the demo."""


@contextmanager
def running_clip_server(folder: Path, preferred_port: int = 0) -> Iterator[DemoServer]:
    """Serve a folder on loopback, on the preferred port if it is free."""
    server = _bind(folder, preferred_port)
    server.requests = Counter()
    thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield DemoServer(server.server_address[1], server.requests)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _bind(folder: Path, port: int) -> _CountingServer:
    handler = partial(_ClipHandler, directory=str(folder))
    try:
        return _CountingServer(("127.0.0.1", port), handler)
    except OSError:
        return _CountingServer(("127.0.0.1", 0), handler)
