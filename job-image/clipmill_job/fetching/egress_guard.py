"""The downloader's fence: Python's audit events, seen after every resolution and redirect.

Each connection's address is judged as it is made, so neither DNS nor a redirect can get round it.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Collection
from typing import Any

from clipmill.spec.source_urls import is_public

_SCHEMES = ("http:", "https:", "ftp:", "rtmp", "rtsp", "tcp:", "udp:", "mms")


class Refused(OSError):
    """A connection or a program that the guard does not allow."""


class Guard:
    """Install once with `sys.addaudithook`; `refused` keeps the first reason."""

    def __init__(self, private: Collection[str]) -> None:
        self._allowed = _resolved(private)
        self.refused = ""

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Python calls this at each audit event."""
        if event == "socket.connect":
            self._connect(arguments[0].family, arguments[1])
        elif event == "subprocess.Popen":
            self._start(arguments[1])

    def _connect(self, family: int, address: Any) -> None:
        if family not in (socket.AF_INET, socket.AF_INET6):
            self._refuse("only the internet is connected to")
        host, port = str(address[0]), int(address[1])
        if (host, port) in self._allowed:
            return
        if not is_public(host):
            self._refuse(f"{host}:{port} is not an address of the public internet")
        if port not in (80, 443):
            self._refuse(f"port {port} of {host}: only ports 80 and 443 are allowed")

    def _start(self, argv: Any) -> None:
        words = [argv] if isinstance(argv, str | bytes) else list(argv)
        for word in words:
            text = word.decode(errors="replace") if isinstance(word, bytes) else str(word)
            if text.lower().startswith(_SCHEMES):
                self._refuse("a program would fetch by itself; only yt-dlp's own downloader may")

    def _refuse(self, why: str) -> None:
        self.refused = self.refused or why
        raise Refused(why)


def _resolved(private: Collection[str]) -> frozenset[tuple[str, int]]:
    """Addresses of the host:port pairs that a setting lets in."""
    found: set[tuple[str, int]] = set()
    for place in private:
        host, _, port = place.rpartition(":")
        try:
            entries = socket.getaddrinfo(host, int(port), type=socket.SOCK_STREAM)
        except OSError:
            continue
        found |= {(str(entry[4][0]), int(entry[4][1])) for entry in entries}
    return frozenset(found)


def install(private: Collection[str]) -> Guard:
    """Put the guard in place for the rest of this process: it cannot be taken away again."""
    guard = Guard(private)
    sys.addaudithook(guard)
    return guard
