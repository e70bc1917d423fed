"""`shelfcast demo`: everything a chain would run, in small and in half a minute, through the same doors.

The service and the simulated store are real processes, and the products go through the real HTTP API.
"""

import asyncio
import contextlib
import datetime as dt
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast

import click
import msgspec

from display_drivers import registry
from display_drivers.base import Discovers, Driver, Frame, Renders
from service import logs
from service.children import end, python, spawn
from service.cli.console import notes, stop
from service.cli.push import ROWS_REJECTED
from service.context import Shelfcast, opened
from service.core.product import StoreFacts
from service.core.rows import parse_rows
from service.demo import Day, feed
from service.gateways import gateway_setup
from service.rendering.png import shelf_png
from service.settings import Settings, load
from service.shelves import floor
from service.supervisor import is_live
from service.tenants import stores, tokens
from service.tenants.stores import NewStore

STORE = NewStore(slug="demo", timezone="Europe/Berlin", locale="de", sandbox=True)
DRIVER = "simulator"
DISPLAYS, GATEWAYS = 200, 2
PANELS = "296x128-BWR,296x128-BWR,296x128-BWR,400x300-BWR"
PICTURE = Path("demo-shelf.png")
_COLUMNS = 10
_TIMES_FASTER = 10
_USUAL_PORT = 8080
_STARTED_WITHIN = 20.0
_HURRIED = {"POLL_EVERY": "2", "RECONCILE_EVERY": "2", "LOG_LEVEL": "warning"}
"""Ten times faster than a store, so we look more often too."""


class Simulated(msgspec.Struct, frozen=True):
    """What the simulated store says once it answers."""

    gateways: dict[str, str]


@dataclass(frozen=True)
class Stage:
    """Where the demonstration takes place."""

    folder: Path
    environ: Mapping[str, str]
    settings: Settings

    @property
    def url(self) -> str:
        return f"http://{self.settings.host}:{self.settings.port}"


@click.command()
@click.option("--displays", type=click.IntRange(2, 300), default=DISPLAYS, show_default=True, help="In the store.")
@click.option("--keep", is_flag=True, help="Leave it running when it is over; Ctrl-C ends it.")
def demo(displays: int, *, keep: bool) -> None:
    """Show everything at once: a simulated store of 200 displays, and the feeds of two days.

    Needs nothing and leaves nothing behind but demo-shelf.png, the shelf as its displays show it. The exit code is 0
    only if every display was proven to show what it should.
    """
    signal.signal(signal.SIGTERM, lambda *_: _interrupt())
    logs.configure("error")
    with contextlib.ExitStack() as stack:
        stage = _stage(stack)
        try:
            unproven = _play(stage, stack, displays)
            if keep:
                _linger(stage)
        except KeyboardInterrupt:
            unproven = 1
    raise click.exceptions.Exit(1 if unproven else 0)


def _interrupt() -> None:
    raise KeyboardInterrupt


def _play(stage: Stage, stack: contextlib.ExitStack, displays: int) -> int:
    """The whole of it; the number of days on which something was not proven."""
    _say("1. Starting Shelfcast and a simulated store …")
    gateways = _start(stage, stack, displays)
    notes.print(f"   The API is at {stage.url}, and described at {stage.url}/docs")
    token = asyncio.run(_within(stage, gateways))
    unproven = 0
    for day, words in ((1, "2. The first day: the whole feed."), (2, "3. The next day: only changes are pushed.")):
        _say(words)
        unproven += _push(stage, token, 1 if day == 1 else 2)
    frames = asyncio.run(_seen(gateways))
    PICTURE.write_bytes(shelf_png(frames, _COLUMNS))
    _say(f"4. The shelf as {len(frames)} displays show it is in {PICTURE}")
    if unproven:
        notes.print("Not every display was proven to show what it should; see above.", style="bold red")
    return unproven


def _say(words: str) -> None:
    notes.print(f"\n{words}", style="bold")


def _stage(stack: contextlib.ExitStack) -> Stage:
    """A folder that is gone afterwards, and an environment in which no other Shelfcast is known."""
    folder = Path(tempfile.mkdtemp(prefix="shelfcast-demo-"))
    stack.callback(_clear, folder)
    own = {"DATA_DIR": str(folder), "PORT": str(_free_port()), **_HURRIED}
    environ = {name: value for name, value in os.environ.items() if not name.startswith("SHELFCAST_")}
    environ |= {f"SHELFCAST_{name}": value for name, value in own.items()}
    return Stage(folder, environ, load(environ))


def _clear(folder: Path) -> None:
    """Take the folder away; what was killed a moment ago may still be writing into it."""
    for _ in range(20):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(0.25)


def _free_port() -> int:
    for port in (_USUAL_PORT, 0):
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)) as taken:
            return int(taken.getsockname()[1])
    return stop("There is no free port on 127.0.0.1.")


def _start(stage: Stage, stack: contextlib.ExitStack, displays: int) -> dict[str, str]:
    """Start both and wait until they answer; gateway -> its URL."""
    log = stack.enter_context((stage.folder / "serve.log").open("wb"))
    serve = spawn(python("service.cli", "serve"), environ=stage.environ, stdout=log, stderr=log)
    stack.callback(end, serve, 15.0)
    options = {"displays": displays, "gateways": GATEWAYS, "panels": PANELS, "time-scale": _TIMES_FASTER}
    flags = [f"--{name}={value}" for name, value in options.items()]
    store = spawn(
        python("display_drivers.simulator", *flags), environ=stage.environ, stdout=subprocess.PIPE, stderr=log
    )
    stack.callback(end, store, 5.0)
    gateways = _said(store).gateways
    give_up = time.monotonic() + _STARTED_WITHIN
    while not is_live(stage.settings):
        if serve.poll() is not None or time.monotonic() > give_up:
            stop("Shelfcast did not start:\n" + (stage.folder / "serve.log").read_text(errors="replace"))
        time.sleep(0.05)
    return gateways


def _said(store: subprocess.Popen[bytes]) -> Simulated:
    line = store.stdout.readline() if store.stdout else b""
    try:
        return msgspec.json.decode(line, type=Simulated)
    except msgspec.DecodeError:
        stop(f"The simulated store did not start: {line.decode(errors='replace')}")


async def _within(stage: Stage, gateways: Mapping[str, str]) -> str:
    async with opened(stage.settings) as ctx:
        return await _furnish(ctx, gateways)


async def _furnish(ctx: Shelfcast, gateways: Mapping[str, str]) -> str:
    """Set up the store as its staff would: gateways, displays, what each shows. The token of its POS."""
    await stores.create_store(ctx, STORE)
    barcodes = _barcodes()
    lines: list[dict[str, str]] = []
    for name, url in gateways.items():
        await gateway_setup.add_to(ctx, STORE.slug, name, DRIVER, {"url": url})
        async with _opened(url) as driver:
            for found in await driver.discover():
                display = {"address": found.address, "gateway": name, "panel": found.panel.name}
                lines.append(display | {"barcode": next(barcodes)})
    report = await floor.import_displays(ctx, STORE.slug, enumerate(lines, start=1), by="demo")
    notes.print(f"   {report.created} displays at {len(gateways)} gateways, each bound to a product.")
    return (await tokens.issue(ctx, STORE.slug, "demo POS")).token


def _barcodes() -> Iterator[str]:
    """Of the first day's products, without those rows that are wrong."""
    rows = [msgspec.Raw(line) for line in feed(1, dt.datetime.now(dt.UTC).date()).splitlines()]
    return iter(
        [row.barcode for row in parse_rows(rows, "whole", StoreFacts("EUR", STORE.timezone, STORE.locale)).rows]
    )


def _push(stage: Stage, token: str, day: Day) -> int:
    """Push one day's feed as a POS would; 0 if every display was confirmed."""
    file = stage.folder / f"day{day}.ndjson"
    file.write_bytes(feed(day, dt.datetime.now(dt.UTC).date()))
    environ = {**stage.environ, "SHELFCAST_URL": stage.url, "SHELFCAST_TOKEN": token}
    command = python("service.cli", "push", str(file), "--poll-interval", "0.25", "--reference", f"day {day}")
    pushing = spawn(command, environ=environ)  # which ends with us, also if we are interrupted in this very line
    try:
        code = pushing.wait()
    finally:
        end(pushing, 2.0)
    return 0 if code in {0, ROWS_REJECTED} else 1


async def _seen(gateways: Mapping[str, str]) -> list[tuple[str, Frame]]:
    """(address, what is on the glass), small panels first, asked of the hardware and not of the service."""
    frames = []
    for url in gateways.values():
        async with _opened(url) as driver:
            for address in sorted(found.address for found in await driver.discover()):
                glass = await driver.glass(address)
                if isinstance(glass, Frame):
                    frames.append((address, glass))
    return sorted(frames, key=lambda seen: (seen[1].panel.height, seen[0]))


class _Sees(Driver, Discovers, Renders, Protocol):
    """What the simulator's driver can do."""


@contextlib.asynccontextmanager
async def _opened(url: str) -> AsyncIterator[_Sees]:
    driver = registry.create(DRIVER, {"url": url})
    await driver.open()
    try:
        yield cast("_Sees", driver)
    finally:
        await driver.close()


def _linger(stage: Stage) -> None:
    _say(f"It keeps running: {stage.url}/docs  (Ctrl-C ends it)")
    notes.print(f"   To look around: export SHELFCAST_DATA_DIR={stage.folder} and shelfcast displays --store demo")
    signal.pause()
