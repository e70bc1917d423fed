"""Promises 2 and 5: one push in flight for each display, and never an older face after a newer one."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import pytest

from display_drivers.base import Data, DriverInfo, Outcome, Proof, Report, Update
from display_drivers.errors import UnreachableError
from service import pushing, sending, sync
from service.context import Shelfcast
from service.core.updates import Schedule
from service.pushing import Line
from service.sending import Claimed
from service.store import gateways, tables
from tests.shop import Shop, milk, opened_shop, until

BARCODE = milk()["barcode"]
LEASE = 15_000
PLAN = Schedule(5_000, 900_000, 10_000)


@pytest.fixture
async def shop(ctx: Shelfcast) -> AsyncIterator[Shop]:
    async with opened_shop(ctx, displays=2) as shop:
        await shop.bind({"SIM000001": [BARCODE]})
        yield shop


async def claim(shop: Shop, line: Line) -> list[Claimed]:
    """A claim that leaves the gateway to others, so that only the display's own lease is in their way."""
    now = shop.clock()
    claimed = await shop.ctx.db.write(sending.claim, line.at, 10, now, now + LEASE)
    await shop.ctx.db.write(gateways.release, line.at.store_id, line.at.gateway_id, "pusher", line.at.worker)
    return claimed


async def phases(shop: Shop) -> list[str]:
    return [row["phase"] for row in await shop.rows(tables.updates)]


async def push(line: Line, claimed: Sequence[Claimed]) -> list[Outcome]:
    """What a worker does after a claim and before it writes anything down."""
    sent = [Update(one.id, one.address, one.revision, pushing.face(line, one)) for one in claimed]
    return await line.driver.push(sent)


async def test_a_superseded_update_is_never_sent(shop: Shop) -> None:
    await shop.add(milk("1.00"))
    await shop.update({"barcode": BARCODE, "price": "1.10"})
    await shop.send()
    assert (await shop.pushed(), await phases(shop)) == (1, ["SUPERSEDED", "SENT"])
    assert [price for price in (await shop.prices()).values() if price] == ["1.10"]


async def test_a_display_is_not_claimed_while_a_push_of_a_superseded_update_may_be_in_the_air(shop: Shop) -> None:
    await shop.add(milk("1.00"))
    assert len(await claim(shop, await shop.line())) == 1
    await shop.update({"barcode": BARCODE, "price": "1.10"})
    assert await claim(shop, await shop.line()) == []
    shop.clock.advance(LEASE)
    (newer,) = await claim(shop, await shop.line())
    assert newer.revision == 2


async def test_an_outcome_does_not_change_an_update_that_was_superseded_meanwhile(shop: Shop) -> None:
    await shop.add(milk("1.00"))
    line = await shop.line()
    claimed = await claim(shop, line)
    await shop.update({"barcode": BARCODE, "price": "1.10"})
    outcomes = {claimed[0].id: Outcome(claimed[0].id, mark=claimed[0].id)}
    await shop.ctx.db.write(sending.record, line.at, claimed, outcomes, PLAN, shop.clock())
    assert await phases(shop) == ["SUPERSEDED", "PENDING"]
    assert len(await claim(shop, line)) == 1, "the display is free again"


async def test_the_late_outcome_of_one_worker_leaves_the_lease_of_another_alone(shop: Shop) -> None:
    await shop.add(milk("1.00"))
    slow, quick = await shop.line(), await shop.line()
    claimed = await claim(shop, slow)
    shop.clock.advance(LEASE)
    assert len(await claim(shop, quick)) == 1
    outcomes = {claimed[0].id: Outcome(claimed[0].id, UnreachableError("No answer."))}
    await shop.ctx.db.write(sending.record, slow.at, claimed, outcomes, PLAN, shop.clock())
    assert (await shop.display())["pusher"] == quick.at.worker


async def test_a_worker_that_dies_after_its_claim_is_followed_by_another(shop: Shop) -> None:
    await shop.add(milk("1.00"))
    dead = await shop.line()
    now = shop.clock()
    assert await shop.ctx.db.write(sending.claim, dead.at, 10, now, now + LEASE)
    await shop.send()
    assert await shop.pushed() == 0
    shop.clock.advance(LEASE)
    await shop.work()
    assert (await shop.prices())["SIM000001"] == "1.00"


async def test_a_worker_that_dies_after_its_push_costs_no_second_refresh(shop: Shop) -> None:
    await shop.add(milk("1.00"))
    dead = await shop.line()
    await push(dead, await claim(shop, dead))
    await shop.settle()
    shop.clock.advance(LEASE)
    await shop.work()
    counts = (await shop.remote.stats()).gateways[0].counts
    assert (counts["repeated"], counts["refreshes"]) == (1, 1)
    assert await phases(shop) == ["CONFIRMED"]


async def test_two_workers_never_exceed_what_the_gateway_allows(ctx: Shelfcast) -> None:
    limits = {"max_batch": 2, "max_in_flight": 2, "answer": 0.03, "time_scale": 1, "check_in": 0, "refresh_colour": 0}
    async with opened_shop(ctx, displays=12, transfer=0, refresh=0, **limits) as shop:
        await shop.bind({f"SIM0000{n:02}": [BARCODE] for n in range(1, 13)})
        await shop.add(milk("1.00"))
        await asyncio.gather(shop.send(), shop.send(), shop.send())
        traffic = (await shop.remote.stats()).gateways[0].traffic
        assert (traffic.max_in_flight, traffic.max_in_flight_per_display, await shop.pushed()) == (2, 1, 12)


async def test_of_a_large_claim_only_so_many_portions_are_on_their_way_at_once(ctx: Shelfcast) -> None:
    limits = {"max_batch": 1, "max_in_flight": 2, "answer": 0.03, "time_scale": 1, "check_in": 0, "refresh_colour": 0}
    async with opened_shop(ctx, displays=8, transfer=0, refresh=0, **limits) as shop:
        await shop.bind({f"SIM00000{n}": [BARCODE] for n in range(1, 9)})
        await shop.add(milk())
        line = await shop.line()
        claimed = await claim(shop, line)
        outcomes = await pushing.push(line, claimed)
        assert [outcome.error for outcome in outcomes.values()] == [None] * 8
        assert (await shop.remote.stats()).gateways[0].traffic.max_in_flight == 2


async def test_a_face_that_returns_while_another_is_in_the_air_is_sent_and_proven_anew(shop: Shop) -> None:
    await shop.add(milk("1.00"))
    await shop.work()
    await shop.update({"barcode": BARCODE, "price": "1.10"})
    await shop.send()
    await shop.update({"barcode": BARCODE, "price": "1.00"})
    assert (await phases(shop))[1:] == ["SUPERSEDED", "PENDING"]
    await shop.settle()
    await shop.poll(audit=True)
    assert (await shop.display())["shown_digest"] != (await shop.display())["desired_digest"]
    await shop.work()
    history = (await shop.remote.glass(history=True))["SIM000001"].history
    assert history is not None
    assert [shot.token for shot in history] == [row["id"] for row in await shop.rows(tables.updates)]
    assert ((await shop.prices())["SIM000001"], (await phases(shop))[2]) == ("1.00", "CONFIRMED")


async def test_a_face_that_returns_after_another_was_claimed_is_right_only_by_its_own_update(shop: Shop) -> None:
    """Its old proof says what the display showed before the push that may have left."""
    await shop.add(milk("1.00"))
    await shop.work()
    await shop.update({"barcode": BARCODE, "price": "1.10"})
    await claim(shop, await shop.line())
    back = await shop.batch([milk("1.00")])
    await shop.save()
    await shop.poll(audit=True)
    status = await shop.status(back)
    assert (status.tags_total, status.tags_confirmed, status.tags_pending) == (1, 0, 1)
    await shop.work()
    assert (await shop.status(back)).tags_confirmed == 1


async def test_a_push_that_was_given_up_and_lands_late_does_not_overtake_a_newer_one(ctx: Shelfcast) -> None:
    """A gateway that keeps no order, and answers long after the time-out: only we can keep the order."""
    slow = {"answer": 0.4, "send_timeout": 0.1, "keeps_order": False, "time_scale": 1, "max_in_flight": 2}
    instant = {"check_in": 0, "transfer": 0, "refresh_colour": 0}
    async with opened_shop(ctx, displays=1, **slow, **instant) as shop:
        await shop.bind({"SIM000001": [BARCODE]})
        await shop.add(milk("1.00"))
        await shop.send()
        await shop.remote.change(answer=0)
        await shop.update({"barcode": BARCODE, "price": "1.10"})
        shop.clock.advance(6_000)
        await shop.send()
        await until(lambda: shows(shop, "1.00"))
        await until(lambda: shows_after_work(shop, "1.10"), within=20)
        assert (await shop.remote.stats()).violations == []


async def shows(shop: Shop, price: str) -> bool:
    return (await shop.prices())["SIM000001"] == price


async def shows_after_work(shop: Shop, price: str) -> bool:
    """On a busy machine a push may be given up more than once."""
    await shop.work()
    return await shows(shop, price)


async def test_the_same_update_is_sent_again_without_waiting_for_the_lease(shop: Shop) -> None:
    """What may still be in the air is this very face."""
    await shop.add(milk("1.00"))
    await shop.remote.change(lost_answers=1)
    await shop.send()
    await shop.remote.change(lost_answers=0)
    shop.clock.advance(6_000)
    await shop.send()
    assert await phases(shop) == ["SENT"]


async def test_an_unreachable_gateway_costs_its_updates_no_attempt(shop: Shop) -> None:
    await shop.add(milk("1.00"))
    line = await shop.line()
    await shop.remote.change(reach="closed")
    for _ in range(3):
        shop.clock.advance(60_000)
        assert await sync.send_due(shop.ctx, line)
    (update,) = await shop.rows(tables.updates)
    assert (update["attempts"], update["phase"], update["error"]) == (0, "PENDING", "gateway_unreachable")


async def test_a_gateway_that_takes_the_request_and_never_answers_is_unreachable(ctx: Shelfcast) -> None:
    async with opened_shop(ctx, displays=1, send_timeout=0.1) as shop:
        await shop.bind({"SIM000001": [BARCODE]})
        await shop.add(milk("1.00"))
        line = await shop.line()
        await shop.remote.change(reach="silent")
        assert await sync.send_due(shop.ctx, line)
        (gateway,) = await shop.rows(tables.gateways)
        assert gateway["unreachable_since"] is not None


async def test_a_busy_gateway_costs_attempts_that_come_ever_more_rarely(shop: Shop) -> None:
    await shop.add(milk("1.00"))
    await shop.remote.change(busy=1)
    pauses = []
    for _ in range(4):
        await shop.send()
        (update,) = await shop.rows(tables.updates)
        pauses.append(round((update["due_at"] - shop.clock.at) / 1000))
        shop.clock.at = update["due_at"]
    assert (pauses, update["attempts"], update["error"]) == ([5, 10, 20, 40], 4, "busy")


class Stray:
    """A driver that does not keep its contract: what it answers, or raises, is given."""

    info = DriverInfo("stray", "data", Proof.DISPLAYED)

    def __init__(self, answer: list[Outcome] | Exception) -> None:
        self._answer = answer
        self.given: list[Update] = []
        self.asked = asyncio.Event()
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def push(self, updates: Sequence[Update]) -> list[Outcome]:
        self.given += updates
        self.asked.set()
        await self.may_answer.wait()
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer

    async def poll(self, _: Sequence[str]) -> list[Report]:
        return []


@pytest.mark.parametrize("answer", [[], RuntimeError("bug"), [Outcome("of another update")]])
async def test_a_driver_that_breaks_its_contract_costs_an_attempt_and_nothing_else(
    shop: Shop, answer: list[Outcome] | Exception
) -> None:
    await shop.add(milk("1.00"))
    stray = Stray(answer)
    assert await sync.send_due(shop.ctx, replace(await shop.line(), driver=stray))
    assert isinstance(stray.given[0].face, Data)
    (update,) = await shop.rows(tables.updates)
    assert (update["phase"], update["attempts"], update["error"]) == ("PENDING", 1, "transient")
    assert (await shop.display())["pusher"] is None


async def test_a_claim_is_kept_for_as_long_as_its_push_takes(shop: Shop) -> None:
    await shop.add(milk("1.00"))
    brief = replace(shop.ctx, settings=replace(shop.ctx.settings, lease=0.1))
    slow = Stray([])
    slow.may_answer.clear()
    sending_it = asyncio.create_task(sync.send_due(brief, replace(await shop.line(), driver=slow)))
    await slow.asked.wait()
    shop.clock.advance(LEASE)

    async def renewed() -> bool:
        return bool((await shop.display())["pusher_until"] >= shop.clock.at)

    await until(renewed)
    assert not await sync.send_due(shop.ctx, await shop.line())
    slow.may_answer.set()
    await sending_it


async def test_a_face_that_cannot_be_drawn_fails_alone(shop: Shop) -> None:
    await shop.bind({"SIM000002": ["2"]})
    await shop.add(milk("1.00"), {"barcode": "2", "name": "Bread", "price": 2})
    broken = (await shop.display("SIM000001"))["desired_digest"]
    damage = tables.faces.update().where(tables.faces.c.digest == broken).values(content="{}")
    await shop.ctx.db.write(lambda connection: connection.execute(damage))
    await shop.send()
    assert (await shop.prices())["SIM000002"] == "2.00"
    outcomes = {row["digest"]: (row["phase"], row["error"]) for row in await shop.rows(tables.updates)}
    assert outcomes.pop(broken) == ("FAILED", "frame_refused")
    assert [*outcomes.values()] == [("SENT", None)]


async def test_one_face_that_cannot_be_drawn_does_not_hide_that_the_gateway_is_away(shop: Shop) -> None:
    await shop.bind({"SIM000002": ["2"]})
    await shop.add(milk("1.00"), {"barcode": "2", "name": "Bread", "price": 2})
    damage = tables.faces.update().where(tables.faces.c.digest == (await shop.display())["desired_digest"])
    await shop.ctx.db.write(lambda connection: connection.execute(damage.values(content="{}")))
    line = await shop.line()
    await shop.remote.change(reach="closed")
    await sync.send_due(shop.ctx, line)
    (gateway,) = await shop.rows(tables.gateways)
    assert gateway["unreachable_since"] is not None


async def test_a_gateway_that_shows_a_higher_revision_gets_one_above_it(shop: Shop) -> None:
    """After a restore from backup, or behind another controller, the gateway counts further than we do."""
    line = await shop.line()
    await shop.add(milk("1.00"))
    (claimed,) = await claim(shop, line)
    foreign = Update("foreign", "SIM000001", 40, pushing.face(line, claimed))
    assert [outcome.error for outcome in await line.driver.push([foreign])] == [None]
    shop.clock.advance(LEASE)
    await shop.work(3)
    glass = (await shop.remote.glass())["SIM000001"]
    assert (glass.revision, await phases(shop)) == (41, ["FAILED", "CONFIRMED"])
