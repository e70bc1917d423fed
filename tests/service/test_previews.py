"""A preview is what the glass shows, before it does."""

import io
from collections.abc import AsyncIterator

import pytest
from PIL import Image

from service import previews
from service.context import Shelfcast
from service.errors import NotFoundError, ValidationError
from tests.shop import Shop, milk, opened_shop

BARCODE, PANEL = milk()["barcode"], "296x128-BWR"


@pytest.fixture
async def shop(ctx: Shelfcast) -> AsyncIterator[Shop]:
    """Its displays take frames."""
    async with opened_shop(ctx, displays=2, takes="frame") as shop:
        await shop.bind({"SIM000001": [BARCODE], "SIM000002": ["2"]})
        yield shop


def pixels(picture: bytes) -> bytes:
    return Image.open(io.BytesIO(picture)).tobytes()


async def product(shop: Shop, barcode: str = BARCODE, panel: str = PANEL) -> bytes:
    return await previews.of_product(shop.ctx, shop.caller.store_id, barcode, panel)


async def display(shop: Shop, which: previews.Which, name: str = "SIM000001") -> bytes:
    return await previews.of_display(shop.ctx, shop.caller.store_id, name, which)


async def test_a_product_looks_as_the_display_that_comes_to_show_it(shop: Shop) -> None:
    await shop.add(milk("1.29"))
    before = pixels(await product(shop))
    assert pixels(await display(shop, "desired")) == before
    await shop.work()
    assert (await shop.glass())["SIM000001"] == before
    assert pixels(await display(shop, "shown")) == before


async def test_what_is_proven_is_told_from_what_should_be(shop: Shop) -> None:
    await shop.add(milk("1.29"))
    await shop.work()
    await shop.update({"barcode": BARCODE, "price": "1.49"})
    shown, desired = pixels(await display(shop, "shown")), pixels(await display(shop, "desired"))
    assert shown != desired == pixels(await product(shop))
    assert (await shop.glass())["SIM000001"] == shown


async def test_a_display_is_found_by_its_id_too(shop: Shop) -> None:
    await shop.add(milk())
    assert await display(shop, "desired", (await shop.display())["id"]) == await display(shop, "desired")


async def test_what_is_not_there_is_told_apart(shop: Shop) -> None:
    await shop.add(milk())
    with pytest.raises(NotFoundError, match="sells no product with the barcode 2"):
        await product(shop, "2")
    with pytest.raises(NotFoundError, match="no display SIM9"):
        await display(shop, "desired", "SIM9")
    with pytest.raises(NotFoundError, match="should show nothing"):
        await display(shop, "desired", "SIM000002")
    with pytest.raises(NotFoundError, match="not proven"):
        await display(shop, "shown")


async def test_what_is_no_panel_is_refused_with_the_form_to_write(shop: Shop) -> None:
    await shop.add(milk())
    with pytest.raises(ValidationError, match="296x128-BWR"):
        await product(shop, panel="large")


async def test_what_is_not_sold_any_more_has_no_label(shop: Shop) -> None:
    await shop.add(milk(), {"barcode": "3", "name": "Bread", "price": 1})
    await shop.batch([{"barcode": "3", "name": "Bread", "price": 1}], mode="full")
    await shop.save()
    with pytest.raises(NotFoundError, match="sells no product"):
        await product(shop)
