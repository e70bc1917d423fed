"""What writers of one store do at once: nobody waits for whom it need not, and nobody meets in a deadlock."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from display_drivers.base import Report
from service import feed, sync
from service.context import Shelfcast
from service.errors import ConflictError
from service.ids import new_id
from service.pushing import Line
from service.store import database, products
from service.store.database import Connection
from tests.shop import MINUTE, Shop, opened_shop

ADDRESSES = [f"SIM0000{number:02}" for number in range(1, 25)]


pytestmark = pytest.mark.parametrize("settings", ["postgresql"], indirect=True)  # SQLite's writers take turns


@pytest.fixture
async def shop(ctx: Shelfcast) -> AsyncIterator[Shop]:
    async with opened_shop(ctx, displays=24, max_batch=6, max_in_flight=4) as shop:
        await shop.bind({address: [address] for address in ADDRESSES})
        yield shop


def goods(price: int) -> list[dict[str, object]]:
    return [{"barcode": address, "name": "Thing", "price": price} for address in ADDRESSES]


async def test_a_push_does_not_wait_for_a_saver_that_holds_the_store(shop: Shop) -> None:
    session = (await feed.start(shop.ctx, shop.caller, None, "merge", None)).session_id
    saving, pushed = asyncio.Event(), asyncio.Event()

    async def hold(connection: Connection) -> None:
        await products.lock_store(connection, shop.caller.store_id)
        saving.set()
        await asyncio.wait_for(pushed.wait(), 5)

    holder = asyncio.create_task(shop.ctx.db.write(hold))
    await saving.wait()
    answer = await asyncio.wait_for(shop.push(session, *goods(1)), 4)
    pushed.set()
    await holder
    assert answer.accepted == len(ADDRESSES)


async def test_writers_of_one_store_meet_in_no_deadlock(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which would be mended by a second try, a second later; so there are none here."""
    monkeypatch.setattr(database, "_TRY_AGAIN", set())
    lines = [await shop.line() for _ in range(3)]

    async def pos(price: int) -> None:
        await shop.add(*goods(price))
        session = await shop.batch(goods(price + 10)[:12], goods(price + 10)[12:])
        await sync.save_due(shop.ctx, shop.caller.store_id, new_id(), shop.clock.at + MINUTE)
        with contextlib.suppress(ConflictError):
            await feed.cancel(shop.ctx, shop.caller, session)

    async def worker(line: Line) -> None:
        for _ in range(8):
            await sync.send_due(shop.ctx, line)
            shop.clock.advance(int(shop.ctx.settings.poll_every * 1000))
            await sync.ask(shop.ctx, line)
            await sync.reconcile(shop.ctx)

    async def ear(line: Line) -> None:
        for _ in range(25):
            await sync.hear(shop.ctx, line, [Report(address, 0, battery=50) for address in ADDRESSES])

    await asyncio.gather(
        *(ear(line) for line in lines), *(pos(price) for price in range(1, 6)), *(worker(line) for line in lines)
    )
    shop.clock.advance(MINUTE)
    await shop.add(*goods(99))
    await shop.work(3)
    assert set((await shop.prices()).values()) == {"99.00"}
