"""A batch whose displays are not all confirmed is driven again at once, and what is proven is left alone."""

from collections.abc import AsyncIterator

import pytest

from display_drivers.base import Panel
from service import feed, sync
from service.auditing import Who
from service.batches import retrying
from service.context import Shelfcast
from service.errors import ConflictError, NotFoundError
from service.gateways import maintenance
from service.ids import new_id
from service.messages.batches import Retried
from service.store import chain_tables, tables
from tests.shop import Shop, opened_shop

RIGHT, LOST = "SIM000001", "NEW000001"


@pytest.fixture
async def shop(ctx: Shelfcast) -> AsyncIterator[Shop]:
    """Two displays, one of which the gateway does not know yet."""
    async with opened_shop(ctx, displays=1) as shop:
        await shop.bind({RIGHT: ["1"], LOST: ["2"]})
        yield shop


def goods(price: str) -> list[dict[str, str]]:
    return [{"barcode": number, "name": f"Thing {number}", "price": price} for number in ("1", "2")]


def who(shop: Shop) -> Who:
    return Who(shop.caller.organisation_id, shop.caller.store_id, "anna")


async def retried(shop: Shop, session: str) -> tuple[int, int, int]:
    """Unconfirmed displays; of these, set going, and on their way."""
    done: Retried = await retrying.retry(shop.ctx, shop.caller.store_id, who(shop), session)
    return done.displays, done.retried, done.under_way


async def failed(shop: Shop) -> str:
    """A batch of whose displays one is confirmed and one was refused."""
    session = await shop.batch(goods("1.00"))
    await shop.save()
    await shop.send()
    await shop.settle()
    await shop.ask()
    status = await shop.status(session)
    assert (status.tags_confirmed, status.tags_failed) == (1, 1)
    return session


async def test_what_failed_is_tried_again_at_once_and_confirmed_where_it_was_mended(shop: Shop) -> None:
    session = await failed(shop)
    await shop.remote.add_named_displays("g1", [(LOST, Panel(296, 128, "BWR"))])
    pushed = await shop.pushed()
    assert await retried(shop, session) == (1, 1, 0)
    status = await shop.status(session)
    assert (status.tags_confirmed, status.tags_failed, status.tags_pending) == (1, 0, 1)
    await shop.send()
    await shop.settle()
    await shop.ask()
    status = await shop.status(session)
    assert (status.tags_confirmed, status.tags_failed, status.tags_pending) == (2, 0, 0)
    assert (await shop.pushed() - pushed, (await shop.prices())[LOST]) == (1, "1.00")


async def test_what_was_not_mended_fails_again_and_is_counted_once(shop: Shop) -> None:
    session = await failed(shop)
    await retried(shop, session)
    await shop.send()
    status = await shop.status(session)
    assert (status.tags_confirmed, status.tags_failed, status.tags_pending) == (1, 1, 0)
    assert (await shop.tags(session))[LOST].reason == "unknown_display"


async def test_once_more_at_once_changes_nothing(shop: Shop) -> None:
    session = await failed(shop)
    assert await retried(shop, session) == (1, 1, 0)
    before = await shop.rows(tables.updates)
    assert await retried(shop, session) == (1, 0, 1)
    assert await shop.rows(tables.updates) == before
    log = [row["action"] for row in await audit(shop)]
    assert log == ["batch.retried"]


async def audit(shop: Shop) -> list[dict[str, str]]:
    return [row for row in await shop.rows(chain_tables.audit) if row["action"].startswith("batch.")]


async def test_a_batch_whose_displays_are_all_proven_is_left_alone(shop: Shop) -> None:
    await shop.remote.add_named_displays("g1", [(LOST, Panel(296, 128, "BWR"))])
    session = await shop.batch(goods("1.00"))
    await shop.work()
    pushed = await shop.pushed()
    assert await retried(shop, session) == (0, 0, 0)
    await shop.work()
    assert await shop.pushed() == pushed


async def test_a_display_that_has_a_newer_face_is_not_driven_back(shop: Shop) -> None:
    session = await failed(shop)
    await shop.add(*goods("2.00"))
    assert await retried(shop, session) == (0, 0, 0)


async def test_what_was_handed_over_just_now_is_left_alone_and_sent_again_once_it_was_asked_for(shop: Shop) -> None:
    await shop.remote.change("g1", drop=1)
    session = await shop.batch(goods("1.00")[:1])
    await shop.save()
    await shop.send()
    assert await retried(shop, session) == (1, 0, 1)
    shop.clock.advance(int(shop.ctx.settings.poll_every * 1000))
    await shop.remote.change("g1", drop=0)
    assert await retried(shop, session) == (1, 1, 0)
    await shop.send()
    await shop.settle()
    await shop.ask()
    assert (await shop.status(session)).tags_confirmed == 1


async def test_a_gateway_that_did_not_answer_is_tried_at_once(shop: Shop) -> None:
    line = await shop.line()
    await shop.remote.change("g1", reach="closed")
    session = await shop.batch(goods("1.00")[:1])
    await shop.save()
    await shop.send()
    await shop.remote.change("g1", reach="up")
    assert not await sync.send_due(shop.ctx, line)
    assert await retried(shop, session) == (1, 1, 0)
    assert await sync.send_due(shop.ctx, line)


async def test_displays_of_a_gateway_in_maintenance_wait_all_the_same(shop: Shop) -> None:
    session = await failed(shop)
    await maintenance.begin(shop.ctx, shop.caller.store_id, who(shop), "g1", "New firmware")
    pushed = await shop.pushed()
    assert await retried(shop, session) == (1, 1, 0)
    await shop.send()
    assert await shop.pushed() == pushed


async def test_only_a_batch_of_this_store_that_was_saved_is_tried_again(shop: Shop) -> None:
    session = (await feed.start(shop.ctx, shop.caller, None, "merge", None)).session_id
    with pytest.raises(ConflictError, match="complete it first"):
        await retried(shop, session)
    for unknown in (new_id(), "x", "\0"):
        with pytest.raises(NotFoundError):
            await retried(shop, unknown)
