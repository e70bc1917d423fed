"""Where simulated displays are: a simulated store of its own process, which all sandbox stores share.

Without SHELFCAST_SIMULATOR_URL it is a child of `shelfcast serve`, started when the first sandbox asks for displays: a
file in the data folder says on which port, another keeps what is on the glass across restarts.
"""

import asyncio
import contextlib
import os
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

import httpx

from display_drivers import registry
from service.children import python, spawn
from service.errors import UnavailableError
from service.settings import Settings

DRIVER = "simulator"
PORT_FILE = "simulator.port"
JOURNAL = "simulator.journal"
TIMES_FASTER = 5
"""Than real displays, which check in every 15 s and take 12 s to draw red."""
ANSWERS_WITHIN = 10.0
"""Seconds; it is started within one and answers within another."""
_TIMEOUT = 5.0
_RETRY_AFTER = 5
_LOOK_EVERY = 0.1


def start(settings: Settings) -> subprocess.Popen[bytes] | None:
    """Our child, or None for as long as nobody has asked for it; see supervisor.Child."""
    port = _noted(settings.data_dir / PORT_FILE)
    if settings.simulator_url is not None or port is None:
        return None
    options = {"displays": 0, "port": port, "state": settings.data_dir / JOURNAL, "time-scale": TIMES_FASTER}
    flags = [f"--{name}={value}" for name, value in options.items()]
    module = registry.simulators()[DRIVER]
    return spawn(python(module, *flags), stdout=subprocess.DEVNULL)


async def furnish(settings: Settings, gateway: str, panels: dict[str, str]) -> str:
    """Have a simulated gateway of this name with these displays, address -> panel; its URL.

    Repeating it changes nothing. Raises UnavailableError where no simulated store answers.
    """
    url = settings.simulator_url or f"http://127.0.0.1:{_port(settings.data_dir / PORT_FILE)}"
    async with httpx.AsyncClient(base_url=url, timeout=_TIMEOUT, trust_env=False) as client:
        try:
            await _until_it_answers(client)
            made = await client.post("/control/gateways", json={"name": gateway})
            if made.status_code != httpx.codes.CONFLICT:  # it is there
                made.raise_for_status()
            known = await client.get("/control/glass", params={"gateway": gateway})
            known.raise_for_status()
            there = {seen["address"] for seen in known.json()["displays"]}
            displays = [_display(address, panel) for address, panel in panels.items() if address not in there]
            added = await client.post("/control/displays", json={"gateway": gateway, "displays": displays})
            added.raise_for_status()
        except httpx.HTTPError as error:
            raise UnavailableError(
                f"No simulated displays answer at {url} ({error!r}). shelfcast serve runs them; without it, run"
                " shelfcast simulate --displays 0 --port 7070 and set SHELFCAST_SIMULATOR_URL to its address.",
                retry_after=_RETRY_AFTER,
            ) from None
    return f"{url}/gateways/{gateway}"


async def _until_it_answers(client: httpx.AsyncClient) -> None:
    give_up = time.monotonic() + ANSWERS_WITHIN
    while True:
        try:
            (await client.get("/control")).raise_for_status()
        except httpx.TransportError:
            if time.monotonic() > give_up:
                raise
            await asyncio.sleep(_LOOK_EVERY)
        else:
            return


def _display(address: str, panel: str) -> dict[str, Any]:
    size, _, palette = panel.partition("-")
    width, height = map(int, size.split("x"))
    return {"address": address, "panel": {"width": width, "height": height, "palette": palette}}


def _port(file: Path) -> int:
    """The port of this installation's simulated store; a free one, chosen by whoever asks first, and kept."""
    noted = _noted(file)
    if noted is not None:
        return noted
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    mine = file.with_name(f"{file.name}.{os.getpid()}")
    mine.write_text(str(port), encoding="ascii")
    with contextlib.suppress(FileExistsError):
        os.link(mine, file)
    mine.unlink()
    return _noted(file) or port


def _noted(file: Path) -> int | None:
    try:
        return int(file.read_text(encoding="ascii"))
    except (FileNotFoundError, ValueError):
        return None
