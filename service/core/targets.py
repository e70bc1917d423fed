"""Where a webhook may be sent: which URLs are taken, and which addresses a request may go to.

Whoever may set a URL must not reach through us what only we can reach: our own network, our own machine, the cloud's
metadata. The list is IANA's special-purpose registries (RFC 6890 and later), the forms that carry an IPv4 address in
an IPv6 one included, and everything outside of today's global unicast space.
"""

import ipaddress
import re
from collections.abc import Iterable
from urllib.parse import urlsplit

import msgspec

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

MAX_URL = 2000
_MAX_PORT = 65_535
_PORTS = {"https": 443, "http": 80}
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9])?\.?")
_TARGET = re.compile(r"[\x21\x24-\x3b\x3d\x3f-\x5a\x5f\x61-\x7a\x7e%\[\]@&?=]*")
"""What may stand in a path and a query without being percent-encoded (RFC 3986), and the percent sign itself."""


def _v4(*networks: str) -> tuple[ipaddress.IPv4Network, ...]:
    return tuple(map(ipaddress.IPv4Network, networks))


def _v6(*networks: str) -> tuple[ipaddress.IPv6Network, ...]:
    return tuple(map(ipaddress.IPv6Network, networks))


_NOT_PUBLIC_4 = (
    ("that of this machine", _v4("127.0.0.0/8", "0.0.0.0/8")),
    ("private", _v4("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")),
    ("shared by a provider's customers", _v4("100.64.0.0/10")),
    ("link-local", _v4("169.254.0.0/16")),
    ("multicast", _v4("224.0.0.0/4")),
    (
        "reserved",
        _v4(
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.88.99.0/24",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "240.0.0.0/4",
        ),
    ),
)
_NOT_PUBLIC_6 = (
    ("that of this machine", _v6("::1/128", "::/128")),
    ("private", _v6("fc00::/7", "fec0::/10")),
    ("link-local", _v6("fe80::/10")),
    ("multicast", _v6("ff00::/8")),
    ("reserved", _v6("2001::/23", "2001:db8::/32", "3fff::/20")),
)
_GLOBAL_6 = ipaddress.IPv6Network("2000::/3")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_LOW_32 = 0xFFFFFFFF


class Target(msgspec.Struct, frozen=True):
    """A URL, taken apart once, so that what is checked is what is connected to.

    Attributes:
        host: A name or an address, lower case; an IPv6 address without its brackets.
        path: Path and query as they are sent.
    """

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """The Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


class TargetError(Exception):
    """Why no request may go there, in a sentence that says how to mend it."""


def parse_url(text: str) -> Target:
    """A webhook's URL. Raises TargetError for what is no plain http(s) URL of ASCII characters."""
    if len(text) > MAX_URL:
        raise TargetError(f"The URL has {len(text)} characters; {MAX_URL} are the most.")
    if not text.isascii() or not text.isprintable() or " " in text or "\\" in text:
        raise TargetError(
            "The URL may hold visible ASCII characters only; write a name in other letters as xn--…, "
            "and percent-encode the rest."
        )
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise TargetError("This is no URL; write https://example.com/path.") from None
    if parts.scheme not in _PORTS:
        raise TargetError("The URL does not begin with https://; webhooks are sent by HTTPS.")
    if "@" in parts.netloc:
        raise TargetError("The URL holds a user name or password; every webhook is signed instead, so leave them out.")
    if "#" in text:
        raise TargetError("The URL holds a fragment (#…), which is never sent; leave it out.")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not _TARGET.fullmatch(path):
        raise TargetError("The URL's path or query holds characters that have to be percent-encoded.")
    return Target(parts.scheme, _host(parts.netloc, parts.hostname), _port(parts.scheme, port), path)


def _host(netloc: str, host: str | None) -> str:
    if not host:
        raise TargetError("The URL names no host; write https://example.com/path.")
    if netloc.startswith("["):
        if not isinstance(as_address(host), ipaddress.IPv6Address) or "%" in host:
            raise TargetError("What is in brackets in the URL is no IPv6 address.")
        return host
    if not _HOST.fullmatch(host):
        raise TargetError("The URL's host is no name that can be looked up; write https://example.com/path.")
    return host.rstrip(".")


def _port(scheme: str, port: int | None) -> int:
    if port is None:
        return _PORTS[scheme]
    if not 1 <= port <= _MAX_PORT:
        raise TargetError(f"The URL's port is not from 1 to {_MAX_PORT}.")
    return port


def as_address(text: str) -> Address | None:
    """None for a name, and for the short and octal forms that some resolvers take for an address."""
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def networks(names: Iterable[str]) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(name, strict=False) for name in names)


def objection(address: Address, allowed: Iterable[Network], *, plain: bool) -> str | None:
    """Why no request may go to this address, None if it may; `plain`: without TLS, only to networks that are allowed.

    The sentence does not name the address: whoever sets a URL need not learn what our resolver knows.
    """
    inner = _carried(address)
    forms = [form for form in (address, inner) if form is not None]
    if any(form in network for form in forms for network in allowed):
        return None
    kind = _kind(inner or address)
    if kind is not None:
        return f"Its address is {kind}, not public; only the operator can allow it, by SHELFCAST_WEBHOOK_NETWORKS."
    if plain:
        return "Its address is public, so the URL has to begin with https://."
    return None


def _kind(address: Address) -> str | None:
    """What it is that is not public."""
    if isinstance(address, ipaddress.IPv4Address):
        return next((kind for kind, some in _NOT_PUBLIC_4 if any(address in network for network in some)), None)
    known = next((kind for kind, some in _NOT_PUBLIC_6 if any(address in network for network in some)), None)
    return known or (None if address in _GLOBAL_6 else "reserved")


def _carried(address: Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that packets to this one end at: IPv4-mapped, 6to4 (RFC 3056) or NAT64 (RFC 6052)."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & _LOW_32)
    return address.ipv4_mapped or address.sixtofour
