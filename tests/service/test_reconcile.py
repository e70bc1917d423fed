"""Whatever was lost, refused or forgotten is found again: promise 1, from the database alone."""

from collections.abc import AsyncIterator

import pytest

from display_drivers.base import Panel
from service import sync
from service.context import opened
from service.settings import Settings
from service.store import gateways, tables
from tests.shop import Shop, milk, opened_shop

BARCODE = milk()["barcode"]
NEW = "NEW000001"


@pytest.fixture
async def shop(on_sqlite: Settings) -> AsyncIterator[Shop]:
    async with opened(on_sqlite) as ctx, opened_shop(ctx, displays=1) as shop:
        yield shop


async def rung(shop: Shop) -> set[str]:
    """What a reconciler would ring for now."""
    now = shop.clock()
    async with shop.ctx.db.read() as connection:
        found = {
            "save": await sync.batches.stores_to_save(connection),
            "push": await gateways.with_due(connection, now),
            "poll": await gateways.to_poll(connection, now),
        }
    return {verb for verb, due in found.items() if due}


async def test_every_step_that_nobody_was_rung_for_is_found_by_the_reconciler(shop: Shop) -> None:
    await shop.bind({"SIM000001": [BARCODE]})
    assert await rung(shop) == set()
    await shop.batch([milk()])
    assert await rung(shop) == {"save"}
    await shop.save()
    assert await rung(shop) == {"push"}
    await shop.send()
    assert await rung(shop) == {"poll"}
    await shop.poll()
    assert await rung(shop) == set()


async def test_a_display_that_its_gateway_does_not_know_fails_with_that_reason(shop: Shop) -> None:
    await shop.bind({NEW: [BARCODE]})
    session = await shop.batch([milk()])
    await shop.save()
    await shop.send()
    status = await shop.status(session)
    assert (status.status, status.tags_failed, status.tags_sent) == ("completed", 1, 0)
    tag = (await shop.tags(session))[NEW]
    assert (tag.state, tag.reason, tag.sent_at) == ("failed", "unknown_display", None)


async def test_a_failed_display_is_tried_again_after_a_while_and_confirmed_once_it_is_there(shop: Shop) -> None:
    await shop.bind({NEW: [BARCODE]})
    session = await shop.batch([milk("1.00")])
    await shop.save()
    await shop.send()
    await shop.remote.add_named_displays("g1", [(NEW, Panel(296, 128, "BWR"))])
    await sync.reconcile(shop.ctx)
    assert await rung(shop) == set(), "too early"
    shop.clock.advance(int(shop.ctx.settings.retry_most * 1000))
    await sync.reconcile(shop.ctx)
    await shop.work()
    status = await shop.status(session)
    assert (status.tags_confirmed, status.tags_failed, status.tags_sent) == (1, 0, 1)
    assert (await shop.prices())[NEW] == "1.00"


async def test_a_new_price_tries_a_failed_display_at_once(shop: Shop) -> None:
    await shop.bind({NEW: [BARCODE]})
    await shop.add(milk("1.00"))
    await shop.send()
    await shop.remote.add_named_displays("g1", [(NEW, Panel(296, 128, "BWR"))])
    await shop.add(milk("1.10"))
    await shop.send()
    assert (await shop.prices())[NEW] == "1.10"


async def test_an_unproven_update_is_sent_again_at_once_and_then_ever_more_rarely(shop: Shop) -> None:
    await shop.bind({"SIM000001": [BARCODE]})
    await shop.remote.change_displays(["SIM000001"], absent=True)
    await shop.add(milk())
    pauses = []
    for _ in range(4):
        await shop.send()
        shop.clock.at = (await shop.rows(tables.updates))[0]["confirm_by"]
        await sync.reconcile(shop.ctx)
        shop.clock.at = (await shop.rows(tables.updates))[0]["due_at"]
        pauses.append(round((shop.clock.at - (await shop.rows(tables.updates))[0]["sent_at"]) / 1000))
    confirm = int(2 * (await shop.line()).driver.info.reports_within)
    assert [pause - confirm for pause in pauses] == [0, 5, 10, 20]
    assert (await shop.remote.stats()).gateways[0].counts["repeated"] == 3, "which costs the display nothing"


async def test_a_sleeping_display_is_confirmed_when_it_wakes(shop: Shop) -> None:
    await shop.bind({"SIM000001": [BARCODE]})
    await shop.remote.change_displays(["SIM000001"], absent=True)
    session = await shop.batch([milk("1.00")])
    await shop.work(3)
    assert (await shop.status(session)).status == "completed"
    await shop.remote.change_displays(["SIM000001"], absent=False)
    await shop.work()
    assert ((await shop.status(session)).tags_confirmed, (await shop.remote.stats()).refreshes) == (1, 1)


async def test_a_question_is_asked_once_however_many_were_rung_for_it(shop: Shop) -> None:
    await shop.bind({"SIM000001": [BARCODE]})
    await shop.remote.change_displays(["SIM000001"], absent=True)
    await shop.add(milk())
    await shop.send()
    for _ in range(3):
        await sync.ask(shop.ctx, await shop.line())
    assert (await shop.remote.stats()).gateways[0].counts["polls"] == 1


async def test_what_cannot_be_mended_holds_up_nothing_else(shop: Shop) -> None:
    await shop.bind({"SIM000001": [BARCODE]})
    await shop.add(milk(), {"barcode": "2", "name": "Bread", "price": 2, "salePrice": 1, "saleStart": "2100-01-01"})
    await shop.send()
    damage = tables.products.update().where(tables.products.c.barcode == "2").values(content="{}", next_change_at=1)
    await shop.ctx.db.write(lambda connection: connection.execute(damage))
    shop.clock.at = (await shop.rows(tables.updates))[0]["confirm_by"]
    await sync.reconcile(shop.ctx)
    assert [row["phase"] for row in await shop.rows(tables.updates)] == ["PENDING"]


async def test_a_display_moved_to_another_gateway_is_driven_there(on_sqlite: Settings) -> None:
    async with opened(on_sqlite) as ctx, opened_shop(ctx, displays=2, gateways=2) as shop:
        await shop.bind({"SIM000001": [BARCODE]})
        await shop.remote.change("g1", drop=1)
        await shop.add(milk("1.00"))
        await shop.send("g1")
        await shop.remote.change_displays(["SIM000001"], gateway="g2")
        await shop.bind({"SIM000001": [BARCODE]}, gateway="g2")
        await shop.work(2)
        assert (await shop.prices())["SIM000001"] == "1.00"
