"""A store of many displays, the POS that feeds it, and judges who look at the glass and never at what is said of it."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx
import msgspec

from display_drivers.gateway.frames import canonical, hashed
from display_drivers.simulator.messages import Seen, Stats
from display_drivers.simulator.process import Ready
from display_drivers.simulator.remote import Remote
from service.gateways import gateway_setup
from service.settings import Settings
from service.shelves import floor
from service.tenants import stores, tokens
from service.tenants.stores import NewStore
from tests.processes import SWIFT, Site, installed

SPEED = 100
"""How many times faster than real the displays are."""
_PATIENCE = 30.0
_LOOK_EVERY = 0.04
_BUSY = {429, 503}

Prices = Mapping[str, str]
"""Barcode -> price, with two decimals."""


@dataclass
class Pos:
    """A POS that does not give up: what gets no answer is asked again in the same words.

    Attributes:
        repeated: Requests that had to be asked again.
        look_every: Seconds between two looks at a status that it waits for.
    """

    client: httpx.AsyncClient
    repeated: int = 0
    look_every: float = _LOOK_EVERY

    async def ask(self, method: str, path: str, body: object = None, *, key: str | None = None) -> httpx.Response:
        headers = {"content-type": "application/json"} | ({"idempotency-key": key} if key else {})
        give_up = time.monotonic() + _PATIENCE
        while True:
            try:
                content = None if body is None else msgspec.json.encode(body)
                answer = await self.client.request(method, path, content=content, headers=headers)
                if answer.status_code not in _BUSY:
                    return answer
            except httpx.TransportError:
                if time.monotonic() > give_up:
                    raise
            self.repeated += 1
            await asyncio.sleep(_LOOK_EVERY)

    async def told(self, method: str, path: str, body: object = None, *, key: str | None = None) -> dict[str, Any]:
        """The answer of what is to succeed."""
        answer = await self.ask(method, path, body, key=key)
        assert answer.is_success, answer.text
        return answer.json()

    async def start(self, **options: Any) -> str:
        return (await self.told("POST", "/batch/start", options))["sessionId"]

    async def push(self, session_id: str, number: int, products: Sequence[dict[str, Any]]) -> dict[str, Any]:
        body = {"sessionId": session_id, "products": products}
        return await self.told("POST", "/batch/push", body, key=f"push-{number}")

    async def complete(self, session_id: str) -> None:
        await self.told("POST", "/batch/complete", {"sessionId": session_id})

    async def batch(self, prices: Prices, rows: int = 1000) -> str:
        """A completed batch that states these prices; its id."""
        return await self.feed(products(prices), rows)

    async def feed(self, stated: Sequence[dict[str, Any]], rows: int = 1000, **options: Any) -> str:
        """A completed batch of these products; its id."""
        session_id = await self.start(**options)
        for number, some in enumerate(portions(stated, rows)):
            await self.push(session_id, number, some)
        await self.complete(session_id)
        return session_id

    async def status(self, session_id: str) -> dict[str, Any]:
        return await self.told("GET", f"/batch/{session_id}/status")

    async def until(
        self, session_id: str, holds: Callable[[dict[str, Any]], bool], within: float = 40.0
    ) -> dict[str, Any]:
        """The first status of which this holds; it is asked for again and again."""
        give_up = time.monotonic() + within
        while not holds(status := await self.status(session_id)):
            assert time.monotonic() < give_up, status
            await asyncio.sleep(self.look_every)
        return status

    async def done(self, session_id: str, within: float = 40.0) -> dict[str, Any]:
        return await self.until(session_id, lambda status: status["status"] == "completed", within)

    async def displays(self, session_id: str, state: str = "") -> list[dict[str, Any]]:
        """All displays of a batch."""
        found: list[dict[str, Any]] = []
        cursor: str | None = ""
        while cursor is not None:
            more = f"&cursor={cursor}" if cursor else ""
            wanted = f"&state={state}" if state else ""
            page = await self.told("GET", f"/batch/{session_id}/displays?perPage=1000{wanted}{more}")
            found += page["data"]
            cursor = page["meta"].get("next")
        return found


@dataclass
class Store:
    """One store whose displays each show one product. `shows`: address -> barcode."""

    slug: str
    token: str
    pos: Pos
    remote: Remote
    shows: dict[str, str] = field(default_factory=dict)

    def prices(self, number: int) -> dict[str, str]:
        """The prices of a day: another one for every product and every number up to 100."""
        return {barcode: f"{1 + place}.{number:02d}" for place, barcode in enumerate(self.shows.values())}

    async def glass(self, *, history: bool = False) -> dict[str, Seen]:
        return await self.remote.glass(content=True, history=history)

    async def glass_prices(self) -> dict[str, str | None]:
        """Barcode -> what the display bound to it shows; None: it is blank."""
        return {self.shows[address]: price_of(seen) for address, seen in (await self.glass()).items()}

    async def until_hardware(self, holds: Callable[[Stats], bool], within: float = 30.0) -> None:
        """Waits until this holds of what the gateways did and saw."""
        give_up = time.monotonic() + within
        while not holds(stats := await self.remote.stats()):
            assert time.monotonic() < give_up, stats
            await asyncio.sleep(_LOOK_EVERY)

    async def shows_in_the_end(self, prices: Prices, within: float = 30.0) -> None:
        """Waits until every display shows these prices."""
        give_up = time.monotonic() + within
        while (shown := await self.glass_prices()) != prices:
            wrong = {code: price for code, price in shown.items() if price != prices[code]}
            assert time.monotonic() < give_up, wrong
            await self.remote.settled(1)
            await asyncio.sleep(_LOOK_EVERY)


async def opened_store(
    site: Site, simulator: Ready, slug: str = "shop", barcodes: Sequence[str] | None = None, **facts: Any
) -> tuple[str, dict[str, str]]:
    """A store with a display for each of as many products, behind the gateways of the simulator: token and bindings.

    The products are `barcodes`, or have numbers; `facts` are those of NewStore.
    """
    async with Remote(simulator.control) as remote, site.opened() as ctx:
        await stores.create_store(ctx, NewStore(slug=slug, sandbox=True, **facts))
        token = (await tokens.issue(ctx, slug, "pos")).token
        for name, url in simulator.gateways.items():
            await gateway_setup.add_to(ctx, slug, name, "simulator", {"url": url})
        seen = (await remote.glass()).values()
        named = barcodes or [f"{number:08d}" for number in range(len(seen))]
        shows = {one.address: barcode for one, barcode in zip(seen, named, strict=True)}
        rows = [
            (
                0,
                {
                    "address": one.address,
                    "gateway": one.gateway,
                    "panel": one.panel.panel.name,
                    "barcode": shows[one.address],
                },
            )
            for one in seen
        ]
        report = await floor.import_displays(ctx, slug, rows, by="test")
        assert (report.created, report.bound, report.refused) == (len(seen), len(seen), [])
    return token, shows


@asynccontextmanager
async def open_store(
    site: Site,
    slug: str = "shop",
    barcodes: Sequence[str] | None = None,
    facts: Mapping[str, str] = {},
    **simulator: Any,
) -> AsyncIterator[Store]:
    """A store on this site whose displays take data, behind a simulator that runs from now on."""
    ready = await site.simulator(**{"takes": "data", "time_scale": SPEED, **simulator})
    token, shows = await opened_store(site, ready, slug, barcodes, **facts)
    async with client_of(site.url, token) as client, Remote(ready.control) as remote:
        yield Store(slug, token, Pos(client), remote, shows)


def client_of(url: str, token: str) -> httpx.AsyncClient:
    headers = {"authorization": f"Bearer {token}"}
    return httpx.AsyncClient(base_url=url, headers=headers, timeout=30, trust_env=False)


@asynccontextmanager
async def on_one_site(
    database: Settings,
    *,
    parts: Sequence[str] = ("valkey", "api", "worker"),
    settings: Mapping[str, Any] = {},
    **simulator: Any,
) -> AsyncIterator[tuple[Site, Store]]:
    """A store on this (migrated) database, with these processes to serve it."""
    async with installed(database.data_dir, database_url=database.database_url, settings=SWIFT | settings) as site:
        await site.start(*parts)
        slow_enough = {"gateways": 4, "answer": 5, "max_batch": 200}
        async with open_store(site, **slow_enough | simulator) as store:
            await site.ready()
            yield site, store


def products(prices: Prices) -> list[dict[str, Any]]:
    return [{"barcode": code, "name": f"Product {code}", "price": price} for code, price in prices.items()]


def portions(rows: Sequence[dict[str, Any]], size: int) -> Iterable[Sequence[dict[str, Any]]]:
    return (rows[start : start + size] for start in range(0, len(rows), size))


def price_of(seen: Seen) -> str | None:
    """What a display that takes data shows of its first product."""
    return seen.face.content["slots"][0]["price"] if seen.face else None  # type: ignore[union-attr]


def fingerprint_with(seen: Seen, price: str) -> str:
    """The fingerprint of what this display would show at another price."""
    content = msgspec.json.decode(seen.data)
    content["slots"][0]["price"] = price
    return hashed(canonical(content))


async def assert_right(store: Store, session_id: str, prices: Prices) -> None:
    """Everything of a batch that states every product of the store is saved, shown, proven and truly told."""
    status = await store.pos.status(session_id)
    count = len(prices)
    told = {name: status[name] for name in ("status", "progress", "productsReceived", "productsSaved")}
    assert told == {"status": "completed", "progress": 100, "productsReceived": count, "productsSaved": count}
    tags = {name: status[f"tags{name}"] for name in ("Total", "Sent", "Confirmed", "Failed", "Superseded", "Pending")}
    every = len(store.shows)
    assert tags == {"Total": every, "Sent": every, "Confirmed": every, "Failed": 0, "Superseded": 0, "Pending": 0}
    assert status["proof"] == {"displayed": every, "delivered": 0, "accepted": 0}
    assert await store.glass_prices() == prices
    await assert_never_back(store)
    await assert_truly_confirmed(store, session_id, prices)


async def assert_never_back(store: Store) -> None:
    """No older face landed after a newer one, and no display or gateway had more pushes at once than it may."""
    stats = await store.remote.stats()
    behaviours = {gateway.name: gateway.behaviour for gateway in (await store.remote.overview()).gateways}
    assert stats.violations == []
    for gateway in stats.gateways:
        assert gateway.traffic.max_in_flight <= behaviours[gateway.name].max_in_flight
        assert gateway.traffic.max_in_flight_per_display <= 1


async def assert_truly_confirmed(store: Store, session_id: str, prices: Prices, *, last: bool = True) -> None:
    """Whatever the batch says is confirmed was on the glass by the time that it says so, and was the newest there.

    If no batch came after it (`last`), nothing else was on the glass from then on.
    """
    glass = await store.glass(history=True)
    for display in await store.pos.displays(session_id, "confirmed"):
        seen = glass[display["address"]]
        wanted = fingerprint_with(seen, prices[store.shows[seen.address]])
        confirmed_at = milliseconds(display["confirmedAt"])
        shots = seen.history or []
        by_then = [shot for shot in shots if shot.at <= confirmed_at]
        assert by_then, f"{seen.address} was confirmed when nothing was on its glass"
        assert by_then[-1].fingerprint == wanted, f"{seen.address} was confirmed and showed something else"
        after = [shot for shot in shots if shot.at > confirmed_at and shot.fingerprint != wanted]
        assert not (last and after), f"{seen.address} was confirmed and came to show something else"


def milliseconds(time: str) -> int:
    return round(datetime.fromisoformat(time).timestamp() * 1000)
