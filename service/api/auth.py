"""Who asks: the bearer token, looked up at every request, before the body is read, and what it may do."""

from typing import Any

import structlog
from litestar.connection import ASGIConnection
from litestar.middleware import AbstractAuthenticationMiddleware, AuthenticationResult

from service.api import limits
from service.api.addresses import address, is_in
from service.api.operations import BY_ROUTE, PARAMETER, Operation
from service.api.prefix import API_PREFIX
from service.context import Shelfcast
from service.core import scopes
from service.errors import ForbiddenError, UnauthorizedError
from service.settings import Settings
from service.store.tenants import Token
from service.tenants.callers import Caller, caller


class Authentication(AbstractAuthenticationMiddleware):
    """Puts into `request.user` a Caller, about one store, or for operations that reach further the Token itself."""

    async def authenticate_request(self, connection: ASGIConnection[Any, Any, Any, Any]) -> AuthenticationResult:
        ctx: Shelfcast = connection.app.state.ctx
        written = bearer(connection.headers.get("authorization"))
        if not is_private(connection, ctx.settings):
            raise ForbiddenError(
                "Tokens are not taken in clear text: call over HTTPS."
                " Where a proxy does that, SHELFCAST_TRUSTED_PROXIES has to name it."
            )
        token = await limits.identified(ctx, connection, written)
        operation = operation_of(connection)
        await limits.count(ctx, connection, token, operation)
        if not scopes.allows(token.scopes, operation.scopes):
            needed = " or ".join(operation.scopes)
            raise ForbiddenError(f"This token is not for that: it needs the scope {needed}; issue one that has it.")
        user = await _user(ctx, token, operation, connection.query_params.get("store"))
        structlog.contextvars.bind_contextvars(
            store=user.store if isinstance(user, Caller) else None, token_id=token.id
        )
        return AuthenticationResult(user=user, auth=None)


def operation_of(connection: ASGIConnection[Any, Any, Any, Any]) -> Operation:
    """What the table of operations says of this route. A route that is not in it is answered to nobody (KeyError)."""
    path = str(connection.scope["path_template"]).removeprefix(API_PREFIX)
    return BY_ROUTE[str(connection.scope.get("method")), PARAMETER.sub("{}", path)]


async def _user(ctx: Shelfcast, token: Token, operation: Operation, named: str | None) -> Caller | Token:
    if operation.reach == "chain":
        return token
    if operation.reach == "feed" and token.store is None:
        raise ForbiddenError("This token is a chain's; the feed is told which store by the token: send a store's.")
    return await caller(ctx, token, None if operation.reach == "feed" else named)


def bearer(authorization: str | None) -> str:
    """The token of an Authorization header; UnauthorizedError without one."""
    scheme, _, token = (authorization or "").strip().partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise UnauthorizedError("Send a token as Authorization: Bearer <token>.")
    return token.strip()


def is_private(connection: ASGIConnection[Any, Any, Any, Any], settings: Settings) -> bool:
    """Whether nobody on the way can have read the token; a peer without an address came over a unix socket."""
    if settings.allow_plain_http or connection.scope["scheme"] == "https" or connection.client is None:
        return True
    peer = address(connection.client.host)
    if peer is None:
        return False
    if peer.is_loopback:
        return True
    return is_in(peer, settings.trusted_proxies) and _says_https(connection.headers.getall("x-forwarded-proto", []))


def _says_https(protocols: list[str]) -> bool:
    """Whether every hop that wrote X-Forwarded-Proto was HTTPS."""
    hops = [hop.strip().lower() for line in protocols for hop in line.split(",")]
    return bool(hops) and all(hop == "https" for hop in hops)
