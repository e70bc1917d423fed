"""(c) From a batch's completion to its last display sent, to a simulator that takes no time of its own."""

import os
import time
from typing import NamedTuple

import msgspec
from sqlalchemy import select

from bench import usage
from bench.harness import Figure, Goal, Sizes, middle
from bench.http import Connection
from bench.places import Place, furnish
from bench.products import Rows, barcode, made_rows
from bench.till import Till
from service.context import Shelfcast
from service.core.faces import from_content
from service.rendering import FrameCache
from service.rendering.shipped import shipped
from service.store import tables
from tests.processes import Site

GOAL = Goal(1.0)
BOTH_CORES = Goal(1.0, 1.5, at_least=True)

WORKERS = ("worker-1", "worker-2")
_GATEWAYS = 4
_SAMPLE = 300
_MOST_RUNS = 3


class Run(NamedTuple):
    """Seconds: by the wall, of the workers' CPU, and of everybody's."""

    wall: float
    workers: float
    everybody: float


async def measure(place: Place, sizes: Sizes) -> list[Figure]:
    async with place.site() as site:
        await site.start("valkey")
        simulator = await site.simulator(
            displays=sizes.sent, gateways=_GATEWAYS, time_scale=0, max_batch=250, max_in_flight=4
        )
        bound = {f"SIM{number + 1:06d}": barcode(number) for number in range(sizes.sent)}
        homes = {address: f"g{number % _GATEWAYS + 1}" for number, address in enumerate(bound)}
        async with site.opened() as ctx:
            token = await furnish(ctx, bound, simulator.gateways, homes)
        await site.start("api", *WORKERS)
        await site.ready()
        async with Connection(site.port) as connection:
            till = Till(connection, token)
            turns = range(min(sizes.runs, _MOST_RUNS))
            runs = [await _run(site, till, made_rows(sizes.sent, turn)) for turn in turns]
        await site.kill(*WORKERS)  # drawing is measured alone
        async with site.opened() as ctx:
            drawing = await _drawing(ctx)
    beyond = [run.workers / sizes.sent * 1000 - drawing for run in runs]
    cores = [run.workers / run.wall for run in runs]
    note = (
        f"{sizes.sent:,} displays in {middle([run.wall for run in runs])} s; drawing is {drawing:.2f} ms more each; "
        f"saving, and the proof that comes meanwhile, are in it; the database server's CPU is not"
    )
    everybody = middle([run.everybody / run.wall for run in runs])
    return [
        Figure(
            "(c) CPU of the workers for each display sent, beyond drawing", place.database, beyond, "ms", GOAL, note
        ),
        Figure(
            "(c) cores that two workers keep busy meanwhile",
            place.database,
            cores,
            "cores",
            BOTH_CORES,
            f"{everybody} with API, Valkey and simulator, of {os.cpu_count()}",
        ),
    ]


async def _run(site: Site, till: Till, rows: Rows) -> Run:
    session_id = await till.hold(rows)
    workers = [site.running[name].pid for name in WORKERS]
    everybody = [process.pid for process in site.running.values()]
    before, all_before, start = usage.cpu(*workers), usage.cpu(*everybody), time.perf_counter()
    await till.complete(session_id)
    await till.until(session_id, lambda status: status["tagsSent"] == len(rows))
    run = Run(time.perf_counter() - start, usage.cpu(*workers) - before, usage.cpu(*everybody) - all_before)
    await till.until(session_id, lambda status: status["tagsConfirmed"] == len(rows))
    return run


async def _drawing(ctx: Shelfcast) -> float:
    """Milliseconds of CPU to draw one of the faces that were sent, as workers do."""
    query = select(tables.faces.c.digest, tables.faces.c.content).order_by(tables.faces.c.digest).limit(_SAMPLE)
    async with ctx.db.read() as connection:
        faces = (await connection.execute(query)).all()
    frames = FrameCache()
    start = time.process_time()
    for digest, content in faces:
        frames.frame(digest, from_content(msgspec.json.decode(content)), shipped("price"))
    return (time.process_time() - start) / len(faces) * 1000
