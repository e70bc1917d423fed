"""Promises 7 and 8: a gateway that does not answer delays its own displays, which say so, and nobody else's."""

from collections.abc import AsyncIterator

import pytest

from service import sync
from service.context import opened
from service.settings import Settings
from service.store import tables
from tests.shop import MINUTE, Shop, milk, opened_shop

NEAR, FAR, FAR_TOO = "SIM000001", "SIM000002", "SIM000004"


@pytest.fixture
async def shop(on_sqlite: Settings) -> AsyncIterator[Shop]:
    """g2 went away after it was first opened."""
    async with opened(on_sqlite) as ctx, opened_shop(ctx, displays=2, gateways=2) as shop:
        await shop.bind({NEAR: [milk()["barcode"]]})
        await shop.bind({FAR: [milk()["barcode"]]}, gateway="g2")
        await shop.line("g2")
        await shop.remote.change("g2", reach="closed")
        yield shop


async def tick(shop: Shop, minutes: float = 0.5) -> None:
    """A round of the workers; less than the minute at which a gateway that does not answer is tried again."""
    shop.clock.advance(int(minutes * MINUTE))
    for gateway in shop.gateways:
        await shop.send(gateway)
        await sync.ask(shop.ctx, await shop.line(gateway))
    await sync.reconcile(shop.ctx)


async def test_displays_of_a_dead_gateway_wait_with_that_reason_and_the_others_are_confirmed(shop: Shop) -> None:
    session = await shop.batch([milk()])
    await shop.save()
    await tick(shop)
    tags = await shop.tags(session)
    assert (tags[NEAR].state, tags[FAR].state, tags[FAR].reason) == ("confirmed", "pending", "gateway_unreachable")
    detail = tags[FAR].detail
    assert detail is not None
    assert "Gateway g2 has not answered since 20" in detail


async def test_the_phase_moves_on_once_the_gateway_has_been_away_for_two_minutes(shop: Shop) -> None:
    session = await shop.batch([milk()])
    await shop.save()
    phases = []
    for _ in range(6):
        await tick(shop)
        phases.append((await shop.status(session)).phase)
    assert phases == ["syncing"] * 4 + ["verifying"] * 2


async def test_a_batch_is_completed_with_what_is_not_confirmed_listed(shop: Shop) -> None:
    session = await shop.batch([milk()])
    await shop.save()
    for _ in range(9):
        await tick(shop, 1)
    status = await shop.status(session)
    assert (status.status, status.progress, status.tags_confirmed, status.tags_pending) == ("completed", 100, 1, 1)
    assert [address for address, tag in (await shop.tags(session)).items() if tag.state == "pending"] == [FAR]


async def test_a_display_that_is_proven_after_completion_is_counted(shop: Shop) -> None:
    session = await shop.batch([milk("1.29")])
    await shop.save()
    for _ in range(9):
        await tick(shop, 1)
    await shop.remote.change("g2", reach="up")
    await tick(shop, 1)
    await tick(shop, 1)
    status = await shop.status(session)
    assert (status.status, status.tags_sent, status.tags_confirmed, status.tags_pending) == ("completed", 2, 2, 0)
    assert (await shop.prices())[FAR] == "1.29"


async def test_a_later_batch_with_the_same_face_confirms_the_earlier_one_too(shop: Shop) -> None:
    """Whichever update proved it: here one that a detour over another price made necessary."""
    first = await shop.batch([milk("1.29")])
    await shop.save()
    await shop.remote.change("g2", reach="up")
    shop.clock.advance(MINUTE)
    await shop.send("g2")
    await shop.add(milk("1.39"))
    await shop.add(milk("1.29"))
    await shop.work(2)
    assert (await shop.tags(first))[FAR].state == "superseded"
    assert (await shop.prices())[FAR] == "1.29"


async def test_the_gateway_is_unreachable_since_it_first_did_not_answer_and_no_longer_once_it_does(shop: Shop) -> None:
    await shop.add(milk())
    await tick(shop)
    first = {row["name"]: row["unreachable_since"] for row in await shop.rows(tables.gateways)}
    await tick(shop, 2)
    assert {row["name"]: row["unreachable_since"] for row in await shop.rows(tables.gateways)} == first
    assert (first["g1"], first["g2"] is None) == (None, False)
    await shop.remote.change("g2", reach="up")
    await tick(shop, 2)
    assert [row["unreachable_since"] for row in await shop.rows(tables.gateways)] == [None, None]


async def test_a_gateway_that_cannot_be_opened_is_noted_as_unreachable(shop: Shop) -> None:
    await shop.lines.close()
    await shop.add(milk())
    await shop.send("g2")
    away = {row["name"]: row["error"] for row in await shop.rows(tables.gateways)}
    assert (away["g1"], "does not answer" in away["g2"]) == (None, True)


async def test_displays_of_a_retired_gateway_hold_no_phase_up(shop: Shop) -> None:
    session = await shop.batch([milk()])
    await shop.save()
    retired = tables.gateways.update().where(tables.gateways.c.name == "g2").values(retired_at=1)
    await shop.ctx.db.write(lambda connection: connection.execute(retired))
    await shop.send()
    assert (await shop.status(session)).phase == "verifying"


async def test_a_dead_gateway_is_left_alone_between_two_tries(shop: Shop) -> None:
    await shop.add(milk())
    await shop.send("g2")
    line = await shop.line("g2")
    assert not await sync.send_due(shop.ctx, line)
    shop.clock.advance(6_000)
    assert await sync.send_due(shop.ctx, line)


async def test_the_price_of_another_display_does_not_try_a_dead_gateway_before_its_time(shop: Shop) -> None:
    await shop.bind({FAR_TOO: ["7"]}, gateway="g2")
    await shop.add(milk())
    await shop.send("g2")
    await shop.add(milk() | {"barcode": "7"})
    line = await shop.line("g2")
    assert not await sync.send_due(shop.ctx, line)
    shop.clock.advance(6_000)
    assert await sync.send_due(shop.ctx, line)


async def test_a_batch_is_put_off_no_longer_than_that_by_a_gateway_that_is_always_busy(shop: Shop) -> None:
    await shop.remote.change("g2", reach="up", busy=1)
    session = await shop.batch([milk()])
    await shop.save()
    for _ in range(5):
        await tick(shop)
    assert (await shop.status(session)).phase == "verifying"
    assert (await shop.tags(session))[FAR].reason == "busy"
