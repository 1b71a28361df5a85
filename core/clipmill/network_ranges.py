"""Address ranges outside the public internet: one table for URLs, connections and NetworkPolicies.

The ranges are those of the IANA special-purpose address registries (RFC 6890 and its updates),
multicast, and the IPv6 ranges that embed IPv4 addresses.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

PRIVATE_CIDRS = (
    "0.0.0.0/8",  # this network
    "10.0.0.0/8",  # private use
    "100.64.0.0/10",  # shared by carriers
    "127.0.0.0/8",  # loopback
    "169.254.0.0/16",  # link-local, with the metadata services of clouds
    "172.16.0.0/12",  # private use
    "192.0.0.0/24",  # protocol assignments
    "192.88.99.0/24",  # relays of 6to4, deprecated
    "192.168.0.0/16",  # private use
    "198.18.0.0/15",  # benchmarks
    "224.0.0.0/4",  # multicast
    "240.0.0.0/4",  # reserved, and broadcast
    "::/96",  # unspecified, loopback, and embedded IPv4 addresses
    "::ffff:0:0/96",  # IPv4 addresses
    "64:ff9b::/96",  # IPv4 addresses by NAT64
    "64:ff9b:1::/48",  # IPv4 addresses by a local NAT64
    "100::/64",  # discard
    "2001::/32",  # Teredo: IPv4 addresses
    "2002::/16",  # 6to4: IPv4 addresses
    "5f00::/16",  # segment routing
    "fc00::/7",  # private use
    "fe80::/10",  # link-local
    "fec0::/10",  # site-local, deprecated
    "ff00::/8",  # multicast
)
_NETWORKS: tuple[IPv4Network | IPv6Network, ...] = tuple(map(ip_network, PRIVATE_CIDRS))
_NAT64 = IPv6Network("64:ff9b::/96")


def is_public(address: str) -> bool:
    """Return whether an address is on the public internet.

    An IPv4 address that is mapped to IPv6 or reached by NAT64, as in networks with IPv6 only, is
    judged by itself.

    Raises:
        ValueError: The text is no IP address.
    """
    ip = ip_address(address.split("%", maxsplit=1)[0])
    embedded = _embedded_ipv4(ip)
    if embedded is not None:
        ip = embedded
    return ip.is_global and not any(ip in network for network in _NETWORKS)


def _embedded_ipv4(ip: IPv4Address | IPv6Address) -> IPv4Address | None:
    if isinstance(ip, IPv4Address):
        return None
    return IPv4Address(int(ip) & 0xFFFFFFFF) if ip in _NAT64 else ip.ipv4_mapped
