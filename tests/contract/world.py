"""The application on one real database, with stores of which each has a model beside it."""

import asyncio
import itertools
import json
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TypeVar

import httpx
import msgspec
from litestar import Litestar
from sqlalchemy import select

from service import sync
from service.app import create_app
from service.context import Shelfcast
from service.core.guards import Guards
from service.gateways import gateway_setup
from service.ids import new_id
from service.settings import Settings
from service.shelves import floor
from service.store import tables
from service.tenants import stores, tokens
from service.tenants.tokens import Caller
from tests.contract import documented, model
from tests.shop import MINUTE, Clock, authenticate

T = TypeVar("T")

_number = itertools.count()


class World:
    """The application on one database, for many histories: each has two stores of its own."""

    def __init__(self, settings: Settings, runner: asyncio.Runner) -> None:
        self.app: Litestar = create_app(settings)
        self.clock = Clock()
        self._runner = runner
        self._stop = asyncio.Event()
        self._life = self.run(self._begin())

    def run(self, work: Awaitable[T]) -> T:
        async def awaited() -> T:
            return await work

        return self._runner.run(awaited())

    async def _begin(self) -> asyncio.Task[None]:
        started = asyncio.Event()

        async def live() -> None:
            async with self.app.lifespan():
                started.set()
                await self._stop.wait()

        life = asyncio.create_task(live())
        await started.wait()
        self.ctx: Shelfcast = replace(self.app.state.ctx, clock=self.clock)
        self.app.state.ctx = self.ctx
        transport = httpx.ASGITransport(self.app)
        hooks = {"response": [documented.check]}
        self.client = httpx.AsyncClient(transport=transport, base_url="http://shelfcast", event_hooks=hooks)
        return life

    async def end(self) -> None:
        await self.client.aclose()
        self._stop.set()
        await self._life


class Side:
    """One store: its token, the database's rows, and the model of it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.slug = f"store-{next(_number)}"
        self.caller: Caller = world.run(self._create())

    async def _create(self) -> Caller:
        ctx = self.world.ctx
        await stores.create_store(ctx, stores.NewStore(slug=self.slug))
        self.token = (await tokens.issue(ctx, self.slug, "pos")).token
        await gateway_setup.add_to(ctx, self.slug, "g1", "simulator", {"url": "http://127.0.0.1:9"}, check=False)
        bound = {f"{self.slug}-{n}": list(barcodes) for n, barcodes in enumerate(("A", "B", "BA", "AC"))}
        self.model = model.Store(bound)
        lines = [(n, {"address": one, "gateway": "g1", "panel": "296x128-BWR"}) for n, one in enumerate(bound)]
        assert not (await floor.import_displays(ctx, self.slug, lines, by="test")).refused
        slots = [
            (0, {"address": address, "slot": str(slot), "barcode": barcode})
            for address, barcodes in bound.items()
            for slot, barcode in enumerate(barcodes)
        ]
        assert not (await floor.bind(ctx, self.slug, slots, by="test")).refused
        guards = Guards(self.model.archive_percent, self.model.archive_at_least)
        caller = await authenticate(ctx, self.token)
        own = tables.stores.c.id == caller.store_id
        limit = tables.stores.update().where(own).values(guards=msgspec.json.encode(guards).decode())
        await ctx.db.write(lambda connection: connection.execute(limit))
        async with ctx.db.read() as connection:
            sequence = select(tables.store_sequences.c.received).where(
                tables.store_sequences.c.store_id == caller.store_id
            )
            self.model.seq = (await connection.execute(sequence)).scalar_one()
        return caller

    def ask(self, method: str, path: str, body: Any = None, key: str | None = None) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}"} | ({"Idempotency-Key": key} if key else {})
        content = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        if content is not None:
            headers["Content-Type"] = "application/json"
        return self.world.run(self.world.client.request(method, path, headers=headers, content=content))

    async def _save(self) -> None:
        ctx = self.world.ctx
        while await sync.save_due(ctx, self.caller.store_id, new_id(), self.world.clock.at + MINUTE):
            pass

    def save(self) -> None:
        self.world.run(self._save())
        self.model.save()

    async def _rows(self, table: Any, *columns: Any) -> list[Any]:
        async with self.world.ctx.db.read() as connection:
            return list(await connection.execute(select(*columns).where(table.c.store_id == self.caller.store_id)))

    async def products(self) -> dict[str, tuple[Any, ...]]:
        of = tables.products.c
        found = {}
        for barcode, content, archived in await self._rows(tables.products, of.barcode, of.content, of.archived_at):
            kept = json.loads(content)
            prices = tuple(kept.get(name) for name in ("price", "sale_price"))
            found[barcode] = (kept["name"], *prices, kept.get("stock"), archived is not None)
        return found

    async def faces(self) -> dict[str, Any]:
        of = tables.faces.c
        shown = dict(await self._rows(tables.faces, of.digest, of.content))
        wanted = await self._rows(tables.displays, tables.displays.c.address, tables.displays.c.desired_digest)
        return {address: digest and _slots(shown[digest]) for address, digest in wanted}


def _slots(face: str) -> list[model.Shown | None]:
    return [
        slot and (slot["barcode"], slot["name"], slot.get("price"), slot.get("regular"))
        for slot in json.loads(face)["slots"]
    ]


def expected_products(store: model.Store) -> dict[str, tuple[Any, ...]]:
    return {
        barcode: (
            one.name,
            *(None if price is None else int(price * 10_000) for price in (one.price, one.sale)),
            None if one.stock is None else str(int(one.stock)),
            one.archived,
        )
        for barcode, one in store.products.items()
    }


@contextmanager
def opened_world(settings: Settings) -> Iterator[World]:
    with asyncio.Runner() as runner:
        world = World(settings, runner)
        yield world
        world.run(world.end())
