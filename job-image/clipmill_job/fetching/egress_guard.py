"""Restrict what the downloader's process connects to and starts, by Python's audit events.

Each connection's address is checked as it is opened, after name resolution and after every
redirect, so that neither can bypass the check.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Collection
from typing import Any

from clipmill.network_ranges import is_public

_URL_SCHEMES = ("http:", "https:", "ftp:", "rtmp", "rtsp", "tcp:", "udp:", "mms")


class EgressRefused(OSError):
    """A connection or a program that the guard does not allow."""


class EgressGuard:
    """An audit hook; `refused` keeps the first reason.

    Args:
        private: Pairs of `host:port` that may be private addresses.
        proxy: `host:port` of the proxy, beside which nothing is connected to.
        private_proxies: Pairs of `host:port` of proxies that may be private addresses.
    """

    def __init__(
        self, private: Collection[str], *, proxy: str = "", private_proxies: Collection[str] = ()
    ) -> None:
        self._allowed = _resolve(private)
        self._proxy = _resolve([proxy]) if proxy else None
        self._private_proxies = _resolve(private_proxies)
        self.refused = ""

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Check an audit event. Raises EgressRefused."""
        if event == "socket.connect":
            self._check_connection(arguments[0].family, arguments[1])
        elif event == "subprocess.Popen":
            self._check_program(arguments[1])

    def _check_connection(self, family: int, address: Any) -> None:
        if family not in (socket.AF_INET, socket.AF_INET6):
            self._refuse("only internet addresses are allowed")
        host, port = str(address[0]), int(address[1])
        if self._proxy is not None:
            self._check_proxy(host, port)
            return
        if (host, port) in self._allowed:
            return
        if not is_public(host):
            self._refuse(f"{host}:{port} is not an address of the public internet")
        if port not in (80, 443):
            self._refuse(f"port {port} of {host}: only ports 80 and 443 are allowed")

    def _check_proxy(self, host: str, port: int) -> None:
        if (host, port) not in (self._proxy or ()):
            self._refuse(f"{host}:{port} is not the proxy that all connections must use")
        if not is_public(host) and (host, port) not in self._private_proxies:
            self._refuse("the proxy is not an address of the public internet")

    def _check_program(self, argv: Any) -> None:
        arguments = [argv] if isinstance(argv, str | bytes) else list(argv)
        for argument in arguments:
            text = os.fsdecode(argument) if isinstance(argument, bytes) else str(argument)
            if text.lower().startswith(_URL_SCHEMES):
                self._refuse("a program was given a URL; only yt-dlp's own downloader may fetch")

    def _refuse(self, reason: str) -> None:
        self.refused = self.refused or reason
        raise EgressRefused(reason)


def _resolve(private: Collection[str]) -> frozenset[tuple[str, int]]:
    """Return the addresses of the host:port pairs that a setting allows."""
    addresses: set[tuple[str, int]] = set()
    for pair in private:
        host, _, port = pair.rpartition(":")
        try:
            entries = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM)
        except OSError:
            continue
        addresses |= {(str(entry[4][0]), int(entry[4][1])) for entry in entries}
    return frozenset(addresses)


def install(guard: EgressGuard) -> EgressGuard:
    """Install the guard for the rest of this process; an audit hook cannot be removed."""
    sys.addaudithook(guard)
    return guard
