"""(g) `shelfcast serve` on a data folder that has been used before."""

import asyncio
import time

from bench.harness import Figure, Goal, Sizes
from bench.http import Connection, request
from bench.places import Place
from tests.processes import Site

GOAL = Goal(2)

_LOOK_EVERY = 0.005
_OK = 200


async def measure(place: Place, sizes: Sizes) -> list[Figure]:
    async with place.site() as site:
        await _started(site)
        values = [await _started(site) for _ in range(sizes.runs)]
    note = "until /health/ready says that the database and Valkey answer, too"
    return [Figure("(g) shelfcast serve, ready", place.database, values, "s", GOAL, note)]


async def _started(site: Site) -> float:
    """Seconds from the command to the API's word that everything is there; it is ended again."""
    start = time.perf_counter()
    await site.start("serve")
    await _ready(site.port)
    seconds = time.perf_counter() - start
    await site.stop("serve")
    return seconds


async def _ready(port: int) -> None:
    async with Connection(port) as connection:
        while True:
            try:
                status, _ = await connection.ask(request("GET", "/health/ready"))
            except OSError:  # nobody listens yet
                status = 0
            if status == _OK:
                return
            await asyncio.sleep(_LOOK_EVERY)
