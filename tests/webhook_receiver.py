"""A receiver of webhooks that verifies signatures by the library, and misbehaves."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError

CHUNK = b"x" * 65536


@dataclass
class Received:
    """A request: its path, headers and body."""

    path: str
    headers: dict[str, str]
    body: str

    @property
    def id(self) -> str:
        """The header webhook-id."""
        return self.headers["webhook-id"]

    @property
    def event(self) -> dict[str, Any]:
        """The body."""
        return dict(json.loads(self.body))

    def is_signed_by(self, secret: str) -> bool:
        """Return whether the library accepts the signature."""
        try:
            Webhook(secret).verify(self.body, self.headers)
        except WebhookVerificationError:
            return False
        return True


@dataclass
class Receiver:
    """A running receiver. `statuses` are the next responses; then 204."""

    address: str = ""
    statuses: list[int] = field(default_factory=list)
    delay_s: float = 0
    endless: bool = False
    requests: list[Received] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    ended: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        """The URL of a hook."""
        return f"http://{self.address}/hook"

    def wait_for(self, count: int, timeout_s: float = 20) -> list[Received]:
        """Return the requests once there are so many."""
        wait_until(lambda: len(self.requests) >= count, timeout_s)
        return list(self.requests)


def wait_until(condition: Callable[[], object], timeout_s: float = 20) -> None:
    """Wait for a condition, or fail."""
    until = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < until, "the condition did not come true"
        time.sleep(0.02)


class _Handler(BaseHTTPRequestHandler):
    receiver: Receiver

    def log_message(self, *_: object) -> None:
        """Do not log."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        headers = {name.lower(): value for name, value in self.headers.items()}
        receiver = self.receiver
        with receiver.lock:
            receiver.requests.append(Received(self.path, headers, body))
            status = receiver.statuses.pop(0) if receiver.statuses else 204
        receiver.ended.wait(receiver.delay_s)
        self.send_response(200 if receiver.endless else status)
        if status in (301, 302, 307):
            self.send_header("Location", f"http://{receiver.address}/elsewhere")
        if not receiver.endless:
            self.send_header("Content-Length", "0")
        self.end_headers()
        try:
            while receiver.endless and not receiver.ended.wait(0.001):
                self.wfile.write(CHUNK)
        except OSError:
            return


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Run a receiver on a free port of the loopback."""
    receiver = Receiver()
    handler = type("Handler", (_Handler,), {"receiver": receiver})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    receiver.address = f"127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.ended.set()
        server.shutdown()
        server.server_close()
        thread.join()
