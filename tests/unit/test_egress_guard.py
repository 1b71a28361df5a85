"""The egress guard without a network: which addresses and programs it allows."""

from __future__ import annotations

import socket
from types import SimpleNamespace
from typing import Any

import pytest

from clipmill_job.fetching.egress_guard import EgressGuard, EgressRefused

V4, V6 = socket.AF_INET, socket.AF_INET6


def _connect(guard: EgressGuard, family: int, address: Any) -> None:
    guard("socket.connect", (SimpleNamespace(family=family), address))


@pytest.mark.parametrize(
    ("family", "address"),
    [
        (V4, ("127.0.0.1", 80)),
        (V4, ("10.1.2.3", 443)),
        (V4, ("169.254.169.254", 80)),
        (V4, ("192.168.7.7", 80)),
        (V4, ("100.64.0.1", 80)),
        (V4, ("8.8.8.8", 5432)),
        (V4, ("127.0.0.1", 8001)),
        (V6, ("::1", 80, 0, 0)),
        (V6, ("::ffff:10.0.0.1", 80, 0, 0)),
        (V6, ("fe80::1%eth0", 80, 0, 0)),
        (V6, ("64:ff9b::a00:1", 80, 0, 0)),
        (socket.AF_UNIX, "/var/run/docker.sock"),
    ],
)
def test_private_addresses_are_refused(family: int, address: Any) -> None:
    """Also as IPv4 mapped into IPv6, and any other port than 80 and 443."""
    guard = EgressGuard(["127.0.0.1:8000"])
    with pytest.raises(EgressRefused):
        _connect(guard, family, address)
    assert guard.refused


@pytest.mark.parametrize(
    ("family", "address"),
    [(V4, ("8.8.8.8", 443)), (V6, ("2606:4700::1111", 80, 0, 0)), (V4, ("127.0.0.1", 8000))],
)
def test_public_addresses_and_allowed_pairs_are_open(family: int, address: Any) -> None:
    """Ports 80 and 443 of the public internet, and the host:port pairs of a setting."""
    guard = EgressGuard(["127.0.0.1:8000"])
    _connect(guard, family, address)
    assert not guard.refused


@pytest.mark.parametrize(
    ("argv", "refused"),
    [
        (["ffmpeg", "-i", "file:a.mp4", "file:b.mp4"], False),
        (["ffmpeg", "-i", "https://example.org/live.m3u8", "out.mp4"], True),
        (["ffmpeg", "-i", b"HTTP://example.org/x", "out.mp4"], True),
        ("curl", False),
    ],
)
def test_programs_with_a_url_are_refused(argv: Any, refused: bool) -> None:
    """A program that is given a URL would bypass the guard."""
    guard = EgressGuard([])
    if not refused:
        guard("subprocess.Popen", (None, argv, None, None))
        return
    with pytest.raises(EgressRefused):
        guard("subprocess.Popen", (None, argv, None, None))


@pytest.mark.parametrize(
    ("address", "refused"),
    [
        (("8.8.8.8", 443), True),
        (("127.0.0.1", 8000), True),
        (("127.0.0.1", 3128), False),
    ],
)
def test_with_a_proxy_nothing_else_is_reached(address: Any, refused: bool) -> None:
    """Neither the public internet nor an allowed source; the proxy has to be allowed itself."""
    guard = EgressGuard(
        ["127.0.0.1:8000"], proxy="127.0.0.1:3128", private_proxies=["127.0.0.1:3128"]
    )
    if not refused:
        _connect(guard, V4, address)
        return
    with pytest.raises(EgressRefused):
        _connect(guard, V4, address)


def test_a_proxy_at_a_private_address_is_refused() -> None:
    """Its name is resolved here, so that a public name of a private address is refused too."""
    guard = EgressGuard(["127.0.0.1:3128"], proxy="127.0.0.1:3128")
    with pytest.raises(EgressRefused):
        _connect(guard, V4, ("127.0.0.1", 3128))


def test_a_public_proxy_is_reached_alone() -> None:
    """At any port."""
    guard = EgressGuard([], proxy="8.8.8.8:3128")
    _connect(guard, V4, ("8.8.8.8", 3128))
    with pytest.raises(EgressRefused):
        _connect(guard, V4, ("8.8.8.8", 443))
