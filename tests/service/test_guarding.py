from collections.abc import AsyncIterator

import pytest

from service.auditing import by
from service.batches import guarding
from service.context import Shelfcast
from service.errors import ConflictError, NotFoundError
from service.ids import new_id
from tests.shop import Shop, milk, opened_shop


@pytest.fixture
async def shop(ctx: Shelfcast) -> AsyncIterator[Shop]:
    async with opened_shop(ctx) as shop:
        await shop.add(*({"barcode": str(n), "name": "Bread", "price": "2.00"} for n in range(40)))
        yield shop


async def test_a_batch_that_would_empty_the_store_is_held_until_it_is_released(shop: Shop) -> None:
    session = await shop.batch([milk()], mode="full")
    await shop.save()
    held = await shop.status(session)
    assert (held.status, held.products_saved) == ("held", 0)
    assert held.reason is not None
    assert "40 of 40" in held.reason
    await guarding.release(shop.ctx, shop.caller.store_id, by(shop.caller), session)
    await shop.save()
    status = await shop.status(session)
    assert (status.status, status.products_created, status.products_archived) == ("completed", 1, 40)


async def test_only_a_held_batch_of_this_store_is_released(shop: Shop) -> None:
    session = await shop.batch([milk()])
    with pytest.raises(ConflictError):
        await guarding.release(shop.ctx, shop.caller.store_id, by(shop.caller), session)
    with pytest.raises(NotFoundError):
        await guarding.release(shop.ctx, shop.caller.store_id, by(shop.caller), new_id())
