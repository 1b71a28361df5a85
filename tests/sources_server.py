"""A web server of clips for tests: files of a folder, and sources that misbehave."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

CHUNK = b"\0" * 65536


class _Server(ThreadingHTTPServer):
    """Keeps the paths of all GET requests."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), partial(_Handler, directory=str(folder)))
        self.paths: list[str] = []
        self.cookies: dict[str, set[str]] = {}
        self.lock = threading.Lock()
        self.stopped = threading.Event()
        self.released = threading.Event()


class _Handler(SimpleHTTPRequestHandler):
    """`/file...` is from the folder; `/to?URL` redirects; `/endless.mp4`; `/status/NNN`.

    `/held/file` is a file that is sent after `release()`.
    """

    server: _Server

    def log_message(self, *_: object) -> None:
        """Do not log."""

    def do_GET(self) -> None:
        """Respond to GET."""
        with self.server.lock:
            self.server.paths.append(self.path)
            cookies = self.server.cookies.setdefault(self.path, set())
            cookies.add(self.headers.get("Cookie", ""))
        path, _, query = self.path.partition("?")
        if path == "/to":
            self._respond(302, ("Location", query))
        elif path.startswith("/status/"):
            self._respond(int(path.split("/")[2]))
        elif path == "/endless.mp4":
            self._respond_endlessly()
        elif path.startswith("/held/"):
            self.server.released.wait(60)
            self.path = path.removeprefix("/held")
            super().do_GET()
        else:
            super().do_GET()

    def do_HEAD(self) -> None:
        """Respond to HEAD."""
        if self.path == "/endless.mp4":
            self._respond_endlessly()
        else:
            self.path = self.path.removeprefix("/held")
            super().do_HEAD()

    def _respond(self, status: int, *headers: tuple[str, str]) -> None:
        self.send_response(status)
        for name, value in (*headers, ("Content-Length", "0")):
            self.send_header(name, value)
        self.end_headers()

    def _respond_endlessly(self) -> None:
        """Send a file without a length until the client closes the connection."""
        self.send_response(200)
        self.send_header("Content-Type", "video/mp4")
        self.end_headers()
        try:
            while self.command == "GET" and not self.server.stopped.wait(0.001):
                self.wfile.write(CHUNK)
        except OSError:
            return


class SourceServer:
    """A running server. `address` is host:port."""

    def __init__(self, server: _Server) -> None:
        self._server = server
        self.address = f"127.0.0.1:{server.server_address[1]}"

    def url(self, path: str) -> str:
        """Return the URL of a path."""
        return f"http://{self.address}/{path}"

    def cookies_of(self, path: str) -> set[str]:
        """Return the cookies that were sent with GET requests for a path."""
        return self._server.cookies.get(f"/{path}", set())

    def requests_of(self, path: str) -> int:
        """Return the number of GET requests for a path."""
        return self._server.paths.count(f"/{path}")

    def release(self) -> None:
        """Send the files that were held back."""
        self._server.released.set()


@contextmanager
def serve_sources(folder: Path) -> Iterator[SourceServer]:
    """Serve a folder on a free port of the loopback."""
    server = _Server(folder)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield SourceServer(server)
    finally:
        server.stopped.set()
        server.released.set()
        server.shutdown()
        server.server_close()
        thread.join()
