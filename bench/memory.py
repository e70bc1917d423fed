"""(e) Memory of API and worker while one very large batch comes in and is saved."""

import asyncio
import contextlib
from collections.abc import Iterator

from bench import usage
from bench.harness import Figure, Goal, Sizes
from bench.http import Connection
from bench.places import Place, furnish
from bench.products import made_rows
from bench.till import Till
from tests.processes import Site

GOAL = Goal(250)

_PARTS = ("api", "worker")
_LOOK_EVERY = 0.2


async def measure(place: Place, sizes: Sizes) -> list[Figure]:
    async with place.site() as site:
        async with site.opened() as ctx:
            token = await furnish(ctx)
        await site.start("valkey", *_PARTS)
        await site.ready()
        idle = {part: usage.memory(site.running[part].pid) for part in _PARTS}
        async with Connection(site.port) as connection:
            till = Till(connection, token)
            with watched(site) as small:
                await _batch(till, sizes.large // 10, 0)
            with watched(site) as large:
                await _batch(till, sizes.large, 1)
    return [
        Figure(
            f"(e) most memory of the {part}, {sizes.large:,} products in one batch",
            place.database,
            [large[part]],
            "MB",
            GOAL,
            f"{idle[part]:.0f} MB idle, {small[part]:.0f} MB for a tenth of it; no displays",
        )
        for part in _PARTS
    ]


async def _batch(till: Till, count: int, turn: int) -> None:
    session_id = await till.hold(made_rows(count, turn))
    await till.complete(session_id)
    await till.until(session_id, lambda status: status["status"] == "completed")


@contextlib.contextmanager
def watched(site: Site) -> Iterator[dict[str, float]]:
    """The most megabytes that each part was seen with, for as long as the block takes."""
    most = dict.fromkeys(_PARTS, 0.0)

    async def watch() -> None:
        while True:
            for part in _PARTS:
                most[part] = max(most[part], usage.memory(site.running[part].pid))
            await asyncio.sleep(_LOOK_EVERY)

    task = asyncio.ensure_future(watch())
    try:
        yield most
    finally:
        task.cancel()
