"""The demo's own web server: a folder of clips on loopback, as any site would serve them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread


@dataclass(frozen=True, slots=True)
class Site:
    """Where the clips are, and what was asked for: requests by file name."""

    port: int
    asked: Counter[str]

    @property
    def place(self) -> str:
        """`host:port`, as --allow-private takes it."""
        return f"127.0.0.1:{self.port}"

    def url(self, file: Path) -> str:
        """Where a file is fetched from."""
        return f"http://{self.place}/{file.name}"


class _Server(ThreadingHTTPServer):
    asked: Counter[str]


class _Handler(SimpleHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, _Server)
        self.server.asked[self.path.lstrip("/")] += 1
        super().do_GET()

    def log_message(self, *_: object) -> None:
        """Nothing on the person's screen."""


@contextmanager
def serving(folder: Path, wanted_port: int = 0) -> Iterator[Site]:
    """Serve a folder on loopback, at the port wanted if it is free."""
    server = _bound(folder, wanted_port)
    server.asked = Counter()
    thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield Site(server.server_address[1], server.asked)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _bound(folder: Path, port: int) -> _Server:
    handler = partial(_Handler, directory=str(folder))
    try:
        return _Server(("127.0.0.1", port), handler)
    except OSError:
        return _Server(("127.0.0.1", 0), handler)
