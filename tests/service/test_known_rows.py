"""Rows of a batch that came before word for word: not read, and still never a wrong price."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from sqlalchemy import event

from service import feed
from service.context import Shelfcast
from service.core import staged
from service.core.product import Row
from service.core.row_rules import NOT_STATED
from service.messages import Window
from service.store import tables
from tests.shop import Shop, milk, opened_shop

BARCODE = milk()["barcode"]


@pytest.fixture
async def shop(ctx: Shelfcast) -> AsyncIterator[Shop]:
    async with opened_shop(ctx, displays=1) as shop:
        await shop.bind({"SIM000001": [BARCODE]})
        yield shop


async def night(shop: Shop, *rows: dict[str, Any], mode: str = "merge") -> tuple[int, int]:
    """A batch, from push to proof; how many products it left as they were, and how many displays it changed."""
    session = await shop.batch(list(rows), mode=mode)
    await shop.work()
    status = await shop.status(session)
    assert (status.status, status.products_rejected) == ("completed", 0)
    return status.products_unchanged, status.tags_total


async def shown(shop: Shop) -> str | None:
    return (await shop.prices())["SIM000001"]


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The barcodes of rows that are read while products are saved."""
    barcodes: list[str] = []
    parse = staged.parse

    def noting(held: Any, store: Any) -> Any:
        barcodes.extend(row.barcode for row in held)
        return parse(held, store)

    monkeypatch.setattr(staged, "parse", noting)
    return barcodes


async def test_the_same_words_are_not_read_again_and_change_nothing(shop: Shop, read: list[str]) -> None:
    bread = {"barcode": "2", "name": "Bread", "price": 1}
    assert await night(shop, milk("1.00"), bread) == (0, 1)
    assert await night(shop, milk("1.00"), bread) == (2, 0)
    assert await night(shop, milk("1.10"), bread) == (1, 1)
    assert (read, await shown(shop)) == ([BARCODE, "2", BARCODE], "1.10")


async def test_other_words_for_the_same_are_read_once(shop: Shop, read: list[str]) -> None:
    await night(shop, milk("1.00"))
    assert await night(shop, milk("1.000")) == (1, 0)
    assert await night(shop, milk("1.000")) == (1, 0)
    assert read == [BARCODE, BARCODE]


async def test_the_same_words_after_a_change_bring_their_price_back(shop: Shop) -> None:
    await night(shop, milk("1.00"))
    await shop.update({"barcode": BARCODE, "price": "2.00"})
    await shop.work()
    assert await shown(shop) == "2.00"
    assert await night(shop, milk("1.00")) == (0, 1)
    assert await shown(shop) == "1.00"


async def test_the_same_words_after_an_addition_bring_their_price_back(shop: Shop) -> None:
    await night(shop, milk("1.00"))
    await shop.add(milk("2.00"))
    assert await night(shop, milk("1.00")) == (0, 1)
    assert await shown(shop) == "1.00"


async def test_the_same_words_put_a_product_back_on_sale(shop: Shop) -> None:
    await night(shop, milk("1.00"), {"barcode": "2", "name": "Bread", "price": 1})
    await night(shop, {"barcode": "2", "name": "Bread", "price": 1}, mode="full")
    assert await shown(shop) is None
    await night(shop, milk("1.00"))
    assert await shown(shop) == "1.00"


async def test_the_same_words_mean_something_else_once_the_store_moves(shop: Shop) -> None:
    """The end of a sale is a day of the store's time zone."""
    sale = milk("2.00", salePrice="1.00", saleEnd="2026-12-31T23:30:00")
    await night(shop, sale)
    (before,) = await shop.rows(tables.products)
    moved = tables.stores.update().values(timezone="America/New_York")
    await shop.ctx.db.write(lambda connection: connection.execute(moved))
    await night(shop, sale)
    (after,) = await shop.rows(tables.products)
    assert after["content"] != before["content"]


async def test_an_older_row_of_the_same_words_is_stale(shop: Shop) -> None:
    await night(shop, milk("1.00"))
    waiting = await shop.batch([milk("1.00")])
    await shop.update({"barcode": BARCODE, "price": "2.00"})
    await shop.work()
    assert ((await shop.status(waiting)).products_stale, await shown(shop)) == (1, "2.00")


async def test_what_an_older_version_held_is_saved(shop: Shop) -> None:
    session = await shop.batch([milk("1.00")])
    rows = [Row(0, BARCODE, {**NOT_STATED, "name": "Milk 1 l", "price": 10_000})]
    as_before = tables.batch_pushes.update().values(rows=msgspec.json.encode(rows))
    await shop.ctx.db.write(lambda connection: connection.execute(as_before))
    await shop.work()
    assert ((await shop.status(session)).products_created, await shown(shop)) == (1, "1.00")
    assert await night(shop, milk("1.00")) == (1, 0)


async def test_a_row_that_is_refused_once_it_is_saved_is_counted_and_told(shop: Shop) -> None:
    euros = milk({"amount": "1.00", "currency": "EUR"}, currency="EUR")  # type: ignore[arg-type]
    session = await shop.batch([euros, {"barcode": "2", "name": "Bread", "price": 1}])
    moved = tables.stores.update().values(currency="USD")
    await shop.ctx.db.write(lambda connection: connection.execute(moved))
    await shop.work()
    status = await shop.status(session)
    assert (status.products_received, status.products_saved, status.products_rejected) == (2, 1, 1)
    told = await feed.errors(shop.ctx, shop.caller, session, Window())
    assert [(error.index, error.field) for error in told.data] == [(0, "price"), (0, "currency")]


async def test_pushes_that_change_nothing_share_a_transaction(shop: Shop) -> None:
    pushes = [[{"barcode": str(number), "name": "Thing", "price": 1}] for number in range(8)]
    await shop.batch(*pushes)
    await shop.save()
    await shop.batch(*pushes)
    engine = shop.ctx.db._writer.sync_engine
    commits: list[object] = []
    event.listen(engine, "commit", commits.append)
    await shop.save()
    assert len(commits) < len(pushes)
