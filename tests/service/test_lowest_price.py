"""The lowest price of 30 days is what the whole history comes to, also where it is told without reading that."""

import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from service import sync
from service.auditing import by
from service.context import Shelfcast
from service.core.lowest import lowest
from service.core.money import exact_text
from service.messages.products import BY_BARCODE
from service.products import catalogue, editing
from service.products.catalogue import Named
from service.products.editing import Editor
from service.store import tables
from tests.shop import MINUTE, Shop, milk, opened_shop

DAY = 24 * 60 * MINUTE
MILK = Named(BY_BARCODE, milk()["barcode"])
STEPS = 30


@pytest.fixture
async def shop(ctx: Shelfcast) -> AsyncIterator[Shop]:
    async with opened_shop(ctx, displays=1) as shop:
        await shop.add(milk("2.00"))
        yield shop


async def told(shop: Shop) -> tuple[str | None, str | None]:
    """What the product's list says, and what its history comes to."""
    product = await catalogue.one(shop.ctx, catalogue.shop_of(shop.caller), MILK)
    rows = sorted(await shop.rows(tables.price_history), key=lambda row: row["id"], reverse=True)
    prices = [(row["effective"], row["effective_at"]) for row in rows]
    sale = int(product.now.price.replace(".", "")) * 100 if product.now.on_sale and product.now.price else None
    least = lowest(prices, shop.clock(), sale)
    archived = product.archived_at is not None
    return product.now.lowest_price_30_days, None if archived or least is None else exact_text(least)


def day(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat()


async def happen(shop: Shop, draw: random.Random) -> None:
    """A price, a sale that starts and ends by the clock, an archived product, or one that comes back; or nothing."""
    price, sale = draw.choice(["1.00", "2.00", "3.00"]), draw.choice(["0.50", "1.50"])
    start = shop.clock() + draw.randint(-20, 20) * DAY
    match draw.randint(0, 5):
        case 0:
            await shop.add(milk(price))
        case 1:
            end = start + draw.randint(1, 60) * DAY
            await shop.add(milk(price, salePrice=sale, saleStart=day(start), saleEnd=day(end)))
        case 2:
            editor = Editor(catalogue.shop_of(shop.caller), by(shop.caller))
            await draw.choice([editing.archive, editing.restore])(shop.ctx, editor, MILK)
        case 3:
            await sync.reconcile(shop.ctx)


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_happened_it_is_what_the_history_comes_to(shop: Shop, seed: int) -> None:
    draw = random.Random(seed)
    for step in range(STEPS):
        await happen(shop, draw)
        shop.clock.advance(draw.choice([1, 5, 15, 35]) * DAY)
        said, comes_to = await told(shop)
        assert said == comes_to, step
