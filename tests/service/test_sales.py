"""Sales start and end by the clock of the store, without a feed; price history knows what was on the shelf when."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from service import sync
from service.batch_saving import Saver
from service.context import opened
from service.settings import Settings
from service.store import tables
from tests.shop import MINUTE, Shop, milk, opened_shop

BARCODE = milk()["barcode"]
HOUR = 60 * MINUTE


def at(moment: str, zone: str = "Europe/Zagreb") -> int:
    return int(datetime.fromisoformat(moment).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


@pytest.fixture
async def shop(on_sqlite: Settings) -> AsyncIterator[Shop]:
    """A store in Zagreb at noon of the 20th, two hours ahead of UTC."""
    async with opened(on_sqlite) as ctx, opened_shop(ctx, displays=2) as shop:
        move = tables.stores.update().values(timezone="Europe/Zagreb")
        await shop.ctx.db.write(lambda connection: connection.execute(move))
        shop.caller = msgspec.structs.replace(shop.caller, timezone="Europe/Zagreb")
        shop.clock.at = at("2026-08-20T12:00")
        await shop.bind({"SIM000001": [BARCODE]})
        yield shop


async def shown(shop: Shop) -> tuple[str, str | None]:
    """(price, struck-through price) on the glass, after the workers had their turn at this moment."""
    await sync.reconcile(shop.ctx)
    await shop.send()
    await shop.poll()
    slot = (await shop.glass())["SIM000001"]["slots"][0]
    return slot["price"], slot.get("regular")


async def history(shop: Shop) -> list[tuple[str, int | None]]:
    return [(row["cause"], row["effective"]) for row in await shop.rows(tables.price_history)]


async def current(shop: Shop) -> dict[str, Any]:
    """The price of now in the history."""
    (product,) = [row for row in await shop.rows(tables.products) if row["barcode"] == BARCODE]
    return next(row for row in await shop.rows(tables.price_history) if row["id"] == product["price_id"])


async def test_a_sale_starts_and_ends_by_the_clock_of_the_store(shop: Shop) -> None:
    await shop.add(milk("2.00", salePrice="1.50", saleStart="2026-08-21", saleEnd="2026-08-22"))
    seen = []
    for moment in ("2026-08-20T23:59", "2026-08-21T00:00", "2026-08-22T23:59", "2026-08-23T00:00"):
        shop.clock.at = at(moment)
        seen.append(await shown(shop))
    assert seen == [("2.00", None), ("1.50", "2.00"), ("1.50", "2.00"), ("2.00", None)]
    assert await history(shop) == [("add", 20_000), ("clock", 15_000), ("clock", 20_000)]


async def test_the_night_of_a_clock_change_moves_no_sale(shop: Shop) -> None:
    shop.clock.at = at("2026-10-24T12:00")
    await shop.add(milk("2.00", salePrice="1.50", saleStart="2026-10-25", saleEnd="2026-10-25"))
    shop.clock.at = at("2026-10-25T00:00")
    assert (await shown(shop))[0] == "1.50"
    shop.clock.at += 24 * HOUR  # this day has 25
    assert (await shown(shop))[0] == "1.50"
    shop.clock.at = at("2026-10-26T00:00")
    assert (await shown(shop))[0] == "2.00"


async def test_a_promotion_text_ends_by_itself(shop: Shop) -> None:
    await shop.add(milk("2.00", promotionText="2 for 1", promotionUntil="2026-08-21T08:00"))
    await shown(shop)
    shop.clock.at = at("2026-08-21T08:00")
    await shown(shop)
    assert "promotion" not in (await shop.glass())["SIM000001"]["slots"][0]
    assert await history(shop) == [("add", 20_000)], "which is no new price"


async def test_a_sale_that_is_called_off_before_it_starts_never_shows(shop: Shop) -> None:
    await shop.add(milk("2.00", salePrice="1.50", saleStart="2026-08-21"))
    await shop.update({"barcode": BARCODE, "onSale": False})
    shop.clock.at = at("2026-08-21T10:00")
    assert await shown(shop) == ("2.00", None)
    assert "clock" not in [cause for cause, _ in await history(shop)]


async def test_a_price_is_first_proven_when_its_face_is_and_not_before(shop: Shop) -> None:
    await shop.add(milk("2.00"))
    await shop.send()
    assert (await current(shop))["first_proven_at"] is None
    before = shop.clock.at
    await shop.poll()
    assert (await current(shop))["first_proven_at"] > before


async def test_a_first_proof_is_not_moved_by_a_second_display(shop: Shop) -> None:
    await shop.add(milk("2.00"))
    await shop.work()
    first = (await current(shop))["first_proven_at"]
    await shop.bind({"SIM000002": [BARCODE]})
    await shop.work()
    assert (await shop.prices())["SIM000002"] == "2.00"
    assert (await current(shop))["first_proven_at"] == first


async def test_a_price_that_changes_no_face_is_proven_by_what_is_on_the_shelf_already(shop: Shop) -> None:
    await shop.add(milk("2.0001"))
    await shop.work()
    assert (await shop.add(milk("2.0002"))).tags == 0
    assert (await current(shop))["regular"] == 20_002
    assert (await current(shop))["first_proven_at"] is not None


async def test_a_price_that_changes_no_face_is_proven_with_the_update_under_way(shop: Shop) -> None:
    await shop.add(milk("2.0001"))
    await shop.send()
    await shop.add(milk("2.0002"))
    assert (await current(shop))["first_proven_at"] is None
    await shop.poll()
    assert all(row["first_proven_at"] for row in await shop.rows(tables.price_history))


async def test_a_sale_that_another_change_put_on_the_shelf_first_is_in_the_history_too(shop: Shop) -> None:
    """The stock changes in the seconds between the start of the sale and the turn of the clock."""
    await shop.add(milk("2.00", salePrice="1.50", saleStart="2026-08-21"))
    shop.clock.at = at("2026-08-21T00:00")
    await shop.update({"barcode": BARCODE, "stock": 7})
    assert (await shown(shop))[0] == "1.50"
    assert [effective for _, effective in await history(shop)] == [20_000, 15_000]
    assert (await current(shop))["first_proven_at"] is not None


async def test_a_display_driven_between_saving_and_planning_proves_no_price_that_it_does_not_show(shop: Shop) -> None:
    """One of two products, so that the display waits for the last push of the batch."""
    await shop.bind({"SIM000001": [BARCODE, "2"]})
    await shop.add(milk("2.00"), {"barcode": "2", "name": "Bread", "price": 1})
    await shop.work()
    wiped = tables.displays.update().where(tables.displays.c.address == "SIM000001").values(shown_digest=None)
    await shop.batch([milk("3.00")])
    saver = Saver(shop.ctx, shop.caller.store_id, "dead", shop.clock.at + MINUTE)
    await only_saved(saver, shop)
    await shop.ctx.db.write(lambda connection: connection.execute(wiped))
    await sync.reconcile(shop.ctx)
    await shop.send()
    await shop.poll()
    assert (await shop.prices())["SIM000001"] == "2.00"
    assert (await current(shop))["first_proven_at"] is None


async def only_saved(saver: Saver, shop: Shop) -> None:
    """As if the saver had died before it planned the faces of what it saved."""
    (batch,) = await shop.rows(tables.batches)
    (push,) = await shop.rows(tables.batch_pushes)
    await shop.ctx.db.write(saver._save_some, batch, [push], 0, {BARCODE: 0})


async def test_more_sales_than_one_transaction_takes_start_at_once(shop: Shop) -> None:
    sale = {"name": "Thing", "price": 2, "salePrice": 1, "saleStart": "2026-08-21"}
    for start in (0, 600):
        await shop.add(*({"barcode": str(start + n), **sale} for n in range(600)))
    shop.clock.at = at("2026-08-21T00:00")
    await sync.reconcile(shop.ctx)
    causes = [cause for cause, _ in await history(shop)]
    assert causes.count("clock") == 1200
