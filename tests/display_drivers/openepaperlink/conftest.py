"""A driver, and a simulated access point of which the tests move the time."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from display_drivers.base import Frame, Outcome, Panel, Report, Update
from display_drivers.openepaperlink import driver as make
from display_drivers.openepaperlink.accesspoint.process import Running, serving
from display_drivers.openepaperlink.accesspoint.remote import Remote
from display_drivers.openepaperlink.accesspoint.settings import Options
from display_drivers.openepaperlink.client import OpenEPaperLinkDriver

PANEL = Panel(296, 128)
LETTERS = "KWR"


def mac(number: int) -> str:
    return f"{0x21000000000 + number:016X}"


def face(number: int, panel: Panel = PANEL) -> Frame:
    """Faces of different numbers look different: black, white and red stripes."""
    inks = len(panel.palette)
    row = bytes((x // 8 + number) % inks for x in range(panel.width))
    return Frame(panel, row * (panel.height - 1) + bytes([number % 2]) * panel.width)


async def soon(condition: Callable[[], bool]) -> None:
    for _ in range(5000):
        if condition():
            return
        await asyncio.sleep(0.001)
    raise AssertionError("It never came.")


@dataclass
class Shop:
    running: Running
    driver: OpenEPaperLinkDriver
    remote: Remote
    revision: int = 0

    async def push(self, *faces: tuple[int, Frame]) -> list[Outcome]:
        """(Number of the tag, its face), in one push."""
        updates = []
        for number, wanted in faces:
            self.revision += 1
            updates.append(Update(f"token-{self.revision}", mac(number), self.revision, wanted))
        return await self.driver.push(updates)

    async def advance(self, seconds: float) -> None:
        await self.remote.advance(seconds)

    async def faults(self, **faults: Any) -> None:
        await self.remote.fault(**faults)

    async def state(self) -> dict[str, Any]:
        return await self.remote.state()

    async def glass(self, number: int) -> str | None:
        """A letter a pixel, as a shopper sees it."""
        glass = await self.remote.glass(mac(number))
        return glass and glass["colours"]

    async def history(self, number: int) -> list[str]:
        return [shown["colours"] for shown in await self.remote.history(mac(number))]

    async def report(self, number: int) -> Report:
        self.driver._listed_at = -1e9  # as if some seconds had gone by
        (report,) = await self.driver.poll([mac(number)])
        return report


def seen(frame: Frame) -> str:
    return frame.pixels.translate(bytes(map(ord, LETTERS)).ljust(256, b"?")).decode()


@asynccontextmanager
async def opened(config: dict[str, str] | None = None, **options: Any) -> AsyncIterator[Shop]:
    wanted = {"tags": 3, "stopsleep": 0, "nightlyreboot": 0} | options
    async with serving(Options(**wanted)) as running, Remote(running.control) as remote:
        driver = make({"url": running.url, "pace": "0", "settle": "0.05"} | (config or {}))
        assert isinstance(driver, OpenEPaperLinkDriver)
        await driver.open()
        try:
            yield Shop(running, driver, remote)
        finally:
            await driver.close()


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    """Three tags of 296 x 128 in black, white and red; time stands still."""
    async with opened() as shop:
        yield shop
