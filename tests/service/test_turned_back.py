"""A machine's clock that is turned back: nothing waits for the time that was, and nobody's lease lasts for ever."""

import re
from collections.abc import AsyncIterator

import pytest

from service import sync
from service.context import Shelfcast
from service.ids import new_id
from service.store import chain_tables, clocks, tables
from tests.service.importer import Importer, table
from tests.shop import MINUTE, Shop, milk, opened_shop

HOUR = 60 * MINUTE
WAITED_FOR = re.compile(r".*(_until|due_at|expires_at|confirm_by|retry_at|next_\w+_at)")
PEOPLES = {
    "tokens.expires_at",
    "webhooks.old_secret_until",
    "batches.expires_at",
    "imports.expires_at",
    "products.next_change_at",
}
"""Times by the calendar, as people were told them: they stay what they are."""
BARCODE = milk()["barcode"]


@pytest.fixture
async def shop(ctx: Shelfcast) -> AsyncIterator[Shop]:
    async with opened_shop(ctx, displays=2) as shop:
        await shop.bind({"SIM000001": [BARCODE]})
        yield shop


async def test_a_face_that_was_dropped_is_sent_again_when_it_was_due(shop: Shop) -> None:
    await shop.remote.change(drop=1)
    await shop.add(milk("1.29"))
    await shop.send()
    await sync.reconcile(shop.ctx)
    shop.clock.advance(-HOUR)
    await shop.remote.change(drop=0)
    await sync.reconcile(shop.ctx)
    shop.clock.advance(10 * MINUTE)
    await sync.reconcile(shop.ctx)
    await shop.send()
    await shop.poll()
    assert await shop.prices() == {"SIM000001": "1.29", "SIM000002": None}
    assert (await shop.display())["shown_digest"] == (await shop.display())["desired_digest"]


async def test_a_batch_whose_displays_never_answer_ends_in_its_time(shop: Shop) -> None:
    await shop.remote.change(drop=1)
    session = await shop.batch([milk("1.29")])
    await shop.save()
    await shop.send()
    await shop.poll()
    await sync.reconcile(shop.ctx)
    shop.clock.advance(-HOUR)
    await sync.reconcile(shop.ctx)
    shop.clock.advance(7 * MINUTE)
    await sync.reconcile(shop.ctx)
    assert (await shop.status(session)).status == "completed"


async def test_the_lease_of_a_dead_worker_ends_all_the_same(shop: Shop) -> None:
    session = await shop.batch([milk("1.29")])
    until = shop.clock() + 15_000
    held = tables.stores.update().values(saver=new_id(), saver_until=until)
    await shop.ctx.db.write(lambda connection: connection.execute(held))
    await sync.reconcile(shop.ctx)
    shop.clock.advance(-HOUR)
    await sync.reconcile(shop.ctx)
    shop.clock.advance(20_000)
    await shop.save()
    assert (await shop.status(session)).phase == "syncing"


async def test_a_proof_is_not_newer_than_every_answer_that_is_still_to_come(shop: Shop) -> None:
    await shop.add(milk("1.29"))
    await shop.work()
    await sync.reconcile(shop.ctx)
    shop.clock.advance(-HOUR)
    await sync.reconcile(shop.ctx)
    display = await shop.display()
    assert display["shown_at"] <= shop.clock()


async def test_clocks_of_two_machines_that_differ_by_seconds_are_no_clock_that_was_turned_back(shop: Shop) -> None:
    await shop.add(milk("1.29"))
    await sync.reconcile(shop.ctx)
    before = await shop.rows(tables.updates)
    shop.clock.advance(-20_000)
    await sync.reconcile(shop.ctx)
    assert await shop.rows(tables.updates) == before


async def test_a_file_whose_reader_died_is_read_by_another(shop: Shop) -> None:
    till = Importer(shop.ctx, shop.caller)
    asked = await till.finalized(table(["1.29"]))
    held = chain_tables.imports.update().values(worker=new_id(), lease_until=shop.clock() + 15_000)
    await shop.ctx.db.write(lambda connection: connection.execute(held))
    await sync.reconcile(shop.ctx)
    shop.clock.advance(-HOUR)
    await sync.reconcile(shop.ctx)
    shop.clock.advance(20_000)
    assert (await till.read(asked)).status == "completed"


def test_every_time_that_is_waited_for_is_known():
    known = {f"{column.table.name}.{column.name}" for column, _ in clocks.WAITED_FOR}
    known |= {f"{column.table.name}.{column.name}" for column in clocks.LEASES}
    there = {
        f"{table.name}.{column.name}"
        for table in tables.metadata.tables.values()
        for column in table.c
        if WAITED_FOR.fullmatch(column.name)
    }
    assert there - known == PEOPLES
