"""(l) What a rate limit costs a request, and whether four processes at once keep to it."""

import time
from collections.abc import Awaitable, Callable

from redis.asyncio import Redis

from bench.hammer import Work, hammered
from bench.harness import Figure, Goal, Sizes, middle, ratios
from bench.http import Connection
from bench.places import SLUG, Place, furnish
from bench.till import Till, status
from service.context import Shelfcast
from service.core.limits import Plan
from service.counters import Counters
from service.limiting import Limits
from service.tenants import tokens
from tests.processes import Site

REQUEST = Goal(1.5, 1.3)
SCRIPT = Goal(3, 2.5)
EXACT = Goal(1)

_WIDE = Plan("wide", 999_999_999, 999_999_999)
_PROCESSES = 4
_NOON = 1_764_331_200_000
_REQUESTS = 10
"""For each of `Sizes.requests`, since these are so much shorter than pushes."""

Ask = Callable[[], Awaitable[object]]


async def measure(place: Place, sizes: Sizes) -> list[Figure]:
    count = sizes.requests * _REQUESTS
    async with place.site(plans=f"{_WIDE.name}={_WIDE.daily}/{_WIDE.burst}") as site:
        async with site.opened() as ctx:
            unlimited, limited = await _tokens(ctx)
        await site.start("valkey", "api")
        await site.ready()
        async with Connection(site.port) as connection:
            session_id = await Till(connection, unlimited).start()
            questions = [status(session_id, token) for token in (unlimited, limited)]
            free, counted = await _in_turns([_told(connection, question) for question in questions], sizes.runs, count)
        pinged, asked = await _alone(site, sizes.runs, count)
        passes = _exact(site, sizes)
    note = f"{middle(counted)} ms and {middle(free)} ms, a status read over one kept connection"
    alone = f"{middle(asked)} ms and {middle(pinged)} ms, one after the other"
    return [
        Figure("(l) limited / unlimited request", place.database, ratios(counted, free), "x", REQUEST, note),
        Figure("(l) counting / PING", place.database, ratios(asked, pinged), "x", SCRIPT, alone),
        Figure("(l) passed / allowed, four processes at once", place.database, passes, "x", EXACT, "never one more"),
    ]


async def _tokens(ctx: Shelfcast) -> tuple[str, str]:
    """One without limits, and one whose are never reached."""
    return await furnish(ctx), (await tokens.issue(ctx, SLUG, "limited", plan=_WIDE.name)).token


def _told(connection: Connection, question: bytes) -> Ask:
    return lambda: connection.told(question)


async def _in_turns(sides: list[Ask], runs: int, count: int) -> list[list[float]]:
    """Milliseconds of each side in each run, one request of each after the other; the warm-up is left out."""
    took = [[0.0] * len(sides) for _ in range(1 + runs)]
    for run in took:
        for _ in range(count):
            for number, ask in enumerate(sides):
                start = time.perf_counter()
                await ask()
                run[number] += (time.perf_counter() - start) * 1000 / count
    return [list(side) for side in zip(*took[1:], strict=True)]


async def _alone(site: Site, runs: int, count: int) -> list[list[float]]:
    """The least that anybody can ask of Redis, and what we do."""
    redis, counters = Redis.from_url(site.settings.redis_dsn), Counters(site.settings.redis_dsn)
    limits = Limits(counters, [_WIDE])
    try:
        return await _in_turns([redis.ping, lambda: limits.count("alone", _WIDE, counts=True)], runs, count)
    finally:
        await counters.close()
        await redis.aclose()


def _exact(site: Site, sizes: Sizes) -> list[float]:
    """Passes of a day's quota, by processes that ask for twice as many; raises RuntimeError for fewer than allowed."""
    daily, shares = sizes.requests * _REQUESTS, []
    for run in range(sizes.runs):
        each = daily * 2 // _PROCESSES
        start = _NOON + run * 86_400_000
        passes = hammered([Work(site.settings.redis_dsn, daily, daily, each, start)] * _PROCESSES)
        if passes < daily:
            raise RuntimeError(f"Only {passes} of {daily} requests passed.")
        shares.append(passes / daily)
    return shares
