"""Simulated stores over a real socket, in the test's own event loop, and a bench around each."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest

from display_drivers.base import Data, Frame, Panel
from display_drivers.gateway import GatewayDriver
from display_drivers.gateway import driver as gateway_driver
from display_drivers.simulator.process import Ready, serving
from display_drivers.simulator.remote import Remote
from display_drivers.simulator.settings import Behaviour
from display_drivers.simulator.store import Options


class SimulatorBench:
    """The conformance suite's hands and eyes on a simulated store."""

    unknown = "NOBODY"
    panel = Panel(296, 128, "BWR")

    def __init__(self, ready: Ready, remote: Remote, make: Callable[[dict[str, str]], GatewayDriver]) -> None:
        self.ready, self.remote, self._make = ready, remote, make
        self.addresses = [f"SIM{number:06d}" for number in range(1, ready.displays + 1)]

    def driver(self) -> GatewayDriver:
        return self._make({"url": self.ready.gateways["g1"]})

    async def glass(self, address: str) -> Frame | Data | None:
        return (await self.remote.glass([address], content=True))[address].face

    async def settle(self) -> None:
        assert await self.remote.settled()

    async def unplug(self) -> None:
        await self.remote.change("g1", reach="closed")

    async def plug(self) -> None:
        await self.remote.reboot("g1")
        await self.remote.change("g1", reach="up")


Simulated = Callable[..., AbstractAsyncContextManager[SimulatorBench]]


@pytest.fixture
def simulated() -> Simulated:
    """`async with simulated(displays=3, loss=0.5) as bench`: options and behaviour by name; instant by default."""

    @asynccontextmanager
    async def start(
        make: Callable[[dict[str, str]], GatewayDriver] = gateway_driver, **settings: Any
    ) -> AsyncIterator[SimulatorBench]:
        names = Options.__struct_fields__
        options = {"displays": 3, "time_scale": 0} | {key: settings.pop(key) for key in names if key in settings}
        async with (
            serving(Options(behaviour=Behaviour(**settings), **options)) as ready,
            Remote(ready.control, options.get("secret", "")) as remote,
        ):
            yield SimulatorBench(ready, remote, make)

    return start


@pytest.fixture
async def bench(simulated: Simulated) -> AsyncIterator[SimulatorBench]:
    async with simulated() as started:
        yield started


@pytest.fixture
async def driver(bench: SimulatorBench) -> AsyncIterator[GatewayDriver]:
    opened = bench.driver()
    await opened.open()
    yield opened
    await opened.close()
