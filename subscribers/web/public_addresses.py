"""Tell which IP addresses are on the public internet.

The table is our own. What Python's `is_global` says differs between its versions: 3.11 and some of
3.12 take site-local addresses and 192.0.0.192 for public ones.
"""

from __future__ import annotations

import ipaddress

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# IANA's IPv4 Special-Purpose Address Registry, without the blocks that are globally reachable
# (192.31.196.0/24, 192.52.193.0/24, 192.175.48.0/24), and the multicast range.
_NOT_PUBLIC_V4 = tuple(
    ipaddress.IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # between a provider and its customers
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link-local, where clouds keep their metadata
        "172.16.0.0/12",  # private
        # Protocol assignments, some clouds' metadata. Two addresses are globally reachable, but
        # they lead to the nearest NAT gateway.
        "192.0.0.0/24",
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # relays from 6to4, which are given up
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
)
# IANA assigns public IPv6 addresses from this block alone (RFC 4291, section 2.4). Outside it are
# loopback, fc00::/7, fe80::/10, fec0::/10, multicast, discard-only, ::a.b.c.d, 64:ff9b:1::/48 and
# 5f00::/16.
_UNICAST_V6 = ipaddress.IPv6Network("2000::/3")
_NOT_PUBLIC_V6 = tuple(
    ipaddress.IPv6Network(network)
    for network in (
        # Protocol assignments: Teredo, benchmarks, ORCHID. No web server has one of them.
        "2001::/23",
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4, which is given up and wraps any IPv4 address
        "3fff::/20",  # documentation
    )
)
# RFC 6052: a gateway makes an IPv4 connection to the address in the last 32 bits. Behind such a
# gateway a name server answers with this for every host that has IPv4 alone.
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def is_public(address: Address) -> bool:
    """Return whether the address, or the IPv4 address that it wraps, is on the public internet."""
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in _NOT_PUBLIC_V4)
    if address.ipv4_mapped is not None:
        return is_public(address.ipv4_mapped)
    if address in _NAT64:
        return is_public(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return address in _UNICAST_V6 and not any(address in network for network in _NOT_PUBLIC_V6)
