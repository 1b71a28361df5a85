"""Serve the stand-ins over HTTP."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from fake_sources.replies import Asked, Reply

Responder = Callable[[Asked], Reply | None]


class FakeServer(ThreadingHTTPServer):
    """A server that asks each responder in turn."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], responders: Sequence[Responder]) -> None:
        super().__init__(address, _FakeHandler)
        self.responders = responders
        self.lock = threading.Lock()


class _FakeHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # One packet for headers and body: twitchAPI reads the body of a token after it has closed
    # the connection.
    wbufsize = -1
    server: FakeServer

    def log_message(self, *_: object) -> None:
        """Do not log."""

    def do_GET(self) -> None:
        """Respond to GET."""
        self._respond()

    def do_HEAD(self) -> None:
        """Respond to HEAD."""
        self._respond()

    def do_POST(self) -> None:
        """Respond to POST."""
        length = int(self.headers.get("Content-Length") or 0)
        self._respond(self.rfile.read(length))

    do_PUT = do_POST  # noqa: N815  the name that http.server calls

    def _respond(self, body: bytes = b"") -> None:
        parts = urlsplit(self.path)
        query = parse_qs(parts.query, keep_blank_values=True)
        headers = {name.lower(): value for name, value in self.headers.items()}
        if headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            query |= parse_qs(body.decode(), keep_blank_values=True)
        asked = Asked(method=self.command, path=parts.path, query=query, headers=headers, body=body)
        with self.server.lock:
            replies = (responder(asked) for responder in self.server.responders)
            reply = next((r for r in replies if r), Reply(status=404, body=b""))
        self.send_response(reply.status)
        for name, value in ({"Content-Length": str(len(reply.body))} | dict(reply.headers)).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.body)


@contextmanager
def serve_fakes(*responders: Responder) -> Iterator[str]:
    """Serve on a free port of the loopback and yield the base URL."""
    server = FakeServer(("127.0.0.1", 0), responders)
    # The interval in which shutdown() is observed.
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
