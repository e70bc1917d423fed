"""The simulated access point as a process, or inside one."""

import asyncio
import contextlib
import signal
import sys
import time
from collections.abc import AsyncIterator

import msgspec

from display_drivers.openepaperlink.accesspoint.clock import Clock
from display_drivers.openepaperlink.accesspoint.control import Control
from display_drivers.openepaperlink.accesspoint.frontage import Frontage
from display_drivers.openepaperlink.accesspoint.http import Server
from display_drivers.openepaperlink.accesspoint.point import AccessPoint
from display_drivers.openepaperlink.accesspoint.settings import Options
from display_drivers.openepaperlink.accesspoint.tags import NewTag

_CORS = {"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "content-type"}


class Running(msgspec.Struct, frozen=True):
    """A served access point: where it answers, where it is controlled, and the model itself for tests next to it."""

    url: str
    control: str
    point: AccessPoint
    frontage: Frontage


def run(options: Options) -> None:
    """Serves until SIGTERM or SIGINT; one line of JSON on standard output says where."""
    asyncio.run(_until_told(options))


async def _until_told(options: Options) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with serving(options) as running:
        sys.stdout.write(msgspec.json.encode({"url": running.url, "control": running.control}).decode() + "\n")
        sys.stdout.flush()
        await stop.wait()


@contextlib.asynccontextmanager
async def serving(options: Options) -> AsyncIterator[Running]:
    """The access point on two sockets of its own within the running event loop; nothing of it is left afterwards."""
    point = AccessPoint(options, Clock(options.speed, time.time() if options.start is None else options.start))
    put_up_all(point)
    frontage = Frontage(point)
    api = Server(options.host, options.port, frontage.answer, frontage.upgrade).with_headers(_CORS)
    control = Server(options.host, options.control_port, Control(point, frontage).answer)
    point.power.door.shut, point.power.door.open = api.shut, api.open
    await api.start()
    await control.start()
    ticking = asyncio.create_task(point.clock.run())
    try:
        yield Running(api.url, control.url, point, frontage)
    finally:
        ticking.cancel()
        await asyncio.gather(ticking, return_exceptions=True)
        await control.close()
        await api.close()


def put_up_all(point: AccessPoint) -> None:
    """The tags of the options; they belong to the access point already unless it is locked."""
    options = point.options
    first = int(options.first_mac, 16)
    for number in range(options.tags):
        mac = f"{first + number:016X}"
        hw_type = options.types[number % len(options.types)]
        point.put_up(NewTag(mac=mac, hw_type=hw_type, ver=options.ver, adopted=options.lock == 0), mac)
