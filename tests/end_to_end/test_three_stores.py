"""Three whole real stores on one site at the same moment: every row on its display, proven, none in another store.

Every third product has a display; with WHOLE_STORE=1, every product has.
"""

import asyncio
import os
import sys
import time
from contextlib import AsyncExitStack, asynccontextmanager

import msgspec
import pytest

from bench.usage import cpu
from tests.end_to_end import konzum
from tests.end_to_end.shelf import assert_never_back, open_store
from tests.processes import SWIFT, installed

pytestmark = [pytest.mark.feeds, pytest.mark.timeout(600)]

PARTS = ("valkey", "api", "worker", "worker-2")
SPEED = 400
FACTS = {"currency": "EUR", "timezone": "Europe/Zagreb", "locale": "hr"}
GATEWAY = {"gateways": 4, "max_batch": 500, "max_in_flight": 2}


@asynccontextmanager
async def opened(database, keys_of):
    """A site with these stores (name -> products that have a display); the site, and the stores by name."""
    settings = SWIFT | {"verify_for": 300, "audit_every": 60}
    async with (
        installed(database.data_dir, database_url=database.database_url, settings=settings) as site,
        AsyncExitStack() as stack,
    ):
        await site.start("valkey")
        stores = {}
        for name, keys in keys_of.items():
            hardware = {"displays": len(keys), "prefix": f"K{name}-", "time_scale": SPEED, **GATEWAY}
            store = await stack.enter_async_context(open_store(site, f"k{name}", keys, FACTS, **hardware))
            store.pos.look_every = 0.25
            stores[name] = store
        await site.start(*PARTS[1:])
        await site.ready()
        yield site, stores


async def fed(store, rows):
    """The whole file through the batch feed, until every display is proven; the last status."""
    stated = [konzum.product(key, row) for key, row in rows.items()]
    session_id = await store.pos.feed(stated, mode="full", expectedProducts=len(stated))
    return await store.pos.done(session_id, within=300)


async def test_three_real_stores_at_once_show_their_own_files_to_the_last_display(settings):
    rows_of = {name: konzum.by_key(konzum.read(konzum.file(name))) for name in konzum.STORES}
    assert {name: len(rows) for name, rows in rows_of.items()} == konzum.STORES
    every = 1 if os.environ.get("WHOLE_STORE") == "1" else 3
    async with opened(settings, {name: list(rows)[::every] for name, rows in rows_of.items()}) as (site, stores):
        began, before = time.monotonic(), spent(site)
        statuses = await asyncio.gather(*(fed(stores[name], rows) for name, rows in rows_of.items()))
        show(stores, time.monotonic() - began, before, spent(site))
        for name, status in zip(rows_of, statuses, strict=True):
            assert_honest(status, len(rows_of[name]), len(stores[name].shows))
            await assert_shelf_says(stores[name], rows_of[name])
            await assert_never_back(stores[name])
        await assert_apart(stores, dict(zip(rows_of, statuses, strict=True)))
        assert site.deaths == []


def assert_honest(status, rows, displays):
    """Every row of the file is a product now, and every display is proven to show its own."""
    counted = {name: status[f"products{name}"] for name in ("Received", "Saved", "Created", "Rejected", "Duplicate")}
    assert counted == {"Received": rows, "Saved": rows, "Created": rows, "Rejected": 0, "Duplicate": 0}
    tags = [status[f"tags{name}"] for name in ("Total", "Sent", "Confirmed", "Failed", "Superseded", "Pending")]
    assert tags == [displays, displays, displays, 0, 0, 0]
    assert (status["status"], status["progress"]) == ("completed", 100)
    assert status["proof"] == {"displayed": displays, "delivered": 0, "accepted": 0}


async def assert_shelf_says(store, rows):
    """Every glass is, to the last field, what the file has for its product, and came to be so in one refresh."""
    glass = await store.glass()
    assert len(glass) == len(set(store.shows.values())) == len(store.shows)
    for address, seen in glass.items():
        key = store.shows[address]
        row = rows[key]
        said = konzum.slot(key, row, row["SpecialPrice"] or row["Price"], on_sale=bool(row["SpecialPrice"]))
        assert msgspec.json.decode(seen.data) == konzum.face(said), row
        assert seen.refreshes == 1


async def assert_apart(stores, statuses):
    """Nobody sees another store's batch, and the displays of a batch are those of its store."""
    for name, store in stores.items():
        own = statuses[name]["sessionId"]
        assert {display["address"] for display in await store.pos.displays(own, "confirmed")} == set(store.shows)
        for other in stores.values():
            answer = await other.pos.ask("GET", f"/batch/{own}/status")
            assert answer.status_code == (200 if other is store else 404)


def spent(site):
    """Seconds of CPU so far, by what a process is."""
    found = {}
    for name, process in site.running.items():
        kind = name.partition("-")[0]
        found[kind] = found.get(kind, 0) + cpu(process.pid)
    return found


def show(stores, seconds, before, after):
    """For `pytest -rP`, which prints what tests say."""
    used = ", ".join(f"{name} {after[name] - before[name]:.1f} s" for name in after)
    rows, displays = sum(konzum.STORES.values()), sum(len(store.shows) for store in stores.values())
    sys.stdout.write(f"{rows:,} rows, {displays:,} displays proven in {seconds:.1f} s; CPU: {used}.\n")
