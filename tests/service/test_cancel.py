"""Cancelling: open, nothing is saved; later, what is saved goes to the shelf, and what is not sent leaves the batch."""

from collections.abc import AsyncIterator

import pytest

from service import feed, sync
from service.batch_saving import Saver
from service.context import opened
from service.errors import ConflictError, SessionExpiredError
from service.settings import Settings
from service.store import tables
from tests.shop import MINUTE, Shop, opened_shop


@pytest.fixture
async def shop(on_sqlite: Settings) -> AsyncIterator[Shop]:
    async with opened(on_sqlite) as ctx, opened_shop(ctx, displays=4) as shop:
        await shop.bind({f"SIM00000{n}": [str(n)] for n in range(1, 5)})
        yield shop


def goods(*numbers: int) -> list[dict[str, str]]:
    return [{"barcode": str(n), "name": f"Thing {n}", "price": "1.00"} for n in numbers]


async def shown(shop: Shop) -> list[str]:
    """Numbers of the products whose price is on the glass."""
    return sorted(address[-1] for address, price in (await shop.prices()).items() if price)


async def test_an_open_session_that_is_cancelled_saves_nothing_and_says_so(shop: Shop) -> None:
    session = (await feed.start(shop.ctx, shop.caller, None, "merge", None)).session_id
    await shop.push(session, *goods(1, 2))
    status = await feed.cancel(shop.ctx, shop.caller, session)
    await shop.work()
    assert (status.status, status.products_saved, status.reason) == ("cancelled", 0, "Cancelled by the caller.")
    assert await shop.rows(tables.products) == []
    assert [row["rows"] for row in await shop.rows(tables.batch_pushes)] == [None]


async def test_a_batch_that_is_cancelled_before_it_is_saved_saves_nothing(shop: Shop) -> None:
    session = await shop.batch(goods(1, 2))
    await feed.cancel(shop.ctx, shop.caller, session)
    await shop.work()
    assert await shop.rows(tables.products) == []


async def test_cancelled_halfway_through_saving_what_is_saved_still_reaches_the_shelf(shop: Shop) -> None:
    session = await shop.batch(goods(1, 2), goods(3, 4))
    await sync.save_due(shop.ctx, shop.caller.store_id, "first", shop.clock.at + 4)
    status = await feed.cancel(shop.ctx, shop.caller, session)
    assert (status.status, status.products_saved) == ("cancelled", 2)
    await shop.work()
    assert await shown(shop) == ["1", "2"]
    status = await shop.status(session)
    assert (status.products_saved, status.tags_total, await shop.tags(session)) == (2, 0, {})


async def test_cancelled_halfway_through_planning_what_was_not_sent_leaves_the_batch(shop: Shop) -> None:
    session = await shop.batch(goods(1, 2, 3))
    saver = Saver(shop.ctx, shop.caller.store_id, "first", shop.clock.at + MINUTE)
    await saver.save(session)
    processing = tables.batches.update().values(phase="saving")  # as after a crash between planning and its end
    await shop.ctx.db.write(lambda connection: connection.execute(processing))
    shop.clock.advance(15_000)
    await feed.cancel(shop.ctx, shop.caller, session)
    await shop.work()
    status = await shop.status(session)
    assert (status.tags_total, status.tags_pending, await shown(shop)) == (0, 0, ["1", "2", "3"])


async def test_cancelled_while_sending_what_was_sent_stays_and_is_still_counted(shop: Shop) -> None:
    await shop.remote.change(busy=0.5)
    session = await shop.batch(goods(1, 2, 3, 4))
    await shop.save()
    await shop.send()
    sent = (await shop.status(session)).tags_sent
    assert 0 < sent < 4
    status = await feed.cancel(shop.ctx, shop.caller, session)
    assert (status.tags_total, status.tags_sent, status.tags_pending) == (sent, sent, sent)
    await shop.remote.change(busy=0)
    await shop.work(2)
    assert ((await shop.status(session)).tags_confirmed, await shown(shop)) == (sent, ["1", "2", "3", "4"])


async def test_cancelling_again_is_the_same_answer_and_a_finished_batch_cannot_be_cancelled(shop: Shop) -> None:
    session = await shop.batch(goods(1))
    assert await feed.cancel(shop.ctx, shop.caller, session) == await feed.cancel(shop.ctx, shop.caller, session)
    finished = await shop.batch(goods(1))
    await shop.work()
    with pytest.raises(ConflictError):
        await feed.cancel(shop.ctx, shop.caller, finished)


async def test_a_cancelled_session_takes_no_more(shop: Shop) -> None:
    session = (await feed.start(shop.ctx, shop.caller, None, "merge", None)).session_id
    await feed.cancel(shop.ctx, shop.caller, session)
    with pytest.raises(ConflictError):
        await shop.push(session, *goods(1))
    with pytest.raises(ConflictError):
        await feed.complete(shop.ctx, shop.caller, session)


async def test_a_session_is_expired_at_once_even_before_anybody_wrote_so(shop: Shop) -> None:
    session = (await feed.start(shop.ctx, shop.caller, None, "merge", None)).session_id
    await shop.push(session, *goods(1))
    shop.clock.advance(30 * MINUTE)
    assert (await shop.status(session)).status == "expired"
    for verb in (shop.push(session), feed.complete(shop.ctx, shop.caller, session)):
        with pytest.raises(SessionExpiredError):
            await verb
    with pytest.raises(SessionExpiredError):
        await feed.cancel(shop.ctx, shop.caller, session)


async def test_an_expired_session_saves_nothing_and_says_so(shop: Shop) -> None:
    session = (await feed.start(shop.ctx, shop.caller, None, "merge", None)).session_id
    await shop.push(session, *goods(1))
    shop.clock.advance(30 * MINUTE)
    await shop.work()
    (batch,) = await shop.rows(tables.batches)
    assert (batch["status"], batch["completed_at"] is None) == ("expired", False)
    assert (await shop.status(session)).reason == "Not completed in time: nothing of it was saved."
    assert await shop.rows(tables.products) == []
