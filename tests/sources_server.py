"""Serve clips for tests: files of a folder, redirects, errors and endless downloads."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

CHUNK = b"\0" * 65536


class Handler(SimpleHTTPRequestHandler):
    """`/files...` from the folder; `/to?URL` redirects; `/endless.mp4`; `/status/NNN`."""

    def log_message(self, *_: object) -> None:
        """Log nothing."""

    def do_GET(self) -> None:
        """Handle a GET request."""
        with self.server.requested_lock:  # type: ignore[attr-defined]
            self.server.requested.append(self.path)  # type: ignore[attr-defined]
        path, _, rest = self.path.partition("?")
        if path == "/to":
            self._head(302, ("Location", rest))
        elif path.startswith("/status/"):
            self._head(int(path.split("/")[2]))
        elif path == "/endless.mp4":
            self._endless()
        else:
            super().do_GET()

    def _head(self, status: int, *headers: tuple[str, str]) -> None:
        self.send_response(status)
        for name, value in (*headers, ("Content-Length", "0")):
            self.send_header(name, value)
        self.end_headers()

    def _endless(self) -> None:
        """Send a file without length until the client disconnects."""
        self.send_response(200)
        self.send_header("Content-Type", "video/mp4")
        self.end_headers()
        try:
            while self.command == "GET" and not self.server.over.wait(0.001):  # type: ignore[attr-defined]
                self.wfile.write(CHUNK)
        except OSError:
            return

    def do_HEAD(self) -> None:
        """Handle a HEAD request."""
        if self.path == "/endless.mp4":
            self._endless()
        else:
            super().do_HEAD()


class Served:
    """A running server: its host:port and the paths that were requested."""

    def __init__(self, server: ThreadingHTTPServer) -> None:
        self._server = server
        self.place = f"127.0.0.1:{server.server_address[1]}"

    def url(self, path: str) -> str:
        """Return the URL of a path."""
        return f"http://{self.place}/{path}"

    def requests_of(self, path: str) -> int:
        """Return how often a path was requested by GET."""
        return list(self._server.requested).count(f"/{path}")  # type: ignore[attr-defined]


@contextmanager
def serving(folder: Path) -> Iterator[Served]:
    """Serve a folder on a free port of the loopback."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
    server.daemon_threads = True
    server.requested, server.requested_lock = [], threading.Lock()  # type: ignore[attr-defined]
    server.over = threading.Event()  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield Served(server)
    finally:
        server.over.set()  # type: ignore[attr-defined]
        server.shutdown()
        server.server_close()
        thread.join()
