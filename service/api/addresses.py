"""Where a request comes from: the peer, or who the trusted proxies before it say that they were called by."""

import ipaddress
from collections.abc import Iterable, Iterator, Sequence

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_SUBSCRIBER = 64
"""Bits of an IPv6 address that one subscriber has to itself: whoever has one address has all of its /64."""


def address(host: str) -> Address | None:
    """None if it is none; an IPv4 peer of a dual-stack socket as the IPv4 address it is."""
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def is_in(peer: Address, networks: Iterable[str]) -> bool:
    return any(peer in ipaddress.ip_network(network, strict=False) for network in networks)


def caller(peer: str | None, forwarded: Sequence[str], trusted: Sequence[str]) -> str:
    """Whom failures are counted for: an IPv4 address, an IPv6 network, or `unix` for a peer that has no address.

    X-Forwarded-For (`forwarded`, each a line) is read from its end, as far as the hop that wrote it is a trusted proxy
    or on this machine: what stands before that is what anybody may have written.
    """
    client = address(peer) if peer is not None else None
    if peer is not None and client is None:
        return "unknown"
    for hop in _hops(forwarded):
        if hop is None or not (client is None or client.is_loopback or is_in(client, trusted)):
            break
        client = hop
    return "unix" if client is None else _counted(client)


def _hops(lines: Sequence[str]) -> Iterator[Address | None]:
    """The last first; None for what is no address."""
    for line in reversed(lines):
        for hop in reversed(line.split(",")):
            yield address(_host(hop.strip()))


def _host(hop: str) -> str:
    """Without the port that some proxies add: `192.0.2.1:443`, `[2001:db8::1]:443`."""
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop


def _counted(client: Address) -> str:
    if client.version == 4:  # noqa: PLR2004 - the Internet Protocol's own number
        return str(client)
    network = ipaddress.IPv6Address(int(client) >> _SUBSCRIBER << _SUBSCRIBER)
    return f"{network}/{_SUBSCRIBER}"
