"""Promise 2, in the database: what was received earlier never overwrites what was received later."""

from collections.abc import AsyncIterator

import pytest

from service import feed
from service.context import Shelfcast
from service.store import tables
from tests.shop import Shop, milk, opened_shop


@pytest.fixture
async def shop(ctx: Shelfcast) -> AsyncIterator[Shop]:
    async with opened_shop(ctx, displays=1) as shop:
        await shop.bind({"SIM000001": [milk()["barcode"]]})
        yield shop


async def opened_session(shop: Shop) -> str:
    return (await feed.start(shop.ctx, shop.caller, None, "merge", None)).session_id


async def completed(shop: Shop, session: str) -> None:
    await feed.complete(shop.ctx, shop.caller, session)
    await shop.save()


async def price(shop: Shop) -> int:
    """The saved price in hundredths."""
    rows = await shop.rows(tables.price_history)
    ids = {row["price_id"] for row in await shop.rows(tables.products)}
    (current,) = [row for row in rows if row["id"] in ids]
    return current["regular"] // 100


async def test_a_push_completed_late_does_not_undo_a_newer_update(shop: Shop) -> None:
    await shop.add(milk("1.00"))
    session = await opened_session(shop)
    await shop.push(session, milk("1.12"))
    await shop.update({"barcode": milk()["barcode"], "price": "1.10"})
    await completed(shop, session)
    status = await shop.status(session)
    assert (status.products_stale, status.products_saved, await price(shop)) == (1, 0, 110)


async def test_a_newer_row_that_changed_nothing_still_makes_an_older_staged_one_stale(shop: Shop) -> None:
    await shop.add(milk("1.00"))
    session = await opened_session(shop)
    await shop.push(session, milk("1.12"))
    assert (await shop.update({"barcode": milk()["barcode"], "price": "1.00"})).unchanged == 1
    await completed(shop, session)
    assert ((await shop.status(session)).products_stale, await price(shop)) == (1, 100)


async def test_a_newer_batch_that_changed_nothing_makes_an_older_staged_row_stale_too(shop: Shop) -> None:
    await shop.add(milk("1.00"))
    older = await opened_session(shop)
    await shop.push(older, milk("1.12"))
    newer = await shop.batch([milk("1.00")])
    await shop.save()
    await completed(shop, older)
    assert (await shop.status(newer)).products_unchanged == 1
    assert ((await shop.status(older)).products_stale, await price(shop)) == (1, 100)


async def test_of_two_batches_the_one_pushed_last_wins_whichever_is_completed_last(shop: Shop) -> None:
    first, second = await opened_session(shop), await opened_session(shop)
    await shop.push(first, milk("1.11"))
    await shop.push(second, milk("1.22"))
    await completed(shop, second)
    await completed(shop, first)
    assert await price(shop) == 122


async def test_a_source_that_says_it_is_older_is_stale_although_it_came_later(shop: Shop) -> None:
    await shop.add(milk("1.30", sourceUpdatedAt="2026-11-22T10:00:00Z"))
    answer = await shop.add(milk("1.20", sourceUpdatedAt="2026-11-22T09:59:59Z"))
    assert (answer.stale, await price(shop)) == (1, 130)


async def test_a_newer_source_time_guards_even_where_the_price_is_the_same(shop: Shop) -> None:
    await shop.add(milk("1.30", sourceUpdatedAt="2026-11-22T10:00:00Z"))
    assert (await shop.add(milk("1.30", sourceUpdatedAt="2026-11-22T12:00:00Z"))).unchanged == 1
    assert (await shop.add(milk("1.20", sourceUpdatedAt="2026-11-22T11:00:00Z"))).stale == 1


async def test_the_last_row_of_a_barcode_wins_within_a_push_and_across_pushes(shop: Shop) -> None:
    session = await shop.batch([milk("1.01"), milk("1.02")], [milk("1.03")])
    await shop.save()
    status = await shop.status(session)
    assert (status.products_duplicate, status.products_created, await price(shop)) == (2, 1, 103)


async def test_sequence_orders_pushes_that_arrive_the_other_way_round(shop: Shop) -> None:
    session = await opened_session(shop)
    await shop.push(session, milk("1.02"), sequence=2)
    await shop.push(session, milk("1.01"), sequence=1)
    await completed(shop, session)
    assert ((await shop.status(session)).products_duplicate, await price(shop)) == (1, 102)


async def test_every_received_row_is_counted_exactly_once(shop: Shop) -> None:
    oil = {"barcode": "old", "name": "Oil"}
    await shop.add(milk(), {"barcode": "same", "name": "Salt", "price": 1}, {**oil, "price": 2})
    session = await opened_session(shop)
    await shop.push(session, {**oil, "price": 3}, milk("1.01"), {"barcode": "bad"})
    await shop.update({"barcode": "old", "price": 4})
    await shop.push(
        session,
        milk("1.02"),
        {"barcode": "same", "name": "Salt", "price": "1.00"},
        {"barcode": "new", "name": "Bread", "price": 2},
    )
    await completed(shop, session)
    status = await shop.status(session)
    counts = (status.products_created, status.products_updated, status.products_unchanged)
    assert counts == (1, 1, 1)
    assert (status.products_duplicate, status.products_stale, status.products_rejected) == (1, 1, 1)
    assert (status.products_received, status.products_saved) == (6, 3)


async def test_a_row_refused_against_the_product_it_would_change_is_rejected_alone(shop: Shop) -> None:
    await shop.add(milk("1.00"))
    answer = await shop.update({"barcode": "unknown", "price": 1}, {"barcode": milk()["barcode"], "price": "1.10"})
    assert (answer.accepted, answer.rejected, answer.updated) == (1, 1, 1)
    assert [(error.index, error.barcode, error.code) for error in answer.errors] == [(0, "unknown", "unknown_product")]
