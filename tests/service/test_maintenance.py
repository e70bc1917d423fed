"""Somebody works on a gateway: nothing is sent, nothing is spent, and afterwards everything goes on at once."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from structlog.testing import capture_logs

from service import sync
from service.auditing import Who
from service.context import Shelfcast
from service.gateways import maintenance
from service.shelves.shelf import display_states
from service.store import gateways, tables
from tests.shop import MINUTE, Shop, milk, opened_shop, until
from workers.reports import Ear

BARCODE = milk()["barcode"]
HERE, THERE = "SIM000001", "SIM000002"


@pytest.fixture
async def shop(ctx: Shelfcast) -> AsyncIterator[Shop]:
    """A display on each of two gateways, both showing the first price."""
    async with opened_shop(ctx, displays=2, gateways=2) as shop:
        await shop.bind({HERE: [BARCODE]}, gateway="g1")
        await shop.bind({THERE: [BARCODE]}, gateway="g2")
        await shop.add(milk("1.29"))
        await shop.work(2)
        yield shop


def who(shop: Shop) -> Who:
    return Who(shop.caller.organisation_id, shop.caller.store_id, "anna")


async def begin(shop: Shop) -> None:
    await maintenance.begin(shop.ctx, shop.caller.store_id, who(shop), "g1", "New firmware")


async def end(shop: Shop) -> None:
    await maintenance.end(shop.ctx, shop.caller.store_id, who(shop), "g1")


async def counts(shop: Shop) -> dict[str, int]:
    """What gateway g1 was asked so far."""
    return dict((await shop.remote.stats()).gateways[0].counts)


async def test_nothing_is_pushed_to_a_gateway_in_maintenance_and_everything_afterwards(shop: Shop) -> None:
    before = await counts(shop)
    await begin(shop)
    session = await shop.batch([milk("1.39")])
    await shop.work(3)
    assert (await counts(shop), await shop.prices()) == (before, {HERE: "1.29", THERE: "1.39"})
    update = next(row for row in await shop.rows(tables.updates) if row["phase"] == "PENDING")
    assert (update["attempts"], update["error"]) == (0, None)
    await end(shop)
    await shop.work()
    assert await shop.prices() == {HERE: "1.39", THERE: "1.39"}
    assert (await shop.status(session)).tags_confirmed == 2


async def test_its_displays_say_since_when_by_whom_and_why(shop: Shop) -> None:
    await begin(shop)
    session = await shop.batch([milk("1.39")])
    await shop.work()
    tag = (await shop.tags(session))[HERE]
    assert (tag.state, tag.reason) == ("pending", "gateway_in_maintenance")
    assert tag.detail is not None
    assert tag.detail.startswith("Gateway g1 is in maintenance since 20")
    assert "by anna: New firmware." in tag.detail
    states = {state.address: state async for state in display_states(shop.ctx, "shop")}
    assert (states[HERE].detail, states[THERE].detail) == (tag.detail, None)


async def test_no_batch_waits_for_it(shop: Shop) -> None:
    await begin(shop)
    session = await shop.batch([milk("1.39")])
    await shop.save()
    await shop.send("g2")
    assert (await shop.status(session)).phase == "verifying"


async def test_a_batch_that_waits_for_it_goes_on_when_maintenance_begins(shop: Shop) -> None:
    session = await shop.batch([milk("1.39")])
    await shop.save()
    await shop.send("g2")
    assert (await shop.status(session)).phase == "syncing"
    await begin(shop)
    await sync.reconcile(shop.ctx)
    assert (await shop.status(session)).phase == "verifying"


async def test_it_is_not_rung_for_polled_or_listened_to(shop: Shop) -> None:
    await shop.add(milk("1.39"))
    await shop.send()
    await begin(shop)
    await shop.add(milk("1.49"))
    shop.clock.advance(60 * MINUTE)
    mine = (shop.caller.store_id, shop.gateways["g1"])
    async with shop.ctx.db.read() as connection:
        for found in (gateways.with_due, gateways.to_poll, gateways.to_audit, gateways.unheard):
            assert mine not in await found(connection, shop.clock())
    assert await shop.lines.get(*mine) is None


async def test_a_line_that_is_open_already_sends_and_asks_nothing_more(shop: Shop) -> None:
    line = await shop.line("g1")
    await begin(shop)
    await shop.add(milk("1.39"))
    before = await counts(shop)
    assert not await sync.send_due(shop.ctx, line)
    shop.clock.advance(60 * MINUTE)
    await sync.ask(shop.ctx, line)
    await sync.ask(shop.ctx, line, audit=True)
    assert await counts(shop) == before


async def test_who_listens_to_it_lets_go_and_takes_it_up_again(shop: Shop) -> None:
    ear = asyncio.create_task(Ear(shop.ctx, shop.lines).run())

    async def heard(count: int) -> bool:
        return (await shop.remote.stats()).gateways[0].traffic.listeners == count

    await until(lambda: heard(1))
    line = await shop.line("g1")
    at = (line.at.store_id, line.at.gateway_id)
    await begin(shop)
    async with shop.ctx.db.read() as connection:
        holder = (await gateways.get(connection, *at) or {})["listener"]
    assert not await shop.ctx.db.write(gateways.lease, *at, "listener", holder, shop.clock(), shop.clock() + 1)
    await end(shop)
    assert await shop.ctx.db.write(gateways.lease, *at, "listener", holder, shop.clock(), shop.clock() + 1)
    ear.cancel()
    await asyncio.gather(ear, return_exceptions=True)


async def test_that_it_does_not_answer_is_no_news(shop: Shop) -> None:
    line = await shop.line("g1")
    await shop.remote.change("g1", reach="closed")
    await shop.add(milk("1.39"))
    await begin(shop)
    with capture_logs() as logged:
        await sync._note_silence(shop.ctx, line.at, TimeoutError())
    gateway = next(row for row in await shop.rows(tables.gateways) if row["name"] == "g1")
    assert gateway["unreachable_since"] is None
    assert "gateway_unreachable" not in [line["event"] for line in logged]


async def test_proof_that_is_overdue_when_it_begins_is_asked_for_before_anything_is_sent_again(shop: Shop) -> None:
    await shop.add(milk("1.39"))
    await shop.send()
    await begin(shop)
    shop.clock.advance(24 * 60 * MINUTE)
    await sync.reconcile(shop.ctx)
    mine = [row for row in await shop.rows(tables.updates) if row["gateway_id"] == shop.gateways["g1"]]
    assert [row["phase"] for row in mine] == ["CONFIRMED", "SENT"]
    before = (await counts(shop))["pushes"]
    await end(shop)
    await shop.ask("g1")
    await shop.send("g1")
    assert (await counts(shop))["pushes"] == before
    assert {row["phase"] for row in await shop.rows(tables.updates)} - {"PENDING"} == {"CONFIRMED"}


async def test_what_was_put_off_before_is_due_at_once_afterwards(shop: Shop) -> None:
    await shop.remote.change("g1", reach="closed")
    await shop.add(milk("1.39"))
    for _ in range(4):
        shop.clock.advance(MINUTE)
        await shop.send()
    await begin(shop)
    await shop.remote.change("g1", reach="up")
    await end(shop)
    await shop.send()
    await shop.settle()
    assert (await shop.prices())[HERE] == "1.39"


async def test_a_display_that_drifts_meanwhile_is_driven_right_afterwards(shop: Shop) -> None:
    await begin(shop)
    for price in ("1.39", "1.49"):
        await shop.add(milk(price))
        await shop.work()
    await end(shop)
    await shop.work()
    assert await shop.prices() == {HERE: "1.49", THERE: "1.49"}
    violations = (await shop.remote.stats()).violations
    assert violations == []
