"""The single verbs of a shop floor, judged by the database and by the glass; on both databases."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from display_drivers.base import Proof, Report
from service import sync
from service.auditing import Who
from service.context import Shelfcast
from service.errors import ConflictError, NotFoundError, ValidationError
from service.messages import Window
from service.messages.displays import DisplayDetail
from service.shelves import blinking, display_history, displays, shelf
from service.shelves.display_history import Asked
from service.shelves.displays import By, New
from service.shelves.shelf import Asked as Filter
from service.store import chain_tables, tables
from service.store.shelf_lists import Wanted
from tests.shop import MINUTE, Shop, milk, opened_shop

MILK, BREAD = milk()["barcode"], "BREAD"
ONE, TWO, THREE = "SIM000001", "SIM000002", "SIM000003"


@pytest.fixture
async def shop(ctx: Shelfcast) -> AsyncIterator[Shop]:
    """Milk on the first of three displays, proven there; the other two are unbound."""
    async with opened_shop(ctx) as shop:
        await shop.bind({ONE: [MILK], TWO: [], THREE: []})
        await shop.add(milk(), milk(barcode=BREAD, name="Bread", price="2.49"))
        await shop.work()
        yield shop


@pytest.fixture
def by(shop: Shop) -> By:
    return By("shop", Who(shop.caller.organisation_id, shop.caller.store_id, "token staff"))


async def slots(shop: Shop) -> dict[str, int]:
    return {row["address"]: row["bound"] for row in await shop.rows(tables.displays)}


async def test_a_slot_that_shows_another_product_says_what_since_when_and_by_whom(shop: Shop, by: By):
    with pytest.raises(ConflictError) as refused:
        await displays.bind(shop.ctx, by, ONE, BREAD)
    assert refused.value.members
    bound = refused.value.members["bound"]
    assert (bound["barcode"], bound["slot"], bound["by"]) == (MILK, 0, "test")
    assert bound["since"] in refused.value.detail
    taken = await displays.bind(shop.ctx, by, ONE, BREAD, takeover=True)
    assert [one.barcode for one in taken.bound] == [BREAD]


async def test_of_two_who_bind_one_slot_at_once_one_is_told_of_the_other(shop: Shop, by: By):
    both = [displays.bind(shop.ctx, by, TWO, barcode) for barcode in (MILK, BREAD)]
    won, lost = sorted(await asyncio.gather(*both, return_exceptions=True), key=lambda one: isinstance(one, Exception))
    assert isinstance(won, DisplayDetail)
    assert isinstance(lost, ConflictError)
    assert lost.members
    assert lost.members["bound"]["barcode"] == won.bound[0].barcode
    assert (await slots(shop))[TWO] == 1


async def test_of_two_takeovers_at_once_the_last_one_stays_and_the_history_of_all(shop: Shop, by: By):
    both = [displays.bind(shop.ctx, by, ONE, barcode, takeover=True) for barcode in ("X", BREAD)]
    await asyncio.gather(*both)
    rows = [row for row in await shop.rows(tables.bindings) if row["slot"] == 0]
    assert len([row for row in rows if row["unbound_at"] is None]) == 1
    assert {row["barcode"] for row in rows} == {MILK, "X", BREAD}
    assert (await slots(shop))[ONE] == 1


async def test_unbinding_draws_the_display_empty(shop: Shop, by: By):
    await displays.unbind(shop.ctx, by, ONE)
    assert (await slots(shop))[ONE] == 0
    await shop.work()
    assert (await shop.prices())[ONE] is None


async def test_a_display_is_registered_once(shop: Shop, by: By):
    made = await displays.register(shop.ctx, by, New("NEW1", "g1", "296x128-BWR"))
    assert (made.address, made.gateway, made.bound, made.right) == ("NEW1", "g1", [], True)
    with pytest.raises(ConflictError, match="registered already"):
        await displays.register(shop.ctx, by, New("NEW1", "g1", "296x128-BWR"))
    for wrong in (New("NEW2", "g9", "296x128-BWR"), New("NEW2", "g1", "wide"), New(" ", "g1", "296x128-BWR")):
        with pytest.raises(ValidationError):
            await displays.register(shop.ctx, by, wrong)
    with pytest.raises(NotFoundError, match="template"):
        await displays.register(shop.ctx, by, New("NEW2", "g1", "296x128-BWR", "nobody's"))


async def test_a_template_of_its_own_changes_its_face_and_is_taken_back(shop: Shop, by: By):
    before = (await displays.one(shop.ctx, "shop", ONE)).desired_digest
    changed = await displays.change(shop.ctx, by, ONE, None, None, "minimal")
    assert (changed.template, changed.desired_digest == before) == ("minimal", False)
    back = await displays.change(shop.ctx, by, ONE, None, None, None)
    assert (back.template, back.desired_digest) == (None, before)


async def test_a_broken_display_is_swapped_in_one_call(shop: Shop, by: By):
    await displays.change(shop.ctx, by, ONE, None, None, "minimal")
    new = await displays.swap(shop.ctx, by, ONE, TWO)
    old = await displays.one(shop.ctx, "shop", ONE)
    assert (new.address, [one.barcode for one in new.bound], new.template) == (TWO, [MILK], "minimal")
    assert (old.bound, old.replaced_by, old.retired_by) == ([], new.display_id, "token staff")
    assert await slots(shop) == {ONE: 0, TWO: 1, THREE: 0}
    await shop.work()
    assert (await shop.prices())[TWO] == "1.29"
    both = [await display_history.of_display(shop.ctx, "shop", name, Asked(), Window()) for name in (ONE, TWO)]
    assert all("swapped" in {entry.kind for entry in page.data} for page in both)
    assert "showing" in {entry.kind for entry in both[0].data}


async def test_nothing_takes_a_place_that_is_taken(shop: Shop, by: By):
    await displays.bind(shop.ctx, by, TWO, BREAD)
    with pytest.raises(ConflictError) as refused:
        await displays.swap(shop.ctx, by, ONE, TWO)
    assert refused.value.members
    assert refused.value.members["bound"]["barcode"] == BREAD
    with pytest.raises(ConflictError, match="own place"):
        await displays.swap(shop.ctx, by, ONE, ONE)
    assert (await displays.one(shop.ctx, "shop", ONE)).retired_at is None


async def test_a_frame_in_the_air_for_the_old_display_proves_nothing_for_the_new_one(shop: Shop, by: By):
    session = await shop.batch([milk("1.99")])
    await shop.save()
    await shop.send()
    sent = next(row for row in await shop.rows(tables.updates) if row["phase"] == "SENT")
    await displays.swap(shop.ctx, by, ONE, TWO)
    now = shop.clock()
    late = [Report(address, now, sent["id"], Proof.DISPLAYED) for address in (ONE, TWO)]
    await sync.hear(shop.ctx, await shop.line(), late)
    new = await displays.one(shop.ctx, "shop", TWO)
    assert (new.right, new.shown_digest) == (False, None)
    assert (await shop.status(session)).tags_superseded == 1
    await shop.work()
    assert (await displays.one(shop.ctx, "shop", TWO)).right
    assert (await shop.status(session)).status == "completed"


async def test_retiring_drops_what_was_on_its_way_and_completes_its_batch(shop: Shop, by: By):
    session = await shop.batch([milk("1.99")])
    await shop.save()
    retired = await displays.retire(shop.ctx, by, ONE)
    assert (retired.retired_by, retired.bound) == ("token staff", [])
    assert await slots(shop) == {ONE: 0, TWO: 0, THREE: 0}
    pushed = await shop.pushed()
    await shop.work(2)
    assert await shop.pushed() == pushed
    status = await shop.status(session)
    assert (status.status, status.tags_superseded) == ("completed", 1)
    assert await displays.retire(shop.ctx, by, ONE) == retired
    with pytest.raises(ConflictError, match="retired"):
        await displays.bind(shop.ctx, by, ONE, MILK)


async def test_a_push_in_flight_while_a_display_is_retired_leaves_it_as_it_is(shop: Shop, by: By):
    """And once it is back, it is drawn empty, whatever landed meanwhile."""
    await shop.add(milk("1.99"))
    line = await shop.line()
    answered, go_on = asyncio.Event(), asyncio.Event()
    push = line.driver.push

    async def slow(updates: Any) -> Any:
        outcomes = await push(updates)
        answered.set()
        await go_on.wait()
        return outcomes

    line.driver.push = slow  # type: ignore[method-assign]
    sending = asyncio.create_task(sync.send_due(shop.ctx, line))
    await answered.wait()
    await displays.retire(shop.ctx, by, ONE)
    go_on.set()
    await sending
    line.driver.push = push  # type: ignore[method-assign]
    await shop.settle()
    await shop.ask(audit=True)
    assert (await shop.prices())[ONE] == "1.99"
    retired = await displays.one(shop.ctx, "shop", ONE)
    assert retired.unconfirmed
    assert (await updates_of(shop, ONE))[-1]["phase"] == "SUPERSEDED"
    await displays.restore(shop.ctx, by, ONE)
    shop.clock.advance(MINUTE)
    await shop.work(2)
    assert (await shop.prices())[ONE] is None
    assert (await displays.one(shop.ctx, "shop", ONE)).right


async def updates_of(shop: Shop, address: str) -> list[dict[str, Any]]:
    id_ = (await shop.display(address))["id"]
    return [row for row in await shop.rows(tables.updates) if row["display_id"] == id_]


async def test_a_display_that_people_see_otherwise_is_sent_its_face_again_and_is_wrong_until_then(shop: Shop, by: By):
    pushed = await shop.pushed()
    before = await displays.one(shop.ctx, "shop", ONE)
    doubted = await displays.resend(shop.ctx, by, ONE)
    assert (before.right, doubted.right, doubted.unconfirmed) == (True, False, True)
    assert [one.address for one in (await listed(shop, wrong=True))] == [ONE]
    await shop.work()
    after = await displays.one(shop.ctx, "shop", ONE)
    assert (after.right, after.desired_digest) == (True, before.desired_digest)
    assert await shop.pushed() == pushed + 1
    with pytest.raises(ConflictError, match="nothing of ours"):
        await displays.resend(shop.ctx, by, TWO)


async def test_the_report_of_the_old_push_does_not_end_the_doubt(shop: Shop, by: By):
    await displays.resend(shop.ctx, by, ONE)
    old = (await updates_of(shop, ONE))[0]["id"]
    now = shop.clock()
    await sync.hear(shop.ctx, await shop.line(), [Report(ONE, now, old, Proof.DISPLAYED)], now)
    assert not (await displays.one(shop.ctx, "shop", ONE)).right


async def listed(
    shop: Shop, *, offline: bool = False, gateway: str | None = None, **wanted: Any
) -> list[DisplayDetail]:
    filters = Filter(Wanted(**wanted), gateway, offline)
    found: list[DisplayDetail] = []
    cursor = None
    while True:
        page = await shelf.page(shop.ctx, shop.caller.store_id, filters, Window(per_page=1, cursor=cursor))
        found += page.data
        cursor = page.meta.next
        if cursor is None:
            return found


async def test_every_filter_finds_its_displays_page_by_page(shop: Shop, by: By):
    await displays.bind(shop.ctx, by, TWO, BREAD)
    await displays.retire(shop.ctx, by, THREE)
    line = await shop.line()
    await sync.hear(shop.ctx, line, [Report(ONE, 1, battery=7)])
    by_filter = {
        "": {},
        "wrong": {"wrong": True},
        "retired": {"retired": True},
        "low": {"low_battery": True},
        "unbound": {"unbound": True},
        "unconfirmed": {"unconfirmed": True},
        "bread": {"barcode": BREAD},
        "bread and wrong": {"barcode": BREAD, "wrong": True},
        "address": {"address": ONE},
        "by address": {"by_address": True},
        "gateway": {"gateway": "g1"},
        "offline": {"offline": True},
    }
    found = {name: [one.address for one in await listed(shop, **how)] for name, how in by_filter.items()}
    assert found == {
        "": [ONE, TWO],
        "wrong": [TWO],
        "retired": [THREE],
        "low": [ONE],
        "unbound": [],
        "unconfirmed": [],
        "bread": [TWO],
        "bread and wrong": [TWO],
        "address": [ONE],
        "by address": [ONE, TWO],
        "gateway": [ONE, TWO],
        "offline": [],
    }
    with pytest.raises(NotFoundError, match="g9"):
        await listed(shop, gateway="g9")


async def test_displays_of_gateways_that_do_not_answer_are_listed(ctx: Shelfcast):
    async with opened_shop(ctx, displays=4, gateways=2) as shop:
        for name, address in (("g1", ONE), ("g2", TWO)):
            await shop.bind({address: [MILK]}, gateway=name)
        assert await listed(shop, offline=True) == []
        await shop.remote.change("g2", reach="closed")
        await shop.add(milk())
        await shop.send("g2")
        assert [one.address for one in await listed(shop, offline=True)] == [TWO]
        assert [one.address for one in await listed(shop, offline=True, by_address=True)] == [TWO]
        await shop.remote.change("g1", reach="closed")
        await shop.send("g1")
        assert [one.address for one in await listed(shop, offline=True)] == [ONE, TWO]


async def test_a_light_is_flashed_once_by_whoever_has_the_line(shop: Shop, by: By):
    asked = await blinking.ask(shop.ctx, by, ONE, 5)
    assert asked.state == "waiting"
    await asyncio.gather(*[blinking.flash_due(shop.ctx, await shop.line()) for _ in range(2)])
    done = await blinking.status(shop.ctx, "shop", ONE, asked.blink_id)
    assert (done.state, done.detail) == ("flashed", None)
    assert (await shop.remote.glass([ONE]))[ONE].blinks == 1
    with pytest.raises(NotFoundError):
        await blinking.status(shop.ctx, "shop", TWO, asked.blink_id)


async def test_a_light_that_nobody_flashed_within_a_minute_is_given_up(shop: Shop, by: By):
    asked = await blinking.ask(shop.ctx, by, ONE, 5)
    shop.clock.advance(MINUTE + 1)
    assert (await blinking.status(shop.ctx, "shop", ONE, asked.blink_id)).state == "expired"
    await blinking.ring_due(shop.ctx, shop.clock())
    await blinking.flash_due(shop.ctx, await shop.line())
    assert (await blinking.status(shop.ctx, "shop", ONE, asked.blink_id)).state == "expired"
    assert (await shop.remote.glass([ONE]))[ONE].blinks == 0


async def test_a_light_that_the_gateway_cannot_flash_says_so(shop: Shop, by: By):
    await shop.remote.remove_displays([ONE])
    asked = await blinking.ask(shop.ctx, by, ONE, 5)
    await blinking.flash_due(shop.ctx, await shop.line())
    done = await blinking.status(shop.ctx, "shop", ONE, asked.blink_id)
    assert (done.state, ONE in (done.detail or "")) == ("failed", True)


async def events(shop: Shop, *kinds: str) -> list[tuple[str, Any]]:
    rows = await shop.rows(chain_tables.display_events)
    return [(row["kind"], row["data"]) for row in rows if row["kind"] in kinds]


async def test_a_button_that_is_told_of_again_and_again_was_pressed_once(shop: Shop, by: By):
    await shop.remote.press([ONE], button=2)
    await shop.remote.press([TWO], "nfc")
    for _ in range(3):
        await shop.ask(audit=True)
    assert sorted(await events(shop, "button", "nfc")) == [("button", '{"button":2}'), ("nfc", "{}")]
    page = await display_history.events(shop.ctx, shop.caller.store_id, "button", Window())
    assert [(one.address, one.data) for one in page.data] == [(ONE, {"button": 2})]


async def test_a_report_is_written_down_when_the_battery_changes_and_not_otherwise(shop: Shop, by: By):
    before = len(await events(shop, "report"))
    line = await shop.line()
    for battery in (80, 80, None, 79, 79):
        await sync.hear(shop.ctx, line, [Report(ONE, shop.clock(), battery=battery)])
    assert len(await events(shop, "report")) == before + 2
    await sync.hear(shop.ctx, line, [Report(ONE, 1, battery=70), Report(ONE, 2, battery=70)])
    assert len(await events(shop, "report")) == before + 3


async def test_history_is_read_backwards_page_by_page_with_nothing_twice_and_nothing_left_out(shop: Shop, by: By):
    for price in ("1.10", "1.20", "1.30"):
        await shop.add(milk(price))
        await shop.work()
    await displays.unbind(shop.ctx, by, ONE)
    whole = (await display_history.of_display(shop.ctx, "shop", ONE, Asked(), Window(per_page=1000))).data
    assert [one.at for one in whole] == sorted((one.at for one in whole), reverse=True)
    paged, cursor = [], None
    while True:
        window = Window(per_page=2, cursor=cursor)
        page = await display_history.of_display(shop.ctx, "shop", ONE, Asked(), window)
        paged += page.data
        cursor = page.meta.next
        if cursor is None:
            break
    assert paged == whole
    kinds = [one.kind for one in whole]
    assert {kind: kinds.count(kind) for kind in ("showing", "update", "bound", "unbound")} == {
        "showing": 4, "update": 5, "bound": 1, "unbound": 1,
    }  # fmt: skip
    only = (await display_history.of_display(shop.ctx, "shop", ONE, Asked("showing"), Window())).data
    assert [one.kind for one in only] == ["showing"] * 4


async def test_what_was_done_is_in_the_audit_log(shop: Shop, by: By):
    await displays.bind(shop.ctx, by, TWO, BREAD)
    await displays.swap(shop.ctx, by, TWO, THREE)
    await displays.resend(shop.ctx, by, THREE)
    async with shop.ctx.db.read() as connection:
        rows = (await connection.execute(chain_tables.audit.select().order_by(chain_tables.audit.c.id))).mappings()
        noted = [(row["action"], row["actor"]) for row in rows if row["actor"] == "token staff"]
    assert [action for action, _ in noted] == ["display.bound", "display.swapped", "display.resent"]
