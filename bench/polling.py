"""(f) A thousand callers that read the status of a batch every five seconds, each with a token of its own."""

import asyncio
import contextlib
import time
from collections.abc import Sequence

from bench import usage
from bench.harness import Figure, Goal, Sizes, percentile
from bench.http import Connection
from bench.places import SLUG, Place, furnish
from bench.till import Till, status
from service.context import Shelfcast
from service.tenants import tokens

GOAL = Goal(0.5, 0.25)

EVERY = 5.0
_POLLERS = 1000
"""What the goal is stated for."""
_UNAUTHORIZED = 401


async def measure(place: Place, sizes: Sizes) -> list[Figure]:
    async with place.site() as site, site.opened() as ctx:
        token = await furnish(ctx)
        issued = [(await tokens.issue(ctx, SLUG, f"poller-{number}")).token for number in range(sizes.pollers)]
        await site.start("valkey", "api")
        await site.ready()
        async with Connection(site.port) as connection:
            session_id = await Till(connection, token).start()
        asked = [status(session_id, one) for one in issued]
        delays: list[float] = []
        pollers = [
            asyncio.ensure_future(_poll(site.port, question, EVERY * number / sizes.pollers, delays))
            for number, question in enumerate(asked)
        ]
        cores = await _cores(site.running["api"].pid, min(EVERY, sizes.polled_for), sizes.polled_for)
        read = len(delays)
        for poller in pollers:
            poller.cancel()
        await _ended(pollers)
        await _refused_once_revoked(ctx, site.port, issued[0], asked[0])
    note = (
        f"{sizes.pollers:,} pollers, {read} reads, p95 {percentile(delays, 0.95):.1f} ms; "
        "a revoked token is refused at once"
    )
    return [
        Figure(
            f"(f) CPU of the API for {_POLLERS:,} pollers of status",
            place.database,
            [cores * _POLLERS / sizes.pollers],
            "cores",
            GOAL,
            note,
        )
    ]


async def _poll(port: int, question: bytes, after: float, delays: list[float]) -> None:
    """Ask every five seconds, for ever; the server closes idle connections sooner, so that each is a new one."""
    await asyncio.sleep(after)
    async with Connection(port) as connection:
        while True:
            start = time.perf_counter()
            await connection.told(question)
            took = time.perf_counter() - start
            delays.append(took * 1000)
            await asyncio.sleep(EVERY - took)


async def _ended(pollers: Sequence[asyncio.Future[None]]) -> None:
    """They end by being cancelled alone: one that was not answered makes the figure worthless."""
    for poller in pollers:
        with contextlib.suppress(asyncio.CancelledError):
            await poller


async def _cores(pid: int, after: float, seconds: float) -> float:
    """How much of a core a process takes, once it is warm."""
    await asyncio.sleep(after)
    before, start = usage.cpu(pid), time.perf_counter()
    await asyncio.sleep(seconds)
    return (usage.cpu(pid) - before) / (time.perf_counter() - start)


async def _refused_once_revoked(ctx: Shelfcast, port: int, token: str, question: bytes) -> None:
    """The goal is for tokens that are looked up at every request; a cache of them would be another thing."""
    await tokens.revoke(ctx, token)
    async with Connection(port) as connection:
        code, _ = await connection.ask(question)
    if code != _UNAUTHORIZED:
        raise RuntimeError(f"A revoked token was answered with {code}.")
