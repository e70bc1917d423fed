"""(i) Lists of a store that has 200,000 of a thing: every page, filter and search, over HTTP, as long as they may take.

What is asked is data: an area fills its tables and names its requests; `AREAS` has them all.
"""

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import text

from bench import listed_products, usage
from bench.harness import Figure, Sizes, digits, percentile
from bench.http import Connection, request
from bench.listed import Asked, Get, Load
from bench.places import SLUG, Place, furnish
from service.context import Shelfcast
from service.core.scopes import Scope
from service.tenants import tokens

WARM = 2
"""Times that each is asked before it counts."""


class Area(NamedTuple):
    """`load` fills the tables; `requests` names what to ask, once the API answers."""

    load: Load
    requests: Callable[[Get, int], Awaitable[Sequence[Asked]]]


AREAS = (Area(listed_products.load, listed_products.requests),)


async def measure(place: Place, sizes: Sizes) -> list[Figure]:
    figures: list[Figure] = []
    async with place.site() as site:
        async with site.opened() as ctx:
            await furnish(ctx)
            token = (await tokens.issue(ctx, SLUG, "reader", scopes=[Scope.ADMIN])).token
            store = await tokens.caller(ctx, await tokens.identify(ctx, token))
            for area in AREAS:
                await area.load(ctx, store, sizes.listed)
            await _settle(ctx)
        await site.start("valkey", "api")
        await site.ready()
        async with Connection(site.port) as connection:
            caller = _Caller(place, connection, token, site.running["api"].pid, sizes)
            for area in AREAS:
                figures += [await caller.timed(asked) for asked in await area.requests(caller.get, sizes.listed)]
    return figures


class _Caller(NamedTuple):
    """Who asks, one request after the other; `pid`: of the API."""

    place: Place
    connection: Connection
    token: str
    pid: int
    sizes: Sizes

    async def get(self, path: str) -> Any:
        return await self.connection.told(request("GET", f"/api/v1{path}", self.token))

    async def timed(self, asked: Asked) -> Figure:
        question = request("GET", f"/api/v1{asked.path}", self.token)
        for _ in range(WARM):
            body = await self._answer(question)
        took: list[float] = []
        before = usage.cpu(self.pid)
        for _ in range(self.sizes.samples):
            start = time.perf_counter()
            await self._answer(question)
            took.append((time.perf_counter() - start) * 1000)
        cpu = (usage.cpu(self.pid) - before) * 1000 / len(took)
        note = (
            f"p50 {digits(percentile(took, 0.5))} ms, least {digits(min(took))} ms, "
            f"CPU of the API {digits(cpu)} ms, {len(body):,} bytes"
        )
        what = f"(i) {asked.what}, of {self.sizes.listed:,}, p95"
        return Figure(what, self.place.database, [percentile(took, 0.95)], "ms", asked.goal, note)

    async def _answer(self, question: bytes) -> bytes:
        status, body = await self.connection.ask(question)
        if status != 200:  # noqa: PLR2004 - HTTP's own number
            raise RuntimeError(f"{question.splitlines()[0].decode()}: {status}: {body[:300].decode()}")
        return body


async def _settle(ctx: Shelfcast) -> None:
    """What PostgreSQL's autovacuum does by itself within minutes."""
    if not ctx.db.is_sqlite:
        async with ctx.db.glance() as connection:
            await connection.execute(text("VACUUM ANALYZE"))
