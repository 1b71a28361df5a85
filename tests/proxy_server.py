"""An HTTP proxy and a SOCKS5 proxy for tests. Both require a user and a password."""

from __future__ import annotations

import base64
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import StreamRequestHandler, ThreadingTCPServer
from urllib.parse import urlsplit

USER, PASSWORD = "proxy-user-7", "proxy-password-7"


class ProxyServer:
    """A running proxy: its address, and the targets that it was used for."""

    def __init__(self, scheme: str, port: int, targets: list[str]) -> None:
        self.address = f"127.0.0.1:{port}"
        self.url = f"{scheme}://{USER}:{PASSWORD}@{self.address}"
        self.targets = targets


class _HttpProxy(BaseHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Do not log."""

    def do_GET(self) -> None:
        login = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if self.headers.get("Proxy-Authorization") != f"Basic {login}":
            self.send_error(407)
            return
        target = urlsplit(self.path)
        self.server.targets.append(self.path)  # type: ignore[attr-defined]
        upstream = HTTPConnection(str(target.hostname), target.port, timeout=10)
        headers = {k: v for k, v in self.headers.items() if not k.lower().startswith("proxy-")}
        upstream.request(self.command, target.path, headers=headers)
        reply = upstream.getresponse()
        body = reply.read()
        self.send_response(reply.status)
        for name, value in reply.getheaders():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        upstream.close()

    def do_HEAD(self) -> None:
        self.do_GET()


class _SocksProxy(StreamRequestHandler):
    def handle(self) -> None:
        self.rfile.read(self.rfile.read(2)[1])
        self.wfile.write(b"\5\2")
        self.rfile.read(1)
        user = self.rfile.read(self.rfile.read(1)[0])
        password = self.rfile.read(self.rfile.read(1)[0])
        accepted = (user.decode(), password.decode()) == (USER, PASSWORD)
        self.wfile.write(b"\1\0" if accepted else b"\1\1")
        if not accepted:
            return
        kind = self.rfile.read(4)[3]
        host = (
            socket.inet_ntoa(self.rfile.read(4))
            if kind == 1
            else self.rfile.read(self.rfile.read(1)[0]).decode()
        )
        (port,) = struct.unpack(">H", self.rfile.read(2))
        self.server.targets.append(f"{host}:{port}")  # type: ignore[attr-defined]
        with socket.create_connection((host, port)) as upstream:
            self.wfile.write(b"\5\0\0\1" + bytes(6))
            up = threading.Thread(target=_copy, args=(self.connection, upstream), daemon=True)
            up.start()
            _copy(upstream, self.connection)


def _copy(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            target.sendall(data)
    except OSError:
        return
    finally:
        with suppress(OSError):
            target.shutdown(socket.SHUT_WR)


class _SocksServer(ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


@contextmanager
def serve_proxy(scheme: str) -> Iterator[ProxyServer]:
    """Run a proxy, `http` or `socks5`, on a free port of the loopback."""
    address = ("127.0.0.1", 0)
    is_http = scheme == "http"
    server = (
        ThreadingHTTPServer(address, _HttpProxy) if is_http else _SocksServer(address, _SocksProxy)
    )
    server.targets = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield ProxyServer(scheme, server.server_address[1], server.targets)  # type: ignore[attr-defined]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
