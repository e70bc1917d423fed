"""Open drivers, one for each gateway and worker process, kept for as long as the gateway's configuration stays."""

import asyncio
from dataclasses import dataclass

import structlog

from display_drivers import registry
from display_drivers.base import Driver
from display_drivers.errors import DriverError
from service import sending
from service.context import Shelfcast
from service.errors import ConflictError
from service.gateways import gateway_settings
from service.ids import new_id
from service.pushing import Line
from service.rendering import FrameCache
from service.sending import At
from service.store import gateways
from service.store.database import Record

log = structlog.get_logger()


@dataclass
class _Open:
    driver: Driver
    configured: tuple[str, str]


class Lines:
    """Every line of this process. `get` may be called by several jobs at once."""

    def __init__(self, ctx: Shelfcast) -> None:
        self._ctx = ctx
        self._frames = FrameCache()
        self._open: dict[tuple[int, str], _Open] = {}
        self._turns: dict[tuple[int, str], asyncio.Lock] = {}

    async def get(self, store_id: int, gateway_id: str) -> Line | None:
        """A line for one job, with a name of its own for leases; None if it is not in service or cannot be opened."""
        at = At(store_id, gateway_id, new_id())
        async with self._ctx.db.read() as connection:
            gateway = await gateways.get(connection, store_id, gateway_id)
        if gateway is None or gateway["maintenance_since"] is not None:
            return None
        async with self._turns.setdefault((store_id, gateway_id), asyncio.Lock()):
            driver = await self._driver(at, gateway)
        return None if driver is None else Line(at, driver, self._frames)

    async def _driver(self, at: At, gateway: Record) -> Driver | None:
        key, configured = (at.store_id, at.gateway_id), (gateway["driver"], gateway["config"])
        known = self._open.get(key)
        if known is not None and known.configured == configured:
            return known.driver
        if known is not None:
            await known.driver.close()
            del self._open[key]
        if (gateway["next_push_at"] or 0) > self._ctx.clock():
            return None  # it did not answer just now; every ring would wait for it again
        try:
            driver = registry.create(configured[0], gateway_settings.opened(self._ctx.sealer, configured[1]))
            await driver.open()
        except (DriverError, ConflictError) as error:  # the second where a secret was sealed with another key
            settings, now = self._ctx.settings, self._ctx.clock()
            await self._ctx.db.write(sending.note_reach, at, error.detail, settings, now)
            return None
        if (info := gateway_settings.told(driver.info)) != gateway["info"]:
            await self._ctx.db.write(gateways.note_info, at.store_id, at.gateway_id, info)
        self._open[key] = _Open(driver, configured)
        return driver

    async def close(self) -> None:
        for one in self._open.values():
            await one.driver.close()
        self._open.clear()
