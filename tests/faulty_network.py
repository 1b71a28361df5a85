"""Network faults for tests: a proxy that cuts connections, and a server with scripted replies."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

MOST_AT_ONCE = 16


@dataclass
class Listener:
    """A listening socket on the loopback, and the requests that it received."""

    socket: socket.socket
    received: list[bytes] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Return the URL of the socket."""
        return f"http://127.0.0.1:{self.socket.getsockname()[1]}"


@contextmanager
def listening(handle: Callable[[socket.socket], None], listener: Listener) -> Iterator[Listener]:
    """Handle each connection in a thread of its own, and close all of them at the end."""
    open_now: list[socket.socket] = []

    def serve(connection: socket.socket) -> None:
        with contextlib.suppress(OSError):  # the peer may have left, or the test may have ended
            handle(connection)

    def run() -> None:
        with contextlib.suppress(OSError), ThreadPoolExecutor(MOST_AT_ONCE) as threads:
            while True:
                connection, _ = listener.socket.accept()
                open_now.append(connection)
                threads.submit(serve, connection)

    acceptor = threading.Thread(target=run)
    acceptor.start()
    try:
        yield listener
    finally:
        # Closing alone would leave a blocked accept() that takes another connection.
        for each in (listener.socket, *open_now):
            shut_down(each)
        acceptor.join()
        for each in (listener.socket, *open_now):
            each.close()


def shut_down(connection: socket.socket) -> None:
    """Shut a connection down, so that blocked calls on it return."""
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def listen() -> Listener:
    """Listen on a free port."""
    listening_socket = socket.socket()
    listening_socket.bind(("127.0.0.1", 0))
    listening_socket.listen()
    return Listener(listening_socket)


def read_request(connection: socket.socket) -> bytes:
    """Read a request: its head and the body that its Content-Length announces."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += (more := connection.recv(65536))
        if not more:
            return data
    head, _, body = data.partition(b"\r\n\r\n")
    lines = [line.lower() for line in head.split(b"\r\n")]
    sizes = [int(line[15:]) for line in lines if line.startswith(b"content-length:")]
    while sizes and len(body) < sizes[0]:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


@contextmanager
def scripted(*replies: bytes | None) -> Iterator[Listener]:
    """Serve the n-th raw reply to the n-th connection; None sends nothing."""
    steps = iter(replies)
    listener = listen()

    def handle(connection: socket.socket) -> None:
        listener.received.append(read_request(connection))
        reply = next(steps, b"")  # further connections are recorded and closed without a reply
        if reply is not None:
            connection.sendall(reply)
            shut_down(connection)

    with listening(handle, listener):
        yield listener


@contextmanager
def cutting(upstream: str, *, up: list[int], down: list[int]) -> Iterator[Listener]:
    """Run a proxy that cuts the n-th connection after up[n] bytes sent or down[n] received."""
    host, port = upstream.removeprefix("http://").split(":")
    limits = [iter(up), iter(down)]
    lock = threading.Lock()
    listener = listen()

    def pump(source: socket.socket, target: socket.socket, limit: int | None) -> None:
        passed = 0
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if limit is not None and passed + len(data) > limit:
                    target.sendall(data[: limit - passed])
                    break
                target.sendall(data)
                passed += len(data)
        for end in (source, target):
            shut_down(end)

    def handle(connection: socket.socket) -> None:
        with lock:
            most = [next(limit, None) for limit in limits]
        with socket.create_connection((host, int(port))) as server:
            back = threading.Thread(target=pump, args=(server, connection, most[1]))
            back.start()
            pump(connection, server, most[0])
            back.join()

    with listening(handle, listener):
        yield listener
