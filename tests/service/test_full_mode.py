"""Full mode: what the batch does not name goes off sale, under the store's guard."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from service import feed
from service.batch_saving import Saver
from service.context import opened
from service.core.guards import Guards
from service.settings import Settings
from service.store import tables
from tests.shop import MINUTE, Shop, opened_shop


@pytest.fixture
async def shop(on_sqlite: Settings) -> AsyncIterator[Shop]:
    async with opened(on_sqlite) as ctx, opened_shop(ctx, displays=4) as shop:
        await shop.bind({f"SIM00000{n}": [str(n)] for n in range(1, 4)})
        await shop.add(*goods(1, 2, 3))
        await shop.work()
        yield shop


def goods(*numbers: int) -> list[dict[str, Any]]:
    return [{"barcode": str(n), "name": f"Thing {n}", "price": f"{n}.00"} for n in numbers]


async def archived(shop: Shop) -> list[str]:
    return [row["barcode"] for row in await shop.rows(tables.products) if row["archived_at"]]


async def guard(shop: Shop, **limits: Any) -> None:
    change = tables.stores.update().values(guards=msgspec.json.encode(Guards(**limits)).decode())
    await shop.ctx.db.write(lambda connection: connection.execute(change))


async def started(shop: Shop) -> str:
    return (await feed.start(shop.ctx, shop.caller, None, "full", None)).session_id


async def completed(shop: Shop, session: str) -> None:
    await feed.complete(shop.ctx, shop.caller, session)
    await shop.save()


async def test_what_a_full_batch_does_not_name_is_archived_and_its_display_goes_blank(shop: Shop) -> None:
    session = await shop.batch(goods(1, 2), mode="full")
    await shop.work()
    status = await shop.status(session)
    assert (status.products_archived, status.products_unchanged, status.tags_total) == (1, 2, 1)
    assert (status.status, status.tags_confirmed) == ("completed", 1)
    assert (await archived(shop), (await shop.glass())["SIM000003"]["slots"]) == (["3"], [None])
    assert (await shop.prices())["SIM000001"] == "1.00"


async def test_an_archived_product_has_no_price_any_more_and_keeps_its_history(shop: Shop) -> None:
    await shop.batch(goods(1, 2), mode="full")
    await shop.work()
    history = [row for row in await shop.rows(tables.price_history) if row["barcode"] == "3"]
    assert [(row["cause"], row["effective"]) for row in history] == [("add", 30_000), ("archive", None)]
    assert all(row["first_proven_at"] for row in history)


async def test_an_archived_product_that_comes_again_is_created_and_shown(shop: Shop) -> None:
    await shop.batch(goods(1, 2), mode="full")
    await shop.work()
    assert (await shop.add(*goods(3))).created == 1
    await shop.work()
    assert (await shop.prices())["SIM000003"] == "3.00"


async def test_an_update_of_an_archived_product_does_not_bring_it_back(shop: Shop) -> None:
    await shop.batch(goods(1, 2), mode="full")
    await shop.work()
    answer = await shop.update({"barcode": "3", "price": "3.10"})
    assert (answer.rejected, answer.errors[0].code, await archived(shop)) == (1, "unknown_product", ["3"])


async def test_the_guard_holds_a_batch_that_would_archive_too_much_before_anything_is_saved(shop: Shop) -> None:
    await guard(shop, archive_at_least=1)
    session = await shop.batch([{"barcode": "1", "name": "Thing 1", "price": "9.99"}], mode="full")
    await shop.work()
    status = await shop.status(session)
    assert (status.status, status.products_saved, status.products_archived) == ("held", 0, 0)
    assert status.reason is not None
    assert "2 of 3" in status.reason
    assert ((await shop.prices())["SIM000001"], await archived(shop)) == ("1.00", [])


async def test_few_products_are_archived_whatever_share_they_are(shop: Shop) -> None:
    session = await shop.batch(goods(1), mode="full")
    await shop.work()
    assert ((await shop.status(session)).status, await archived(shop)) == ("completed", ["2", "3"])


async def test_an_empty_full_batch_is_held_like_any_other_that_archives_too_much(shop: Shop) -> None:
    await guard(shop, archive_at_least=2)
    session = await shop.batch(mode="full")
    await shop.work()
    assert ((await shop.status(session)).status, await archived(shop)) == ("held", [])


async def test_a_held_batch_can_be_cancelled_and_does_not_stand_in_the_way_of_others(shop: Shop) -> None:
    await guard(shop, archive_at_least=1)
    held = await shop.batch(goods(1), mode="full")
    await shop.save()
    await shop.batch(goods(4))
    await shop.save()
    assert [row["barcode"] for row in await shop.rows(tables.products)] == ["1", "2", "3", "4"]
    assert (await feed.cancel(shop.ctx, shop.caller, held)).status == "cancelled"


@pytest.mark.parametrize("first", ["add", "push"])
async def test_a_product_added_while_the_session_is_open_is_not_archived(shop: Shop, first: str) -> None:
    """Whether the file had begun to come already or not: it was made before the product."""
    session = await started(shop)
    if first == "push":
        await shop.push(session, *goods(1, 2, 3))
    await shop.add(*goods(4))
    if first == "add":
        await shop.push(session, *goods(1, 2, 3))
    await completed(shop, session)
    assert await archived(shop) == []


async def test_a_product_confirmed_by_another_feed_while_the_session_is_open_is_not_archived(shop: Shop) -> None:
    session = await started(shop)
    assert (await shop.add(*goods(3))).unchanged == 1
    await shop.push(session, *goods(1, 2))
    await completed(shop, session)
    assert await archived(shop) == []


async def test_a_product_added_while_an_empty_full_session_is_open_is_not_archived(shop: Shop) -> None:
    session = await started(shop)
    await shop.add(*goods(4))
    await completed(shop, session)
    assert await archived(shop) == ["1", "2", "3"]


async def test_a_product_that_comes_between_looking_and_archiving_is_not_archived(shop: Shop) -> None:
    session = await shop.batch(goods(1, 2), mode="full")
    await shop.add({**goods(3)[0], "price": "3.10"})
    saver = Saver(shop.ctx, shop.caller.store_id, "saver", shop.clock.at + MINUTE)
    await shop.ctx.db.write(saver._archive_some, session, ["3"])
    assert await archived(shop) == []


async def test_a_row_received_before_the_full_batch_does_not_bring_back_what_it_archived(shop: Shop) -> None:
    older = (await feed.start(shop.ctx, shop.caller, None, "merge", None)).session_id
    await shop.push(older, *goods(3))
    await completed(shop, await full(shop, 1, 2))
    await completed(shop, older)
    assert (await archived(shop), (await shop.status(older)).products_stale) == (["3"], 1)


async def full(shop: Shop, *numbers: int) -> str:
    session = await started(shop)
    await shop.push(session, *goods(*numbers))
    return session


async def test_a_product_whose_row_was_refused_is_named_and_not_archived(shop: Shop) -> None:
    session = await shop.batch([*goods(1, 2), {"barcode": " 3 ", "name": "Thing 3", "price": "cheap"}], mode="full")
    await shop.save()
    status = await shop.status(session)
    assert (status.products_rejected, status.products_archived, await archived(shop)) == (1, 0, [])


async def test_a_saver_that_stops_before_archiving_is_followed_by_one_that_archives(shop: Shop) -> None:
    session = await shop.batch(goods(1, 2), [], mode="full")
    saving = tables.batch_pushes.update().values(saved_at=shop.clock())
    await shop.ctx.db.write(lambda connection: connection.execute(saving))
    await shop.work()
    assert ((await shop.status(session)).products_archived, await archived(shop)) == (1, ["3"])
