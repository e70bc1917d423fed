"""What a ring starts: shells around `service.sync`, each bounded in time, none of them letting an exception out.

A job that has work left when its time is over rings for itself; one that fails leaves its work to the reconciler.
"""

import functools
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import structlog

from service import sync
from service.context import Shelfcast
from service.ids import new_id
from service.shelves import blinking
from service.store import gateways
from workers.files import Files
from workers.lines import Lines

SLICE = 20.0
"""Seconds after which a job lets others have a turn; well under arq's time-out, which would cancel it."""

log = structlog.get_logger()


@dataclass(frozen=True)
class Bench:
    """What the jobs of one worker process share."""

    ctx: Shelfcast
    lines: Lines
    files: Files


Job = Callable[..., Awaitable[None]]


def contained(job: Job) -> Job:
    """Arq kills the worker for some exceptions and drops the job for others; so none gets there."""

    @functools.wraps(job)
    async def run(context: dict[str, Any], *args: Any) -> None:
        try:
            await job(context["bench"], *args)
        except Exception:
            log.exception("job_failed", job=job.__name__)

    return run


@contained
async def save(bench: Bench, store_id: int) -> None:
    """Batches of this store are completed."""
    until = bench.ctx.clock() + int(SLICE * 1000)
    if await sync.save_due(bench.ctx, store_id, new_id(), until):
        await bench.ctx.bell.ring_saver(store_id)


@contained
async def push(bench: Bench, store_id: int, gateway_id: str) -> None:
    """Updates of this gateway are due."""
    line = await bench.lines.get(store_id, gateway_id)
    if line is None:
        return
    until = time.monotonic() + SLICE
    while await sync.send_due(bench.ctx, line):
        if time.monotonic() >= until:
            await bench.ctx.db.write(gateways.release, store_id, gateway_id, "pusher", line.at.worker)
            await bench.ctx.bell.ring_gateway(store_id, gateway_id)
            return


@contained
async def poll(bench: Bench, store_id: int, gateway_id: str) -> None:
    """Proof of this gateway's displays may have come."""
    line = await bench.lines.get(store_id, gateway_id)
    if line is not None:
        await sync.ask(bench.ctx, line)


@contained
async def audit(bench: Bench, store_id: int, gateway_id: str) -> None:
    """All displays of this gateway are to be asked what they show."""
    line = await bench.lines.get(store_id, gateway_id)
    if line is not None:
        await sync.ask(bench.ctx, line, audit=True)


@contained
async def blink(bench: Bench, store_id: int, gateway_id: str) -> None:
    """Lights of this gateway's displays are to be flashed."""
    line = await bench.lines.get(store_id, gateway_id)
    if line is not None:
        await blinking.flash_due(bench.ctx, line)


@contained
async def read_file(bench: Bench, store_id: int, import_id: str) -> None:
    """The file of this import is there."""
    bench.files.begin(store_id, import_id)
