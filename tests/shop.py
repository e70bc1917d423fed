"""A store with real displays behind a real socket, and workers' verbs called one by one instead of by the bell."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
from sqlalchemy import Table, select

from display_drivers.base import Data, Frame
from display_drivers.simulator.process import Ready, serving
from display_drivers.simulator.remote import Remote
from display_drivers.simulator.settings import Behaviour
from display_drivers.simulator.store import Options
from service import feed, sync
from service.context import Shelfcast
from service.context import now as wall_clock
from service.core.row_rules import Kind
from service.gateways import gateway_setup
from service.ids import new_id
from service.leaps import Leaps
from service.messages import Accepted, BatchDisplay, Status, Window
from service.pushing import Line
from service.shelves import floor
from service.store import tables
from service.tenants import stores, tokens
from service.tenants.stores import NewStore
from service.tenants.tokens import Caller
from workers.lines import Lines

MINUTE = 60_000


@dataclass
class Clock:
    """Time that only tests move. Starts at the wall's, so that ULIDs and gateways agree with it roughly."""

    at: int = field(default_factory=wall_clock)

    def __call__(self) -> int:
        self.at += 1
        return self.at

    def advance(self, milliseconds: int) -> None:
        self.at += milliseconds


@dataclass
class Shop:
    """One store. `bound`: address -> barcodes by slot."""

    ctx: Shelfcast
    clock: Clock
    ready: Ready
    remote: Remote
    lines: Lines
    caller: Caller
    gateways: dict[str, str]
    bound: dict[str, list[str]] = field(default_factory=dict)

    async def bind(self, bindings: Mapping[str, Sequence[str]], gateway: str = "g1") -> None:
        """Displays of a gateway, with the products on them by slot."""
        lines = [
            (number, {"address": address, "gateway": gateway, "panel": "296x128-BWR"})
            for number, address in enumerate(bindings)
        ]
        report = await floor.import_displays(self.ctx, self.caller.store, lines, by="test")
        assert not report.refused
        rows = [
            (0, {"address": address, "slot": str(slot), "barcode": barcode})
            for address, barcodes in bindings.items()
            for slot, barcode in enumerate(barcodes)
        ]
        report = await floor.bind(self.ctx, self.caller.store, rows, by="test", takeover=True)
        assert not report.refused
        self.bound |= {address: list(barcodes) for address, barcodes in bindings.items()}

    async def add(self, *products: dict[str, Any], kind: Kind = "whole") -> Accepted:
        return await feed.change(self.ctx, self.caller, kind, [raw(product) for product in products])

    async def update(self, *products: dict[str, Any]) -> Accepted:
        return await self.add(*products, kind="patch")

    async def batch(self, *pushes: Sequence[dict[str, Any]], mode: Any = "merge") -> str:
        """A completed batch, not saved yet; its id."""
        session = await feed.start(self.ctx, self.caller, None, mode, None)
        for products in pushes:
            await self.push(session.session_id, *products)
        await feed.complete(self.ctx, self.caller, session.session_id)
        return session.session_id

    async def push(self, session_id: str, *products: dict[str, Any], **how: Any) -> Accepted:
        rows = [raw(product) for product in products]
        how.setdefault("body_hash", msgspec.json.encode(products).hex())
        return await feed.push(self.ctx, self.caller, session_id, rows, **how)

    async def status(self, session_id: str) -> Status:
        return await feed.status(self.ctx, self.caller, session_id)

    async def save(self) -> None:
        while await sync.save_due(self.ctx, self.caller.store_id, new_id(), self.clock.at + MINUTE):
            pass

    async def send(self, gateway: str = "g1") -> None:
        line = await self.lines.get(self.caller.store_id, self.gateways[gateway])
        while line is not None and await sync.send_due(self.ctx, line):
            pass

    async def ask(self, gateway: str = "g1", *, audit: bool = False) -> None:
        """Poll, however recently that was done."""
        self.clock.advance(int(self.ctx.settings.audit_every * 1000) + 1)
        line = await self.lines.get(self.caller.store_id, self.gateways[gateway])
        if line is not None:
            await sync.ask(self.ctx, line, audit=audit)

    async def poll(self, gateway: str = "g1", *, audit: bool = False) -> None:
        """Poll in the rhythm of the settings: as soon as that may be done again."""
        settings = self.ctx.settings
        self.clock.advance(int((settings.audit_every if audit else settings.poll_every) * 1000))
        line = await self.lines.get(self.caller.store_id, self.gateways[gateway])
        if line is not None:
            await sync.ask(self.ctx, line, audit=audit)

    async def settle(self) -> None:
        """Let the hardware finish whatever it was given."""
        assert await self.remote.settled(5)

    async def line(self, gateway: str = "g1") -> Line:
        """An open line for a worker of its own."""
        line = await self.lines.get(self.caller.store_id, self.gateways[gateway])
        assert line is not None
        return line

    async def work(self, rounds: int = 1) -> None:
        """What workers do, in one order: save, send, let the hardware finish, ask, reconcile."""
        for _ in range(rounds):
            await self.save()
            for gateway in self.gateways:
                await self.send(gateway)
            await self.remote.settled(5)
            for gateway in self.gateways:
                await self.ask(gateway)
            await sync.reconcile(self.ctx)

    async def rows(self, table: Table) -> list[dict[str, Any]]:
        """Every row of this store's in a table, in the order of its key."""
        query = select(table).where(table.c.store_id == self.caller.store_id).order_by(*table.primary_key)
        async with self.ctx.db.read() as connection:
            return [dict(row) for row in (await connection.execute(query)).mappings()]

    async def display(self, address: str = "SIM000001") -> dict[str, Any]:
        """The database's row of a display."""
        return next(row for row in await self.rows(tables.displays) if row["address"] == address)

    async def tags(self, session_id: str) -> dict[str, BatchDisplay]:
        """Address -> what the API says of this display of a batch."""
        page = await feed.displays_of(self.ctx, self.caller, session_id, None, Window(per_page=1000))
        return {tag.address: tag for tag in page.data}

    async def pushed(self) -> int:
        """How many updates gateways were handed so far, taken or not."""
        words = ("accepted", "stale", "busy", "unknownDisplay", "refused")
        return sum(gateway.counts.get(word, 0) for gateway in (await self.remote.stats()).gateways for word in words)

    async def glass(self) -> dict[str, Any]:
        """Address -> what is on the glass: content for data hardware, pixels for frames, None if blank."""
        seen = await self.remote.glass(content=True)
        return {address: _face(one.face) for address, one in seen.items()}

    async def prices(self) -> dict[str, str | None]:
        """Address -> the price of the first product on the glass of data hardware."""
        shown = await self.glass()
        return {
            address: content["slots"][0].get("price") if content and content["slots"][0] else None
            for address, content in shown.items()
        }


async def authenticate(ctx: Shelfcast, token: str) -> Caller:
    return await tokens.caller(ctx, await tokens.identify(ctx, token))


async def until(what: Callable[[], Awaitable[bool]], within: float = 5.0) -> None:
    """Wait for what only looking can tell: rows that another task writes, or what a gateway saw."""
    async with asyncio.timeout(within):
        while not await what():  # noqa: ASYNC110 - nobody could set an event
            await asyncio.sleep(0.01)


def _face(face: Frame | Data | None) -> Any:
    return face.content if isinstance(face, Data) else face and face.pixels


def raw(product: dict[str, Any]) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(product))


def milk(price: str = "1.29", **more: Any) -> dict[str, Any]:
    return {"barcode": "4006381333931", "name": "Milk 1 l", "price": price, **more}


@asynccontextmanager
async def opened_shop(ctx: Shelfcast, *, displays: int = 3, gateways: int = 1, **behaviour: Any) -> AsyncIterator[Shop]:
    """A sandbox store whose displays take data and are instant, unless `behaviour` says otherwise."""
    clock = Clock()
    ctx = replace(ctx, clock=clock, leaps=Leaps(ctx.settings.lease, lambda: clock.at / 1000))
    settings = {"takes": "data", **behaviour}
    options = {name: settings.pop(name) for name in list(settings) if name in Options.__struct_fields__}
    asked = Options(
        displays=displays, gateways=gateways, behaviour=Behaviour(**settings), **{"time_scale": 0, **options}
    )
    async with serving(asked) as ready, Remote(ready.control) as remote:
        await stores.create_store(ctx, NewStore(slug="shop", sandbox=True))
        issued = await tokens.issue(ctx, "shop", "pos")
        caller = await authenticate(ctx, issued.token)
        made = {
            name: (await gateway_setup.add_to(ctx, "shop", name, "simulator", {"url": url})).id
            for name, url in ready.gateways.items()
        }
        lines = Lines(ctx)
        try:
            yield Shop(ctx, clock, ready, remote, lines, caller, made)
        finally:
            await lines.close()
