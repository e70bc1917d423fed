"""(a) `/batch/push` of 1,000 real rows, against a bare handler of the same server."""

import asyncio
import contextlib
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field

from bench import usage
from bench.harness import Figure, Goal, Sizes, middle, ratios
from bench.http import Connection
from bench.places import Place, furnish
from bench.products import real_rows
from bench.till import Till
from service.children import end, spawn

GOAL = Goal(0.2, 0.35, at_least=True)
_CONNECTIONS = 4
_BARE_TIMES = 4
"""The bare server answers so many times more requests in a run, so that both runs take about as long."""


@dataclass
class Side:
    """One of the two servers, and what its runs came to: requests a second, and milliseconds of CPU for each."""

    port: int
    pid: int
    rates: list[float] = field(default_factory=list)
    costs: list[float] = field(default_factory=list)

    async def run(self, push: bytes, count: int) -> None:
        """Push over kept connections, as fast as the server answers."""
        left = iter(range(count))
        before, start = usage.cpu(self.pid), time.perf_counter()
        await asyncio.gather(*(self._ask(push, left) for _ in range(_CONNECTIONS)))
        self.rates.append(count / (time.perf_counter() - start))
        self.costs.append((usage.cpu(self.pid) - before) / count * 1000)

    async def _ask(self, push: bytes, left: Iterator[int]) -> None:
        async with Connection(self.port) as connection:
            for _ in left:
                await connection.told(push)


async def measure(place: Place, sizes: Sizes) -> list[Figure]:
    source, rows = real_rows()
    async with place.site() as site, _bare_server() as bare:
        async with site.opened() as ctx:
            token = await furnish(ctx)
        await site.start("valkey", "api")
        await site.ready()
        ours = Side(site.port, site.running["api"].pid)
        async with Connection(site.port) as connection:
            till = Till(connection, token)
            for _ in range(1 + sizes.runs):
                push = till.push(await till.start(), rows)
                await ours.run(push, sizes.requests)
                await bare.run(push, sizes.requests * _BARE_TIMES)
    values = ratios(ours.rates, bare.rates)[1:]  # the first run warmed both up
    note = (
        f"{source}, {len(rows)} rows, {len(push) / 1000:.0f} kB: {middle(ours.rates)}/s of {middle(bare.rates)}/s; "
        f"CPU {middle(ours.costs)} ms and {middle(bare.costs)} ms a request"
    )
    return [Figure("(a) pushes a second / bare handler", place.database, values, "x", GOAL, note)]


@contextlib.asynccontextmanager
async def _bare_server() -> AsyncIterator[Side]:
    process = spawn([sys.executable, "-m", "bench.bare"], stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None  # noqa: S101 - for the type checker
        with process.stdout as told:
            yield Side(int(told.readline()), process.pid)
    finally:
        end(process, within=5)
