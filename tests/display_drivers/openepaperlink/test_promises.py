"""The conformance suite on this driver, against the simulated access point."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from display_drivers import conformance, registry
from display_drivers.base import Driver, Frame, Panel
from display_drivers.openepaperlink.accesspoint.process import serving
from display_drivers.openepaperlink.accesspoint.remote import Remote
from display_drivers.openepaperlink.accesspoint.settings import Options
from tests.display_drivers.openepaperlink.conftest import LETTERS, mac

SETTLED = 1500
"""Virtual seconds after which nothing is under way any more."""


class Simulated:
    """Time stands still but where the suite lets the hardware finish."""

    panel = Panel(296, 128)
    unknown = "00000000DEADBEEF"

    def __init__(self, url: str, remote: Remote) -> None:
        self.addresses = [mac(number) for number in range(1, 7)]
        self._url, self._remote = url, remote

    def driver(self) -> Driver:
        return registry.create("openepaperlink", {"url": self._url, "pace": "0", "settle": "0.02"})

    async def glass(self, address: str) -> Frame | None:
        glass = await self._remote.glass(address)
        return glass and Frame(self.panel, bytes(map(LETTERS.index, glass["colours"])))

    async def settle(self) -> None:
        await self._remote.advance(SETTLED)

    async def unplug(self) -> None:
        await self._remote.fault(refuse=SETTLED / 2)

    async def plug(self) -> None:
        await self.settle()


@asynccontextmanager
async def bench(**options: object) -> AsyncIterator[Simulated]:
    wanted = Options(**({"tags": 6, "stopsleep": 0, "nightlyreboot": 0} | options))  # type: ignore[arg-type]
    async with serving(wanted) as running, Remote(running.control) as remote:
        yield Simulated(running.url, remote)


@pytest.mark.parametrize("profile", ["modern", "legacy"])
async def test_the_driver_keeps_every_promise_that_its_quality_file_says(profile: str):
    async with bench(profile=profile) as simulated:
        results = await conformance.run(simulated)
    assert [result for result in results if result.passed is False] == []
    assert [result.name for result in results if result.passed is None] == ["renders-its-glass"]


async def test_a_driver_that_was_made_before_can_be_made_again():
    """The factory and the module of a driver once had the same name."""
    for _ in range(2):
        assert registry.create("openepaperlink", {"url": "http://127.0.0.1:1"}).info.name == "openepaperlink"
        await asyncio.sleep(0)
