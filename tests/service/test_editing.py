"""Products changed by hand while others change them too: nothing is lost, nothing comes back, and displays follow."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from service import auditing
from service.context import Shelfcast
from service.errors import ConflictError
from service.messages import Window
from service.messages.products import BY_BARCODE, ChangedProduct, ProductDisplay
from service.products import catalogue, editing
from service.products.catalogue import Named
from service.products.editing import Editor, StockChange
from service.store import tables
from tests.shop import Shop, milk, opened_shop, raw

MILK = Named(BY_BARCODE, milk()["barcode"])


@pytest.fixture
async def shop(ctx: Shelfcast) -> AsyncIterator[Shop]:
    async with opened_shop(ctx, displays=2) as shop:
        await shop.bind({"SIM000001": [milk()["barcode"]]})
        yield shop


def editor(shop: Shop) -> Editor:
    return Editor(catalogue.shop_of(shop.caller), auditing.by(shop.caller))


async def patched(shop: Shop, **fields: Any) -> ChangedProduct:
    body = {name: msgspec.Raw(msgspec.json.encode(value)) for name, value in fields.items()}
    return await editing.patch(shop.ctx, editor(shop), MILK, body)


async def counted(shop: Shop, by: str, **how: Any) -> str | None:
    return (await editing.change_stock(shop.ctx, editor(shop), MILK, StockChange(True, by, **how))).stock


async def stored(shop: Shop) -> dict[str, Any]:
    (row,) = await shop.rows(tables.products)
    return row


async def test_a_display_follows_every_change_and_the_answer_says_how_many(shop: Shop):
    made = await editing.create(shop.ctx, editor(shop), raw(milk("1.29")))
    assert made.displays == 1
    await shop.work()
    assert (await shop.prices())["SIM000001"] == "1.29"
    assert (await patched(shop, price="1.09")).displays == 1
    await shop.work()
    assert (await shop.prices())["SIM000001"] == "1.09"
    assert (await patched(shop, sku="7")).displays == 0
    assert (await editing.archive(shop.ctx, editor(shop), MILK)).displays == 1
    await shop.work()
    assert (await shop.prices())["SIM000001"] is None
    assert (await editing.restore(shop.ctx, editor(shop), MILK)).displays == 1
    await shop.work()
    assert (await shop.prices())["SIM000001"] == "1.09"
    assert (await editing.restore(shop.ctx, editor(shop), MILK)).displays == 0


async def test_the_first_proof_of_a_price_is_told_and_where_it_is_shown(shop: Shop):
    await editing.create(shop.ctx, editor(shop), raw(milk()))
    (waiting,) = await shown(shop)
    assert (waiting.address, waiting.slot, waiting.right, waiting.reason) == ("SIM000001", 0, False, "waiting")
    await shop.work()
    (right,) = await shown(shop)
    assert (right.right, right.proof, right.reason, right.unbound_at) == (True, "displayed", None, None)
    assert right.shown_at is not None
    (price,) = (await catalogue.prices(shop.ctx, catalogue.shop_of(shop.caller), MILK, Window())).data
    assert price.first_proven_at is not None


async def test_where_a_product_was_shown_is_told_on_demand(shop: Shop):
    await editing.create(shop.ctx, editor(shop), raw(milk()))
    await shop.bind({"SIM000001": ["other"], "SIM000002": [milk()["barcode"]]})
    assert [one.address for one in await shown(shop)] == ["SIM000002"]
    ended = await shown(shop, ended=True)
    assert [(one.address, one.unbound_at is None, one.bound_by) for one in ended] == [
        ("SIM000002", True, "test"),
        ("SIM000001", False, "test"),
    ]


async def shown(shop: Shop, *, ended: bool = False) -> list[ProductDisplay]:
    whose = catalogue.shop_of(shop.caller)
    return (await catalogue.displays(shop.ctx, whose, MILK, Window(), ended=ended)).data


async def test_adjustments_at_the_same_time_add_up(shop: Shop):
    await shop.add(milk(stock="100"))
    await asyncio.gather(*(counted(shop, by) for by in ["-0.1", "2.5", "-3"] * 10))
    assert (await patched(shop)).product.stock == "94"


async def test_an_adjustment_that_is_repeated_at_the_same_time_counts_once(shop: Shop):
    await shop.add(milk(stock="100"))
    answers = await asyncio.gather(*(counted(shop, "-1", key="till-1", body_hash="a") for _ in range(5)))
    assert answers == ["99"] * 5
    shop.clock.advance(editing.ANSWERED_FOR + 1000)
    assert await counted(shop, "-1", key="till-2", body_hash="b") == "98"
    assert await counted(shop, "-1", key="till-1", body_hash="a") == "97"  # forgotten by now


async def test_of_two_that_create_a_product_at_once_one_is_told_of_the_other(shop: Shop):
    both = [editing.create(shop.ctx, editor(shop), raw(milk(price))) for price in ("1.29", "1.39")]
    outcomes = await asyncio.gather(*both, return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["ChangedProduct", "ConflictError"]
    (price,) = await shop.rows(tables.price_history)
    (made,) = [outcome for outcome in outcomes if isinstance(outcome, ChangedProduct)]
    assert (await stored(shop))["price_id"] == price["id"]
    assert made.product.price == {12900: "1.29", 13900: "1.39"}[price["regular"]]


async def test_a_batch_that_was_pushed_before_does_not_bring_an_archived_product_back(shop: Shop):
    await shop.add(milk())
    await shop.batch([milk("9.99"), {"barcode": "2", "name": "Two", "price": 2}])
    saving, archiving = shop.save(), editing.archive(shop.ctx, editor(shop), MILK)
    await asyncio.gather(saving, archiving)
    rows = {row["barcode"]: row["archived_at"] for row in await shop.rows(tables.products)}
    assert rows[milk()["barcode"]] is not None
    assert rows["2"] is None


async def test_a_batch_that_is_pushed_afterwards_does(shop: Shop):
    await shop.add(milk())
    await editing.archive(shop.ctx, editor(shop), MILK)
    await shop.batch([milk("9.99")])
    await shop.save()
    assert (await stored(shop))["archived_at"] is None
    changes = (await catalogue.changes(shop.ctx, catalogue.shop_of(shop.caller), MILK, Window())).data
    assert [(one.cause, one.fields[0].field, one.fields[0].after) for one in changes] == [
        ("batch", "archived", False),
        ("archive", "archived", True),
    ]
    assert (changes[0].push, changes[0].row) == (0, 0)


async def test_a_row_that_was_received_before_a_change_by_hand_does_not_undo_it(shop: Shop):
    await shop.add(milk())
    await shop.batch([milk("9.99")])
    await patched(shop, price="1.00")
    await shop.save()
    assert (await patched(shop)).product.price == "1.00"


async def test_a_restored_product_is_not_archived_by_a_full_batch_that_was_started_before(shop: Shop):
    await shop.add(milk())
    await editing.archive(shop.ctx, editor(shop), MILK)
    await shop.batch([{"barcode": "2", "name": "Two", "price": 2}], mode="full")
    await editing.restore(shop.ctx, editor(shop), MILK)
    await shop.save()
    assert {row["barcode"]: row["archived_at"] for row in await shop.rows(tables.products)}[milk()["barcode"]] is None


async def test_the_same_row_of_last_night_is_known_after_archive_and_restore(shop: Shop):
    await shop.batch([milk()])
    await shop.save()
    await editing.archive(shop.ctx, editor(shop), MILK)
    await editing.restore(shop.ctx, editor(shop), MILK)
    session = await shop.batch([milk()])
    await shop.save()
    assert (await shop.status(session)).products_unchanged == 1
    with pytest.raises(ConflictError):
        await editing.create(shop.ctx, editor(shop), raw(milk()))


async def test_a_sale_that_ended_while_a_product_was_archived_is_over_when_it_is_restored(shop: Shop):
    await shop.add(milk("2.00", salePrice="1.00", saleEnd="2100-01-01"))
    await editing.archive(shop.ctx, editor(shop), MILK)
    shop.clock.at = 4_200_000_000_000  # 2103
    restored = await editing.restore(shop.ctx, editor(shop), MILK)
    assert (restored.product.now.price, restored.product.sale_price) == ("2.00", "1.00")
    assert (await stored(shop))["next_change_at"] is None


async def test_lists_find_a_product_under_its_new_name_and_category(shop: Shop):
    await shop.add(milk(category="Dairy", brand="Old"))
    for change in ({"name": "Oat drink"}, {"category": "Drinks"}, {"brand": "New"}, {"sku": "Z9"}, {"price": 3}):
        await shop.update({"barcode": milk()["barcode"], **change})
    row = await stored(shop)
    assert (row["name"], row["category"], row["search"]) == (
        "Oat drink", "Drinks", "\n".join(["oat drink", milk()["barcode"], "z9", "new"]),
    )  # fmt: skip
