"""Limits at the door: of failures by address, of requests by token."""

from typing import Any

from litestar.connection import ASGIConnection

from service.api import addresses
from service.api.operations import Operation
from service.context import Shelfcast
from service.core import limits
from service.errors import RateLimitedError, UnauthorizedError
from service.limiting import ADDRESS
from service.store.tenants import Token
from service.tenants.tokens import digest, identify

ANSWERED = "answered"
"""Member of the exchange's state: headers (name, value) of its answer, whatever that will be."""

Connection = ASGIConnection[Any, Any, Any, Any]


async def identified(ctx: Shelfcast, connection: Connection, written: str) -> Token:
    """The token that was sent, as `tokens.identify` finds it; RateLimitedError if too many were wrong before."""
    failures = ctx.limits.failures
    if failures.pressed:
        _refuse(ctx, failures.wait(_address(ctx, connection), digest(written)))
    try:
        return await identify(ctx, written)
    except UnauthorizedError:
        _refuse(ctx, await failures.note(_address(ctx, connection), digest(written)))
        raise


def _refuse(ctx: Shelfcast, wait: int | None) -> None:
    if wait is not None:
        ctx.limits.refused[ADDRESS] += 1
        raise RateLimitedError(
            f"More than {limits.FAILURES_A_MINUTE} requests a minute came from this address with tokens that are not "
            "valid, and this token is one of them. Check it; a right one is taken at once.",
            retry_after=wait,
        ) from None


def _address(ctx: Shelfcast, connection: Connection) -> str:
    peer = connection.client.host if connection.client else None
    forwarded = connection.headers.getall("x-forwarded-for", [])
    return addresses.caller(peer, forwarded, ctx.settings.trusted_proxies)


async def count(ctx: Shelfcast, connection: Connection, token: Token, operation: Operation) -> None:
    """Count the request for its token, and have its answer say how that stands; RateLimitedError if it is too many.

    Without Redis the answer says what the plan is, and not how the token stands with it.
    """
    plan = ctx.limits.plan(token.plan)
    if plan is None:
        return
    answered = connection.scope["state"][ANSWERED] = [(b"ratelimit-policy", limits.policy(plan).encode())]
    standing = await ctx.limits.count(token.quota, plan, counts=operation.counts)
    if standing is None:
        return
    answered.append((b"ratelimit", limits.state(standing).encode()))
    if not standing.allowed:
        raise RateLimitedError(limits.refusal(standing), retry_after=limits.retry_after(standing))
