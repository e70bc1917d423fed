"""For those who run it: whether it is up, whether it can work, and how things stand."""

import asyncio
from collections.abc import Awaitable
from typing import Any

import msgspec
from litestar import Controller, Request, Response, get
from litestar.di import NamedDependency

from service.api.answers import answer, problem
from service.api.metrics import CONTENT_TYPE, Metrics
from service.context import Shelfcast
from service.errors import UnavailableError
from service.store.database import UNAVAILABLE
from service.store.revision import is_current

CHECKED_WITHIN = 5.0
"""Seconds after which a check counts as failed."""
RETRY_AFTER = 5

AnyRequest = Request[Any, Any, Any]
Context = NamedDependency[Shelfcast]


class Check(msgspec.Struct, frozen=True):
    """One thing that is needed: whether it is there, and if not, what to do."""

    ok: bool
    detail: str


class Checks(msgspec.Struct, frozen=True):
    database: Check
    redis: Check


class Live(msgspec.Struct, frozen=True):
    status: str = "up"


class Ready(msgspec.Struct, frozen=True):
    """`degraded`: without Redis the feed goes on, and workers find what is due a little later."""

    status: str
    checks: Checks


class HealthController(Controller):
    @get("/health/live")
    async def live(self) -> Response[bytes]:
        return answer(Live())

    @get("/health/ready")
    async def ready(self, request: AnyRequest, ctx: Context) -> Response[bytes]:
        checks = Checks(*await asyncio.gather(_database(ctx), _redis(ctx)))
        if checks.database.ok:
            return answer(Ready("ready" if checks.redis.ok else "degraded", checks))
        error = UnavailableError(checks.database.detail, retry_after=RETRY_AFTER)
        return problem(request, error, {"checks": msgspec.to_builtins(checks)})

    @get("/metrics")
    async def metrics(self, request: AnyRequest, ctx: Context) -> Response[bytes]:
        metrics: Metrics = request.app.state.metrics
        return Response(await metrics.exposition(ctx), media_type=CONTENT_TYPE)


async def _database(ctx: Shelfcast) -> Check:
    async def current() -> bool:
        async with ctx.db.read() as conn:
            return await is_current(conn)

    answered = await _within(current())
    if answered is None:
        return Check(ok=False, detail="The database cannot be reached.")
    detail = "" if answered else "The database has other tables than this version; run shelfcast migrate."
    return Check(ok=answered, detail=detail)


async def _redis(ctx: Shelfcast) -> Check:
    if not await _within(ctx.bell.ping()):
        detail = "Redis cannot be reached: the feed is taken without rate limits, displays wait until it is back."
        return Check(ok=False, detail=detail)
    # The bell is more patient than limits are: what rings may still be too slow to count.
    counts = not ctx.limits.counters.away or await ctx.limits.counters.answers()
    detail = "" if counts else "Redis is too slow or refuses to count: requests are not limited until it does."
    return Check(ok=counts, detail=detail)


async def _within(check: Awaitable[bool]) -> bool | None:
    """What the check says; None if it cannot say, or not in time."""
    try:
        return await asyncio.wait_for(check, CHECKED_WITHIN)
    except UNAVAILABLE:
        return None
