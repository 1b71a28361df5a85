"""A network that misbehaves: a proxy that cuts connections, and a server that follows a script."""

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
    """A port of the loopback, and what has come to it."""

    socket: socket.socket
    seen: list[bytes] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.socket.getsockname()[1]}"


@contextmanager
def listening(handle: Callable[[socket.socket], None], listener: Listener) -> Iterator[Listener]:
    """Hand each connection to `handle` in a thread of its own; at the end nothing of it is left."""
    open_now: list[socket.socket] = []

    def one(connection: socket.socket) -> None:
        with contextlib.suppress(OSError):  # the other side may be gone, or the test at its end
            handle(connection)

    def run() -> None:
        with contextlib.suppress(OSError), ThreadPoolExecutor(MOST_AT_ONCE) as threads:
            while True:
                connection, _ = listener.socket.accept()
                open_now.append(connection)
                threads.submit(one, connection)

    acceptor = threading.Thread(target=run)
    acceptor.start()
    try:
        yield listener
    finally:
        # Closing alone would leave a blocked accept() that takes one connection more.
        for each in (listener.socket, *open_now):
            ended(each)
        acceptor.join()
        for each in (listener.socket, *open_now):
            each.close()


def ended(connection: socket.socket) -> None:
    """Wake whoever waits for it."""
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def bound() -> Listener:
    """A listening socket on a free port."""
    made = socket.socket()
    made.bind(("127.0.0.1", 0))
    made.listen()
    return Listener(made)


def request_of(connection: socket.socket) -> bytes:
    """A whole request: its head and as many bytes as it announces."""
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
    """A server that answers the n-th connection with the n-th reply, raw; None: with silence."""
    steps = iter(replies)
    listener = bound()

    def handle(connection: socket.socket) -> None:
        listener.seen.append(request_of(connection))
        reply = next(steps, b"")  # a connection too many is seen, and closed without a word
        if reply is not None:
            connection.sendall(reply)
            ended(connection)

    with listening(handle, listener):
        yield listener


@contextmanager
def cutting(upstream: str, *, up: list[int], down: list[int]) -> Iterator[Listener]:
    """A proxy: the n-th connection is cut after up[n] bytes sent or down[n] received, if given."""
    host, port = upstream.removeprefix("http://").split(":")
    limits = [iter(up), iter(down)]
    lock = threading.Lock()
    listener = bound()

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
            ended(end)

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
