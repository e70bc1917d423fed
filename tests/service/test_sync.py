"""The spine, verb by verb, judged by the glass."""

from collections.abc import AsyncIterator

import pytest

from service.context import Shelfcast
from tests.shop import Shop, milk, opened_shop


@pytest.fixture
async def shop(ctx: Shelfcast) -> AsyncIterator[Shop]:
    async with opened_shop(ctx) as shop:
        await shop.bind({"SIM000001": ["4006381333931"]})
        yield shop


async def test_an_added_product_reaches_its_display_and_is_proven(shop: Shop) -> None:
    answer = await shop.add(milk("1.29"))
    assert (answer.created, answer.tags) == (1, 1)
    await shop.work()
    assert (await shop.prices())["SIM000001"] == "1.29"


async def test_a_batch_is_saved_sent_and_proven(shop: Shop) -> None:
    session = await shop.batch([milk("1.29")])
    await shop.work()
    status = await shop.status(session)
    assert (status.status, status.progress, status.tags_total, status.tags_confirmed) == ("completed", 100, 1, 1)
    assert status.proof.displayed == 1
    assert (await shop.prices())["SIM000001"] == "1.29"
