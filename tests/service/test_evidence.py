"""What did a display, or the shelf of a product, show at a time, proven by what; on both databases."""

from collections.abc import AsyncIterator

import pytest

from display_drivers.base import Proof, Report
from service import retention, sync
from service.auditing import Who
from service.context import Shelfcast
from service.errors import NotFoundError, ValidationError
from service.messages import Window
from service.messages.displays import Evidence
from service.shelves import displays, evidence
from service.shelves.displays import By
from service.store import chain_tables, tables
from tests.shop import MINUTE, Shop, milk, opened_shop

MILK = milk()["barcode"]
ONE, TWO = "SIM000001", "SIM000002"
DAY = 24 * 60 * MINUTE


@pytest.fixture
async def shop(ctx: Shelfcast) -> AsyncIterator[Shop]:
    async with opened_shop(ctx, displays=2) as shop:
        await shop.bind({ONE: [MILK]})
        yield shop


@pytest.fixture
def by(shop: Shop) -> By:
    return By("shop", Who(shop.caller.organisation_id, shop.caller.store_id, "token staff"))


async def at(shop: Shop, time: int, display: str = ONE) -> Evidence:
    return await evidence.of_display(shop.ctx, "shop", display, time)


def price(found: Evidence) -> str | None:
    return None if found.face is None else found.face.content["slots"][0]["price"]


async def hear(shop: Shop, update_id: str) -> None:
    await sync.hear(shop.ctx, await shop.line(), [Report(ONE, shop.clock(), update_id, Proof.DISPLAYED)])


async def ids(shop: Shop) -> list[str]:
    return [row["id"] for row in await shop.rows(tables.updates)]


async def test_a_proven_face_is_told_with_its_proof_and_its_cause(shop: Shop):
    session = await shop.batch([milk("1.10")])
    await shop.work()
    proven = await at(shop, shop.clock())
    assert (proven.known, proven.reason, price(proven)) == (True, "proven", "1.10")
    assert proven.proof
    assert proven.proof.level == "displayed"
    assert proven.proof.cause
    assert (proven.proof.cause.cause, proven.proof.cause.batch_id) == ("batch", session)
    (stated,) = proven.proof.cause.prices
    assert (stated.barcode, stated.effective, stated.cause_id) == (MILK, "1.10", session)
    assert (stated.push, stated.row, stated.token) == (0, 0, "pos")
    assert [(one.barcode, one.by) for one in proven.bound] == [(MILK, "test")]
    picture = await evidence.picture(shop.ctx, "shop", ONE, shop.clock())
    assert picture.startswith(b"\x89PNG")


async def test_between_the_push_and_its_proof_both_faces_are_possible(shop: Shop):
    await shop.add(milk("1.10"))
    await shop.work()
    proven = shop.clock()
    await shop.add(milk("1.20"))
    planned = shop.clock()
    await shop.send()
    sent = shop.clock()
    shop.clock.advance(MINUTE)
    await shop.work()
    first, before, between, after = [await at(shop, time) for time in (proven, planned, sent, shop.clock())]
    assert [price(one) for one in (first, before, between, after)] == ["1.10", "1.10", None, "1.20"]
    assert (between.known, between.reason, between.picture) == (False, "newer_sent", None)
    assert between.proof
    assert between.proof.face
    possible = [between.proof.face] + [one.face for one in between.sent if one.face]
    assert [face.content["slots"][0]["price"] for face in possible] == ["1.10", "1.20"]
    assert between.until
    with pytest.raises(NotFoundError, match="may have shown"):
        await evidence.picture(shop.ctx, "shop", ONE, sent)


async def test_before_the_first_proof_nothing_is_known_and_nothing_is_said_of_the_future(shop: Shop):
    early = await at(shop, shop.clock() - DAY)
    assert (early.known, early.reason, "registered later" in early.detail) == (False, "never_proven", True)
    unbound = await at(shop, shop.clock())
    assert "nothing was sent" in unbound.detail
    await shop.add(milk("1.10"))
    await shop.send()
    sent = await at(shop, shop.clock())
    assert (sent.known, len(sent.sent)) == (False, 1)
    with pytest.raises(ValidationError, match="to come"):
        await at(shop, shop.clock() + DAY)


async def test_late_and_repeated_reports_say_what_they_prove_and_no_more(shop: Shop):
    for amount in ("1.10", "1.20"):
        await shop.add(milk(amount))
        await shop.send()
    first, second = await ids(shop)
    await hear(shop, first)
    late = shop.clock()
    assert (await at(shop, late)).reason == "newer_sent"
    await hear(shop, second)
    proven = shop.clock()
    for update_id in (first, second, first):
        await hear(shop, update_id)
    assert price(await at(shop, shop.clock())) == "1.20"
    assert price(await at(shop, proven)) == "1.20"
    assert (await at(shop, late)).reason == "newer_sent"
    assert len(await shop.rows(tables.showings)) == 2


async def test_a_face_that_was_never_sent_is_no_possibility(shop: Shop):
    await shop.add(milk("1.10"))
    await shop.work()
    await shop.add(milk("1.20"))
    await shop.add(milk("1.10"))
    assert price(await at(shop, shop.clock())) == "1.10"


async def test_a_push_whose_answer_was_lost_is_a_possibility(shop: Shop):
    await shop.add(milk("1.10"))
    await shop.work()
    await shop.remote.change(lost_answers=1.0)
    await shop.add(milk("1.20"))
    await shop.send()
    assert (await at(shop, shop.clock())).reason == "newer_sent"


async def test_a_display_that_drifted_is_not_known_from_its_last_proof_on(shop: Shop):
    await shop.add(milk("1.10"))
    await shop.work()
    before = shop.clock()
    assert (await at(shop, before)).known
    now = shop.clock()
    await sync.hear(shop.ctx, await shop.line(), [Report(ONE, now, "another's", Proof.DISPLAYED)], now)
    assert (await at(shop, before)).reason == "fell_back"
    assert (await at(shop, shop.clock())).reason == "foreign"
    await shop.work(2)
    assert price(await at(shop, shop.clock())) == "1.10"


async def test_what_people_saw_otherwise_is_in_doubt_until_it_is_proven_anew(shop: Shop, by: By):
    await shop.add(milk("1.10"))
    await shop.work()
    before = shop.clock()
    await displays.resend(shop.ctx, by, ONE)
    doubted = shop.clock()
    assert (await at(shop, before)).known
    assert (await at(shop, doubted)).reason == "seen_otherwise"
    await shop.work()
    assert (await at(shop, shop.clock())).known
    assert (await at(shop, doubted)).reason == "seen_otherwise"


async def test_a_retired_display_is_known_until_it_was_retired(shop: Shop, by: By):
    await shop.add(milk("1.10"))
    await shop.work()
    before = shop.clock()
    await displays.retire(shop.ctx, by, ONE)
    assert (await at(shop, before)).known
    assert (await at(shop, shop.clock())).reason == "unheard"


async def test_the_shelf_of_a_product_is_every_display_that_it_was_bound_to_then(shop: Shop, by: By):
    await shop.add(milk("1.10"))
    await shop.work()
    alone = shop.clock()
    await displays.register(shop.ctx, by, displays.New("EXTRA", "g1", "296x128-BWR"))
    await displays.bind(shop.ctx, by, "EXTRA", MILK)
    both = shop.clock()
    await displays.unbind(shop.ctx, by, ONE)

    async def shelf(time: int) -> list[str]:
        store = shop.caller.store_id
        found = []
        cursor = None
        while True:
            page = await evidence.of_product(shop.ctx, store, MILK, time, Window(per_page=1, cursor=cursor))
            found += [one.address for one in page.data]
            cursor = page.meta.next
            if cursor is None:
                return found

    assert await shelf(alone) == [ONE]
    assert await shelf(both) == [ONE, "EXTRA"]
    assert await shelf(shop.clock()) == ["EXTRA"]


async def kept(shop: Shop) -> tuple[int, int, int]:
    tables_of = (tables.showings, tables.updates, chain_tables.display_events)
    showings, updates, events = [len(await shop.rows(table)) for table in tables_of]
    return showings, updates, events


async def test_old_history_goes_and_every_moment_of_the_kept_time_is_still_answered(shop: Shop):
    for amount in ("1.10", "1.20", "1.30"):
        session = await shop.batch([milk(amount), {"barcode": "bad row"}])
        await shop.work()
    old = shop.clock()
    shop.clock.advance(500 * DAY)
    await shop.add(milk("1.40"))
    await shop.work()
    begin = retention.kept_from(shop.ctx.settings, shop.clock())
    prices = len(await shop.rows(tables.price_history))
    before = price(await at(shop, begin + MINUTE))
    for _ in range(3):
        await retention.let_go(shop.ctx, shop.clock())
    showings, updates, _ = await kept(shop)
    assert (showings, updates) == (2, 2)
    assert price(await at(shop, begin + MINUTE)) == before == "1.30"
    assert price(await at(shop, shop.clock())) == "1.40"
    assert (await at(shop, old - MINUTE)).reason == "no_history"
    assert len(await shop.rows(tables.price_history)) == prices
    assert await shop.rows(tables.batch_errors) == []
    assert (await shop.status(session)).status == "completed"


async def test_what_is_young_stays(shop: Shop):
    for amount in ("1.10", "1.20", "1.30"):
        await shop.batch([milk(amount), {"barcode": "bad row"}])
        await shop.work()
    before = await kept(shop)
    shop.clock.advance(399 * DAY)
    await retention.let_go(shop.ctx, shop.clock())
    assert await kept(shop) == before
    assert len(await shop.rows(tables.batch_errors)) >= 3


async def test_what_was_sent_and_never_proven_stays_a_possibility_however_old(shop: Shop):
    await shop.add(milk("1.10"))
    await shop.work()
    await shop.remote.change(drop=1.0)
    await shop.add(milk("1.20"))
    await shop.send()
    await shop.add(milk("1.30"))
    shop.clock.advance(500 * DAY)
    await retention.let_go(shop.ctx, shop.clock())
    found = await at(shop, shop.clock())
    assert (found.reason, len(found.sent)) == ("newer_sent", 1)
