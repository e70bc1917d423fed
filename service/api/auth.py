"""Who asks: the bearer token alone says which store, and is looked up at every request, before the body is read."""

import ipaddress
from collections.abc import Iterable
from typing import Any

import structlog
from litestar.connection import ASGIConnection
from litestar.middleware import AbstractAuthenticationMiddleware, AuthenticationResult

from service.context import Shelfcast
from service.errors import ForbiddenError, UnauthorizedError
from service.settings import Settings
from service.tokens import authenticate

SCOPE = "feed"

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class FeedAuthentication(AbstractAuthenticationMiddleware):
    """Puts the token's Caller into `request.user`."""

    async def authenticate_request(self, connection: ASGIConnection[Any, Any, Any, Any]) -> AuthenticationResult:
        ctx: Shelfcast = connection.app.state.ctx
        token = bearer(connection.headers.get("authorization"))
        if not is_private(connection, ctx.settings):
            raise ForbiddenError(
                "Tokens are not taken in clear text: call over HTTPS."
                " Where a proxy does that, SHELFCAST_TRUSTED_PROXIES has to name it."
            )
        caller = await authenticate(ctx, token)
        if SCOPE not in caller.scopes:
            raise ForbiddenError("This token is not for the feed; issue one that is.")
        structlog.contextvars.bind_contextvars(store=caller.store, token_id=caller.token_id)
        return AuthenticationResult(user=caller, auth=None)


def bearer(authorization: str | None) -> str:
    """The token of an Authorization header; UnauthorizedError without one."""
    scheme, _, token = (authorization or "").strip().partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise UnauthorizedError("Send the store's token as Authorization: Bearer <token>.")
    return token.strip()


def is_private(connection: ASGIConnection[Any, Any, Any, Any], settings: Settings) -> bool:
    """Whether nobody on the way can have read the token; a peer without an address came over a unix socket."""
    if settings.allow_plain_http or connection.scope["scheme"] == "https" or connection.client is None:
        return True
    peer = _address(connection.client.host)
    if peer is None:
        return False
    if peer.is_loopback:
        return True
    return _is_in(peer, settings.trusted_proxies) and _says_https(connection.headers.getall("x-forwarded-proto", []))


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The peer's address; an IPv4 peer of a dual-stack socket as the IPv4 address it is."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _is_in(peer: ipaddress.IPv4Address | ipaddress.IPv6Address, networks: Iterable[str]) -> bool:
    return any(peer in ipaddress.ip_network(network, strict=False) for network in networks)


def _says_https(protocols: list[str]) -> bool:
    """Whether every hop that wrote X-Forwarded-Proto was HTTPS."""
    hops = [hop.strip().lower() for line in protocols for hop in line.split(",")]
    return bool(hops) and all(hop == "https" for hop in hops)
