"""A batch that would change most prices by more than half is held, before anything of it is saved."""

import datetime as dt
import random
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from service import feed
from service.auditing import Who
from service.batches import guarding
from service.batches.price_guard import Choice
from service.context import Shelfcast
from service.core.guards import ENOUGH, Guards
from service.demo import feed as demo
from service.store import batches, products, tables
from tests.shop import Shop, opened_shop


@pytest.fixture
async def shop(ctx: Shelfcast) -> AsyncIterator[Shop]:
    async with opened_shop(ctx, displays=1) as shop:
        yield shop


def goods(count: int, price: str = "2.50", first: int = 0, **more: Any) -> list[dict[str, Any]]:
    return [
        {"barcode": f"P{number:05}", "name": f"Thing {number}", "price": price, **more}
        for number in range(first, first + count)
    ]


async def saved(shop: Shop, *pushes: list[dict[str, Any]], mode: str = "merge") -> Any:
    """The status of a batch of these pushes after saving."""
    session = await shop.batch(*pushes, mode=mode)
    await shop.save()
    return await shop.status(session)


async def set_guards(shop: Shop, **limits: Any) -> None:
    kept = msgspec.json.encode(Guards(**limits)).decode()
    await shop.ctx.db.write(lambda connection: connection.execute(tables.stores.update().values(guards=kept)))


async def prices(shop: Shop) -> set[int]:
    return {row["effective"] for row in await shop.rows(tables.price_history)}


@pytest.mark.parametrize("mode", ["merge", "full"])
async def test_prices_in_cents_are_held_and_nothing_of_them_is_saved(shop: Shop, mode: str) -> None:
    await shop.add(*goods(40))
    status = await saved(shop, goods(40, "250"), mode=mode)
    assert (status.status, status.phase, status.products_saved) == ("held", None, 0)
    assert "40 of 40 products" in (status.reason or "")
    assert await prices(shop) == {25_000}


async def test_a_released_batch_is_saved_and_its_guard_stays_on_record(shop: Shop) -> None:
    await shop.add(*goods(40))
    session = (await saved(shop, goods(40, "250"))).session_id
    who = Who(shop.caller.organisation_id, shop.caller.store_id, "anna")
    await guarding.release(shop.ctx, shop.caller.store_id, who, session)
    await shop.save()
    status = await shop.status(session)
    assert (status.status, status.products_updated) == ("completed", 40)
    row = next(row for row in await shop.rows(tables.batches) if row["id"] == session)
    assert (row["guard"], row["released_by"]) == ("price", "anna")


async def test_the_first_file_of_a_store_is_never_held(shop: Shop) -> None:
    assert (await saved(shop, goods(1000), goods(1000, first=1000))).products_created == 2000


async def test_a_first_file_that_names_what_was_added_by_hand_is_not_held_for_new_products(shop: Shop) -> None:
    await shop.add(*goods(30))
    status = await saved(shop, goods(1000), goods(1000, first=1000))
    assert (status.status, status.products_created, status.products_unchanged) == ("completed", 1970, 30)


async def test_few_products_may_cost_anything(shop: Shop) -> None:
    await shop.add(*goods(19))
    assert (await saved(shop, goods(19, "250"))).status == "completed"


async def test_half_of_the_products_may_change_by_more(shop: Shop) -> None:
    await shop.add(*goods(40))
    assert (await saved(shop, goods(20, "250"), goods(20, first=20))).status == "completed"


async def test_a_rise_of_half_is_no_mistake(shop: Shop) -> None:
    await shop.add(*goods(40))
    assert (await saved(shop, goods(40, "3.75"))).status == "completed"


async def test_products_off_sale_are_not_compared(shop: Shop) -> None:
    await shop.add(*goods(40))
    archived = tables.products.update().values(archived_at=1)
    await shop.ctx.db.write(lambda connection: connection.execute(archived))
    assert (await saved(shop, goods(40, "250"))).products_created == 40


async def test_what_counts_is_the_price_that_the_shopper_pays_now(shop: Shop) -> None:
    await shop.add(*goods(40, salePrice="2.00"))
    assert (await saved(shop, goods(40, "250", salePrice="2.10"))).status == "completed"
    assert (await saved(shop, goods(40, "250"))).status == "held"


async def test_a_sale_that_starts_later_is_not_a_change_yet(shop: Shop) -> None:
    await shop.add(*goods(40))
    assert (await saved(shop, goods(40, salePrice="0.50", saleStart="2199-01-01"))).status == "completed"


async def test_the_last_row_of_a_barcode_counts(shop: Shop) -> None:
    await shop.add(*goods(40))
    assert (await saved(shop, goods(40, "250"), goods(40))).status == "completed"
    assert (await saved(shop, goods(40), goods(40, "250"))).status == "held"


async def test_rows_that_are_stale_change_nothing(shop: Shop) -> None:
    session = (await feed.start(shop.ctx, shop.caller, None, "merge", None)).session_id
    await shop.push(session, *goods(40, "250"))
    await shop.add(*goods(40))
    await feed.complete(shop.ctx, shop.caller, session)
    await shop.save()
    status = await shop.status(session)
    assert (status.status, status.products_stale) == ("completed", 40)


async def test_rows_that_cannot_be_are_refused_as_ever(shop: Shop) -> None:
    await shop.add(*goods(40))
    rows = [{**row, "saleStart": "2026-02-02", "saleEnd": "2026-02-01", "salePrice": "1.00"} for row in goods(40)]
    assert (await saved(shop, rows)).products_rejected == 40


async def test_limits_are_the_stores_own(shop: Shop) -> None:
    await shop.add(*goods(40))
    await set_guards(shop, price_percent=10, price_change=10, price_at_least=3)
    assert (await saved(shop, goods(40, "2.76"))).status == "held"
    await set_guards(shop, price_percent=100)
    assert (await saved(shop, goods(40, "250"))).status == "completed"


def large(changed: int, price: str = "250") -> list[list[dict[str, Any]]]:
    """Three pushes, the changed ones first, as a file sorted by anything has them."""
    rows = goods(changed, price) + goods(3 * 800 - changed, first=changed)
    return [rows[start : start + 800] for start in range(0, len(rows), 800)]


@pytest.mark.parametrize(("changed", "status"), [(0, "completed"), (1100, "completed"), (1201, "held"), (2400, "held")])
async def test_a_large_batch_is_counted_exactly_where_a_look_at_some_rows_leaves_a_doubt(
    shop: Shop, changed: int, status: str
) -> None:
    await saved(shop, *large(0))
    found = await saved(shop, *large(changed))
    assert found.status == status
    if status == "held":
        assert f"{changed} of 2400 products" in (found.reason or "")


async def test_rows_are_chosen_by_chance_and_the_same_each_time(shop: Shop) -> None:
    pushes = large(0)
    session = await shop.batch(*pushes)
    async with shop.ctx.db.read() as connection:
        batch = await batches.get(connection, shop.caller.store_id, session)
    assert batch is not None

    def chosen() -> list[tuple[int, int]]:
        choice = Choice(batch)
        for place, rows in enumerate(pushes):
            held = b"[" + b",".join(msgspec.json.encode(row) for row in rows) + b"]"
            named = [(index, row["barcode"]) for index, row in enumerate(rows)]
            choice.look(place, {"first_seq": 1}, held, named)  # type: ignore[arg-type]
        return [(place, one.row.place) for place, some in choice.pushes for one in some]

    first = chosen()
    assert first == chosen()
    assert (len(first), len(set(first))) == (ENOUGH, ENOUGH)
    assert {place for place, _ in first} == {0, 1, 2}


async def test_a_nightly_file_is_let_go_on_after_a_look_at_some_of_it(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    await saved(shop, *large(0))
    asked: list[int] = []
    look = products.on_sale_now

    async def counted(connection: Any, store_id: int, barcodes: Any) -> Any:
        asked.append(len(barcodes))
        return await look(connection, store_id, barcodes)

    monkeypatch.setattr(products, "on_sale_now", counted)
    assert (await saved(shop, *large(24))).status == "completed"
    assert asked == [ENOUGH]


async def test_the_demo_stores_second_day_is_not_held(shop: Shop) -> None:
    today = dt.datetime.now(dt.UTC).date()
    days = [[msgspec.json.decode(line) for line in demo(day, today).splitlines()] for day in (1, 2)]
    for rows in days:
        pushes = [rows[start : start + 1000] for start in range(0, len(rows), 1000)]
        assert (await saved(shop, *pushes)).status == "completed"


async def test_a_night_of_many_small_changes_and_a_few_large_ones_is_not_held(shop: Shop) -> None:
    """As price lists change from one day to the next: a third by some percent, a tenth on promotion or off it."""
    chance = random.Random(7)
    day = goods(900)
    await saved(shop, day)
    for _ in range(3):
        night = []
        for row in day:
            factor = chance.choices(("1", "1.05", "0.95", "0.4", "2.5"), (60, 15, 15, 6, 4))[0]
            night.append({**row, "price": str((Decimal(row["price"]) * Decimal(factor)).quantize(Decimal("0.01")))})
        assert (await saved(shop, night)).status == "completed"
        day = [{**row, "price": max(row["price"], "0.10")} for row in night]
