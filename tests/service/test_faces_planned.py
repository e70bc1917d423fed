"""Promise 4: what does not change a face costs nothing; what does costs one refresh."""

from collections.abc import AsyncIterator

import pytest

from service.context import opened
from service.settings import Settings
from service.store import tables
from tests.shop import Shop, milk, opened_shop

BARCODE = milk()["barcode"]
BREAD = {"barcode": "2", "name": "Bread", "price": "2.00"}


@pytest.fixture
async def shop(on_sqlite: Settings) -> AsyncIterator[Shop]:
    async with opened(on_sqlite) as ctx, opened_shop(ctx) as shop:
        await shop.bind({"SIM000001": [BARCODE], "SIM000002": [BARCODE, "2"]})
        await shop.add(milk("1.29"), BREAD)
        await shop.work()
        yield shop


async def test_the_same_feed_again_pushes_nothing(shop: Shop) -> None:
    before = (await shop.remote.stats()).refreshes, await shop.pushed()
    session = await shop.batch([milk("1.29"), BREAD])
    await shop.work()
    status = await shop.status(session)
    assert (status.status, status.progress, status.tags_total, status.products_unchanged) == ("completed", 100, 0, 2)
    assert ((await shop.remote.stats()).refreshes, await shop.pushed()) == before


async def test_a_batch_that_changes_nothing_is_completed_as_soon_as_it_is_saved(shop: Shop) -> None:
    session = await shop.batch([milk("1.29")])
    await shop.save()
    assert (await shop.status(session)).status == "completed"


@pytest.mark.parametrize("unseen", [{"stock": 12}, {"category": "Dairy"}, {"sku": "A-1"}, {"attributes": {"aisle": 4}}])
async def test_a_field_that_no_face_shows_changes_the_product_and_pushes_nothing(
    shop: Shop, unseen: dict[str, object]
) -> None:
    before = await shop.pushed()
    answer = await shop.update({"barcode": BARCODE, **unseen})
    await shop.work()
    assert (answer.updated, answer.tags, await shop.pushed()) == (1, 0, before)


async def test_a_batch_counts_only_displays_whose_face_changes(shop: Shop) -> None:
    session = await shop.batch([milk("1.29", stock=12), {**BREAD, "price": "2.10"}])
    await shop.work()
    status = await shop.status(session)
    assert (status.status, status.products_updated, status.tags_total, status.tags_confirmed) == ("completed", 2, 1, 1)
    assert set(await shop.tags(session)) == {"SIM000002"}


async def test_a_display_with_two_changed_products_is_refreshed_once(shop: Shop) -> None:
    before = (await shop.remote.glass())["SIM000002"].refreshes
    session = await shop.batch([milk("1.39")], [{**BREAD, "price": "2.10"}])
    await shop.work()
    shown = (await shop.glass())["SIM000002"]["slots"]
    assert [slot["price"] for slot in shown] == ["1.39", "2.10"]
    assert (await shop.remote.glass())["SIM000002"].refreshes == before + 1
    assert (await shop.status(session)).tags_total == 2


@pytest.mark.parametrize("spelling", ["46.5", "46.50", 46.5, {"amount": "46.50", "currency": "EUR"}])
async def test_one_price_in_any_spelling_is_no_change(shop: Shop, spelling: object) -> None:
    await shop.add({**milk(), "price": "46.5"})
    answer = await shop.add({**milk(), "price": spelling})
    assert (answer.unchanged, answer.tags) == (1, 0)


async def test_a_price_that_returns_before_anything_was_sent_needs_no_update(shop: Shop) -> None:
    before = await shop.pushed()
    await shop.update({"barcode": BARCODE, "price": "1.49"})
    answer = await shop.update({"barcode": BARCODE, "price": "1.29"})
    await shop.work()
    assert (answer.tags, await shop.pushed()) == (2, before)
    assert not [row for row in await shop.rows(tables.updates) if row["phase"] in {"PENDING", "SENT"}]


async def test_a_batch_whose_face_is_on_the_glass_already_is_confirmed_without_a_push(shop: Shop) -> None:
    before = await shop.pushed()
    away = await shop.batch([milk("1.49")])
    await shop.save()
    back = await shop.batch([milk("1.29")])
    await shop.save()
    status = await shop.status(back)
    assert (status.status, status.tags_total, status.tags_sent, status.tags_confirmed) == ("completed", 2, 2, 2)
    assert ((await shop.status(away)).tags_superseded, (await shop.status(away)).status) == (2, "completed")
    assert await shop.pushed() == before


async def test_a_display_bound_before_its_product_exists_is_left_as_it_is(shop: Shop) -> None:
    await shop.bind({"SIM000003": ["later"]})
    await shop.work()
    assert (await shop.glass())["SIM000003"] is None
    await shop.add({"barcode": "later", "name": "Later", "price": 1})
    await shop.work()
    assert (await shop.prices())["SIM000003"] == "1.00"
