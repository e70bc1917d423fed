"""Listening: gateways that tell by themselves are heard at once. A hint only; what is lost here is polled later."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import structlog

from display_drivers.base import Listens, Report
from display_drivers.errors import DriverError
from service import sync
from service.context import Shelfcast
from service.pushing import Line
from service.store import gateways
from service.store.database import UNAVAILABLE
from workers.lines import Lines

_LOOK_EVERY = 2.0
_GATHER = 0.05
"""Seconds; reports that come this close together are one transaction."""
_MOST = 500

log = structlog.get_logger()


class Ear:
    """Listens to every gateway that nobody else listens to, each under a lease of its own."""

    def __init__(self, ctx: Shelfcast, lines: Lines) -> None:
        self._ctx = ctx
        self._lines = lines
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Until cancelled."""
        try:
            while True:
                await self._attend()
                await asyncio.sleep(_LOOK_EVERY)
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _attend(self) -> None:
        try:
            async with self._ctx.db.read() as connection:
                unheard = await gateways.unheard(connection, self._ctx.clock())
            await asyncio.gather(*(self._open(*gateway) for gateway in unheard))
        except Exception:
            log.exception("listening_failed")

    async def _open(self, store_id: int, gateway_id: str) -> None:
        line = await self._lines.get(store_id, gateway_id)
        if line is not None and isinstance(line.driver, Listens) and await self._lease(line):
            task = asyncio.create_task(self._listen(line, line.driver))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _lease(self, line: Line) -> bool:
        now = self._ctx.clock()
        until = now + int(self._ctx.settings.lease * 1000)
        at = line.at
        return await self._ctx.db.write(gateways.lease, at.store_id, at.gateway_id, "listener", at.worker, now, until)

    async def _listen(self, line: Line, driver: Listens) -> None:
        """Until the stream breaks, or the lease is another's."""
        both = {asyncio.create_task(self._keep(line)), asyncio.create_task(self._hear(line, driver))}
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in both:
                task.cancel()
            await asyncio.gather(*both, return_exceptions=True)
            at = line.at
            with contextlib.suppress(Exception):
                await self._ctx.db.write(gateways.release, at.store_id, at.gateway_id, "listener", at.worker)

    async def _hear(self, line: Line, driver: Listens) -> None:
        try:
            async for reports in _gathered(driver.listen()):
                await sync.hear(self._ctx, line, reports)
        except DriverError as error:
            log.debug("stream_ended", gateway_id=line.at.gateway_id, error=error.detail)
        except Exception:
            log.exception("listening_failed", gateway_id=line.at.gateway_id)

    async def _keep(self, line: Line) -> None:
        mine = True
        while mine:
            await asyncio.sleep(self._ctx.settings.lease / 3)
            with contextlib.suppress(*UNAVAILABLE):
                mine = await self._lease(line)


async def _gathered(stream: AsyncIterator[Report]) -> AsyncIterator[list[Report]]:
    """Reports in handfuls: the first at once opens one, what comes within 50 ms joins it."""
    queue: asyncio.Queue[Report | None] = asyncio.Queue(_MOST)

    async def pump() -> None:
        try:
            async for report in stream:
                await queue.put(report)
        except Exception:  # not for a cancellation: nobody may be left to make room in the queue
            await queue.put(None)
            raise
        await queue.put(None)

    source = asyncio.create_task(pump())
    try:
        while (first := await queue.get()) is not None:
            await asyncio.sleep(_GATHER)
            handful = [first]
            while not queue.empty() and len(handful) < _MOST:
                if (report := queue.get_nowait()) is not None:
                    handful.append(report)
                else:
                    queue.put_nowait(None)
                    break
            yield handful
        await source
    finally:
        source.cancel()
        with contextlib.suppress(asyncio.CancelledError, DriverError):
            await source
