"""A real access point as a bench of the conformance suite, and what its owner has to know of it.

Its glass is what the access point says that it transferred: nothing in this hardware sees the panel, so a person has to
look whether it shows black, white and red stripes.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping

from display_drivers.base import Discovered, Driver, Frame, Panel
from display_drivers.bench import CannotError
from display_drivers.errors import PermanentError
from display_drivers.openepaperlink import payload
from display_drivers.openepaperlink.calls import AccessPoint, Record
from display_drivers.openepaperlink.client import WANTED, OpenEPaperLinkDriver, normal, not_as_wanted
from display_drivers.openepaperlink.tagtypes import KNOWN

_MOST_TAGS = 200
_LOOK_EVERY = 5.0
_PATIENCE = 30 * 60.0
"""Seconds in which a tag that sleeps has called twice."""


class AccessPointBench:
    """Attributes: addresses: Three displays or more of one panel, which may show anything meanwhile."""

    unknown = "00000000DEADBEEF"

    def __init__(self, config: Mapping[str, str]) -> None:
        """`displays`: their addresses with commas between, or as many as there are of the commonest panel."""
        settings = dict(config)
        self._wanted = [normal(name) for name in settings.pop("displays", "").split(",") if name]
        self._config = settings
        self.addresses: list[str] = []
        self.panel = Panel(0, 0)

    def driver(self) -> Driver:
        return OpenEPaperLinkDriver(self._config)

    async def facts(self) -> list[str]:
        """Versions, limits and settings, a sentence each; also finds the displays. Raises DriverError."""
        driver = OpenEPaperLinkDriver(self._config)
        point = AccessPoint(self._config.get("url", "").rstrip("/"))
        await point.open()
        try:
            system, settings = await point.system(), await point.settings()
            records = [record async for record in point.records()]
            told = [f"Firmware {system.buildversion or 'unknown'}, {len(records)} tags listed."]
            if len(records) > _MOST_TAGS:
                told.append(f"More than {_MOST_TAGS} tags are too many for one access point.")
            told += [
                f"Set {name} to {WANTED[name]}; it is {getattr(settings, name)}." for name in not_as_wanted(settings)
            ]
            told += [await self._of_type(point, number, count) for number, count in _types(records).items()]
        finally:
            await point.close()
        await self._choose(driver)
        return [*told, f"Tried with {len(self.addresses)} displays of {self.panel.name}."]

    async def _of_type(self, point: AccessPoint, number: int, count: int) -> str:
        if await point.tag_type(number) is None:
            return f"{count} tags of type {number:02X} cannot be drawn: /tagtypes/{number:02X}.json is missing."
        known = KNOWN.get(number)
        compressed = ", whose copies are compressed by Group 5 and cannot be read" if known and known.g5 else ""
        return f"{count} tags of type {number:02X}{compressed}."

    async def _choose(self, driver: OpenEPaperLinkDriver) -> None:
        try:
            await driver.open()
            found = await driver.discover()
        finally:
            await driver.close()
        self.panel = _commonest(found, self._wanted)
        self.addresses = [
            tag.address for tag in found if tag.panel == self.panel and tag.address in (self._wanted or [tag.address])
        ]

    async def glass(self, address: str) -> Frame | None:
        """What the access point transferred last."""
        point = AccessPoint(self._config["url"].rstrip("/"))
        await point.open()
        try:
            record, content = await point.record(address), await point.shown(address)
        finally:
            await point.close()
        if record is None or content is None or payload.digest16(content) != record.hash[:16]:
            return None
        return payload.frame_of(content, KNOWN[record.hw_type]) if record.hw_type in KNOWN else None

    async def settle(self) -> None:
        """Until nothing waits for our displays; raises CannotError where that takes longer than half an hour."""
        point = AccessPoint(self._config["url"].rstrip("/"))
        await point.open()
        try:
            async with asyncio.timeout(_PATIENCE):
                while await self._is_busy(point):  # noqa: ASYNC110 - nothing tells of every tag
                    await asyncio.sleep(_LOOK_EVERY)
        except TimeoutError:
            raise CannotError("A display did not fetch its image within half an hour.") from None
        finally:
            await point.close()

    async def _is_busy(self, point: AccessPoint) -> bool:
        records = [await point.record(address) for address in self.addresses]
        return any(record and (record.pending or not record.is_rendered) for record in records)

    async def unplug(self) -> None:
        raise CannotError("Nobody can pull its plug from here.")

    async def plug(self) -> None:
        """It was never unplugged."""


def bench(config: Mapping[str, str]) -> AccessPointBench:
    """The entry point; raises DriverError for a configuration that cannot be right."""
    return AccessPointBench(config)


def _types(records: list[Record]) -> Counter[int]:
    return Counter(record.hw_type for record in records if not record.isexternal)


def _commonest(found: list[Discovered], wanted: list[str]) -> Panel:
    panels = Counter(tag.panel for tag in found if not wanted or tag.address in wanted)
    if not panels:
        raise PermanentError("The access point has no display that can be tried.")
    return panels.most_common(1)[0][0]
