"""A web server with byte ranges that counts what it sends: long sources of tests and benchmarks."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

BLOCK = 65536
_RANGE = re.compile(r"bytes=(\d+)-(\d*)$")


class RangeServer:
    """A running server. `/file` is from the folder.

    Attributes:
        address: host:port.
        sent_bytes: Bytes of bodies that clients have taken.
        requests: Paths and `Range` headers of the GET requests.
        has_ranges: Whether `Range` is served.
        redirect: Given the number of a request, where to redirect it; empty to serve it.
        alias: Given the path of a request, the path that is served.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.has_ranges = True
        self.redirect: Callable[[int], str] = lambda _: ""
        self.alias: Callable[[str], str] = lambda path: path
        self.sent_bytes = 0
        self.requests: list[tuple[str, str]] = []
        self.lock = threading.Lock()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_RangeHandler, self))
        self.server.daemon_threads = True
        self.address = f"127.0.0.1:{self.server.server_address[1]}"

    def url(self, path: str) -> str:
        """Return the URL of a path."""
        return f"http://{self.address}/{path}"

    def reset(self) -> None:
        """Count from 0 again."""
        with self.lock:
            self.sent_bytes = 0
            self.requests.clear()


class _RangeHandler(BaseHTTPRequestHandler):
    """Serves files of the folder."""

    protocol_version = "HTTP/1.1"

    def __init__(self, owner: RangeServer, *args: object) -> None:
        self.owner = owner
        super().__init__(*args)  # type: ignore[arg-type]

    def log_message(self, *_: object) -> None:
        """Do not log."""

    def handle(self) -> None:
        """Respond until the client has gone, in whatever way."""
        with suppress(ConnectionError):
            super().handle()

    def do_HEAD(self) -> None:
        """Respond to HEAD."""
        self._respond(has_body=False)

    def do_GET(self) -> None:
        """Respond to GET."""
        with self.owner.lock:
            self.owner.requests.append((self.path, self.headers.get("Range", "")))
            number = len(self.owner.requests)
        if target := self.owner.redirect(number):
            self.send_response(302)
            self.send_header("Location", target)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self._respond(has_body=True)

    def _respond(self, *, has_body: bool) -> None:
        path = self.owner.folder / self.owner.alias(self.path.lstrip("/"))
        if not path.is_file():
            self.send_error(404)
            return
        size = path.stat().st_size
        match = _RANGE.match(self.headers.get("Range", "")) if self.owner.has_ranges else None
        start, end = int(match[1]) if match else 0, size
        if match and match[2]:
            end = min(size, int(match[2]) + 1)
        self.send_response(206 if match else 200)
        if match:
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{size}")
        if self.owner.has_ranges:
            self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Type", _TYPES.get(path.suffix, "application/octet-stream"))
        self.send_header("Content-Length", str(end - start))
        self.end_headers()
        if has_body:
            self._send(path, start, end)

    def _send(self, path: Path, start: int, end: int) -> None:
        # Little waits in the connection, so that what is sent is what is taken.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BLOCK)
        with path.open("rb") as file:
            file.seek(start)
            while start < end and (block := file.read(min(BLOCK, end - start))):
                try:
                    self.wfile.write(block)
                except OSError:
                    self.close_connection = True
                    return
                start += len(block)
                with self.owner.lock:
                    self.owner.sent_bytes += len(block)


_TYPES = {
    ".mp4": "video/mp4",
    ".mkv": "video/x-matroska",
    ".m3u8": "application/vnd.apple.mpegurl",
    ".ts": "video/mp2t",
}


@contextmanager
def serve_ranges(folder: Path) -> Iterator[RangeServer]:
    """Serve a folder on a free port of the loopback."""
    server = RangeServer(folder)
    thread = threading.Thread(target=server.server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.server.shutdown()
        server.server.server_close()
        thread.join()
