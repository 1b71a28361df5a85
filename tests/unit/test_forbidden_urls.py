"""URLs that lead to private addresses in any notation are refused before a name is resolved."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_network

import pytest

from clipmill.network_ranges import PRIVATE_CIDRS, is_public
from clipmill.spec.source_urls import ForbiddenURL, check_url

PRIVATE = ["127.0.0.1", "10.0.0.1", "169.254.169.254", "172.16.5.4", "192.168.77.7", "0.0.0.0",
           "100.64.0.1", "198.18.0.1", "192.0.0.8", "255.255.255.255"]  # fmt: skip
# Full-width forms are 0xFEE0 code points above ASCII.
FULL_WIDTH = {code: code + 0xFEE0 for code in map(ord, "0123456789.acehlost")}
CIRCLED = str.maketrans("0123456789", "⓪①②③④⑤⑥⑦⑧⑨")


def notations(address: str) -> Iterator[str]:
    """Yield hosts that a resolver reads as an IPv4 address."""
    ip, parts = int(IPv4Address(address)), [int(part) for part in address.split(".")]
    yield address
    yield f"{address}."
    yield str(ip)
    yield hex(ip)
    yield ".".join(oct(part).replace("0o", "0") for part in parts)
    yield ".".join(map(hex, parts))
    yield f"{parts[0]}.{(parts[1] << 16) + (parts[2] << 8) + parts[3]}"
    yield address.translate(FULL_WIDTH)
    yield address.translate(CIRCLED)
    yield address.replace(".", "\u3002")
    yield address.replace(".", "\uff61")
    yield f"[::ffff:{address}]"
    yield f"[::{address}]"
    yield f"[64:ff9b::{ip >> 16:x}:{ip & 0xFFFF:x}]"
    yield f"[2002:{ip >> 16:x}:{ip & 0xFFFF:x}::1]"


HOSTS = [host for address in PRIVATE for host in notations(address)] + [
    "[::1]", "[::]", "[fe80::1]", "[fe80::1%25eth0]", "[fc00::1]", "[fec0::1]", "[ff02::1]",
    "[64:ff9b:1::a00:1]", "[2001:0:a00:1::]", "localhost", "LOCALHOST", "localhost.", "a.localhost",
    "localhost.localdomain", "metadata", "metadata.google.internal", "kubernetes", "database",
    "kubernetes.default.svc", "api.clipmill.svc", "api.clipmill.svc.cluster.local", "printer.local",
    "nas.lan", "wiki.corp", "box.home.arpa", "x.intranet", "127%2e0%2e0%2e1",
    "localhost".translate(FULL_WIDTH),
]  # fmt: skip


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("suffix", ["/a.mp4", ":80/a.mp4"])
def test_private_hosts_are_refused_even_if_any_host_is_allowed(host: str, suffix: str) -> None:
    """No notation of a private address and no local name passes."""
    with pytest.raises(ForbiddenURL):
        check_url(f"http://{host}{suffix}", hosts=(), any_host=True)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/a.mp4",
        "https://münchen.example.com/a.mp4",
        "https://clips.example.com:443/",
        "http://1.example.com/",
    ],
)
def test_public_names_pass(url: str) -> None:
    """Names of public hosts are allowed if any host is."""
    check_url(url, hosts=(), any_host=True)


@pytest.mark.parametrize("cidr", PRIVATE_CIDRS)
def test_no_address_of_a_private_range_is_public(cidr: str) -> None:
    """First and last address of each range; NAT64 is judged by the embedded address."""
    network = ip_network(cidr)
    last = network.broadcast_address
    assert not is_public(str(network.network_address))
    if cidr not in ("64:ff9b::/96", "::ffff:0:0/96"):
        assert not is_public(str(last))


def test_embedded_addresses_are_judged_by_themselves() -> None:
    """A private address is private in every form that embeds it."""
    for address in PRIVATE:
        ip = int(IPv4Address(address))
        for prefix in (0, 0xFFFF << 32, 0x64FF9B << 96, 0x64FF9B0001 << 80):
            assert not is_public(str(IPv6Address(prefix | ip))), (address, hex(prefix))
    assert is_public("64:ff9b::808:808")
