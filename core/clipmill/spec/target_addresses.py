"""Decide which hosts an owner may make the installation connect to: proxies and receivers."""

from __future__ import annotations

from collections.abc import Collection
from ipaddress import ip_address

from clipmill.network_ranges import is_public
from clipmill.spec.source_urls import is_address_or_local

# Below 1024, ports belong to other services of the internet.
WEB_PORTS = (80, 443)
FIRST_USER_PORT = 1024


class ForbiddenTarget(ValueError):
    """The address may not be connected to. The message says why."""


def check_target(host: str, port: int, *, private: Collection[str] = ()) -> None:
    """Check a host and a port before the name is resolved.

    Args:
        host: Name or IP address.
        port: TCP port.
        private: Pairs of `host:port` that are allowed without further checks.

    Raises:
        ForbiddenTarget: The host is not public, or the port belongs to another service.
    """
    if f"{host}:{port}" in private:
        return
    if not _is_public_address(host) and is_address_or_local(host):
        raise ForbiddenTarget(f"{host!r} is not an address of the public internet")
    if port not in WEB_PORTS and port < FIRST_USER_PORT:
        raise ForbiddenTarget(f"port {port} of {host!r}: allowed are 80, 443, and 1024 and above")


def _is_public_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return is_public(host)
