"""Promise 3: never more certain than the hardware. Judged by the glass."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from display_drivers.base import Proof, Report, Update
from service import sync
from service.context import opened
from service.settings import Settings
from service.store import gateways, tables
from tests.shop import Shop, milk, opened_shop

BARCODE = milk()["barcode"]


@pytest.fixture
async def shop(on_sqlite: Settings) -> AsyncIterator[Shop]:
    async with opened(on_sqlite) as ctx, opened_shop(ctx, displays=2) as shop:
        await shop.bind({"SIM000001": [BARCODE]})
        yield shop


async def hear(shop: Shop, shows: str | None, proof: Proof | None, *, asked: bool = False, **more: Any) -> None:
    """One report of the display; asked for just now, or told by the gateway itself."""
    asked_at = shop.clock() if asked else None
    report = Report("SIM000001", shop.clock(), shows, proof, **more)
    await sync.hear(shop.ctx, await shop.line(), [report], asked_at)


async def update(shop: Shop, number: int = -1) -> dict[str, Any]:
    return (await shop.rows(tables.updates))[number]


async def is_right(shop: Shop) -> bool:
    display = await shop.display()
    return display["desired_digest"] == display["shown_digest"]


@pytest.mark.parametrize("weaker", [Proof.ACCEPTED, Proof.DELIVERED, None])
async def test_a_report_with_a_weaker_proof_than_declared_confirms_nothing(shop: Shop, weaker: Proof | None) -> None:
    session = await shop.batch([milk()])
    await shop.save()
    await shop.send()
    await hear(shop, (await update(shop))["id"], weaker, battery=41)
    assert (await shop.status(session)).tags_confirmed == 0
    assert ((await shop.display())["battery"], await is_right(shop)) == (41, False)


async def test_a_report_of_an_older_update_confirms_nothing(shop: Shop) -> None:
    await shop.add(milk("1.00"))
    await shop.work()
    session = await shop.batch([milk("1.10")])
    await shop.save()
    await shop.send()
    await hear(shop, (await update(shop, 0))["id"], Proof.DISPLAYED)
    assert (await shop.status(session)).tags_confirmed == 0


async def test_the_late_proof_of_an_older_face_confirms_no_batch_that_wants_a_newer_one(shop: Shop) -> None:
    earlier = await shop.batch([milk("1.00")])
    await shop.save()
    await shop.send()
    later = await shop.batch([milk("1.10")])
    await shop.save()
    await hear(shop, (await update(shop, 0))["id"], Proof.DISPLAYED)
    assert (await shop.status(earlier)).tags_confirmed == 1
    status = await shop.status(later)
    assert (status.tags_pending, status.tags_confirmed) == (1, 0)


async def test_a_report_of_a_token_that_is_not_ours_confirms_nothing(shop: Shop) -> None:
    await shop.add(milk())
    await shop.send()
    await hear(shop, "another controller's", Proof.DISPLAYED, asked=True)
    assert (await update(shop))["phase"] == "SENT"


async def test_a_report_of_another_gateways_display_is_not_ours_to_believe(shop: Shop) -> None:
    await shop.add(milk())
    await shop.send()
    report = Report("SIM000002", shop.clock(), (await update(shop))["id"], Proof.DISPLAYED)
    await sync.hear(shop.ctx, await shop.line(), [report])
    assert (await update(shop))["phase"] == "SENT"


async def test_a_false_acceptance_is_never_confirmed_and_mended_once_the_gateway_tells_the_truth(shop: Shop) -> None:
    await shop.remote.change(drop=1)
    session = await shop.batch([milk("1.00")])
    await shop.work(2)
    assert ((await shop.status(session)).tags_confirmed, (await shop.glass())["SIM000001"]) == (0, None)
    assert ((await update(shop))["phase"], (await update(shop))["attempts"]) == ("PENDING", 2)
    await shop.remote.change(drop=0)
    await shop.work(2)
    assert ((await shop.status(session)).tags_confirmed, (await shop.prices())["SIM000001"]) == (1, "1.00")


@pytest.mark.parametrize(("level", "word"), [("accepted", "accepted"), ("delivered", "delivered")])
async def test_what_a_batch_confirms_says_at_which_level(on_sqlite: Settings, level: str, word: str) -> None:
    async with opened(on_sqlite) as ctx, opened_shop(ctx, displays=1, proof=level) as shop:
        await shop.bind({"SIM000001": [BARCODE]})
        session = await shop.batch([milk()])
        await shop.work()
        status = await shop.status(session)
        assert (status.tags_confirmed, getattr(status.proof, word), status.proof.displayed) == (1, 1, 0)
        assert (await shop.tags(session))["SIM000001"].proof == word


async def test_a_gateway_whose_answers_are_lost_is_asked_for_proof_all_the_same(shop: Shop) -> None:
    await shop.remote.change(lost_answers=1)
    await shop.add(milk("1.00"))
    await shop.send()
    assert (await update(shop))["phase"] == "PENDING"
    async with shop.ctx.db.read() as connection:
        assert await gateways.to_poll(connection, shop.clock()) == [(shop.caller.store_id, shop.gateways["g1"])]
    await shop.poll()
    assert ((await update(shop))["phase"], await is_right(shop)) == ("CONFIRMED", True)


async def test_a_report_that_comes_by_itself_never_counts_as_drift(shop: Shop) -> None:
    await shop.add(milk())
    await shop.work()
    await hear(shop, "another controller's", Proof.DISPLAYED)
    await hear(shop, None, Proof.DISPLAYED)
    assert await is_right(shop)


async def test_an_answer_that_was_asked_for_before_the_last_proof_is_no_drift(shop: Shop) -> None:
    await shop.add(milk("1.00"))
    await shop.work()
    await shop.add(milk("1.10"))
    await shop.send()
    asked_at = shop.clock()
    await hear(shop, (await update(shop))["id"], Proof.DISPLAYED)
    late = Report("SIM000001", shop.clock(), (await update(shop, 0))["id"], Proof.DISPLAYED)
    await sync.hear(shop.ctx, await shop.line(), [late], asked_at)
    assert await is_right(shop)


async def test_a_bare_check_in_right_after_a_proof_does_not_hide_it(shop: Shop) -> None:
    await shop.add(milk())
    await shop.send()
    token = (await update(shop))["id"]
    reports = [Report("SIM000001", 1, token, Proof.DISPLAYED), Report("SIM000001", 2, battery=40)]
    await sync.hear(shop.ctx, await shop.line(), reports)
    assert (await is_right(shop), (await shop.display())["battery"]) == (True, 40)


async def test_a_glass_that_was_changed_behind_our_back_is_noticed_by_an_audit_and_driven_back(shop: Shop) -> None:
    await shop.add(milk("1.00"))
    await shop.work()
    line = await shop.line()
    face = (await shop.remote.glass(content=True))["SIM000001"].face
    assert face is not None
    foreign = Update("foreign", "SIM000001", 1000, type(face)(face.panel, {"slots": [{"price": "9.99"}]}))
    assert [outcome.error for outcome in await line.driver.push([foreign])] == [None]
    await shop.poll(audit=True)
    assert ((await shop.display())["shown_digest"], await is_right(shop)) == (None, False)
    await sync.reconcile(shop.ctx)
    await shop.work(3)
    assert ((await shop.prices())["SIM000001"], await is_right(shop)) == ("1.00", True)


async def test_a_glass_that_fell_back_to_an_older_face_of_ours_is_driven_back(shop: Shop) -> None:
    for price in ("1.00", "1.10"):
        await shop.add(milk(price))
        await shop.work()
    await hear(shop, (await update(shop, 0))["id"], Proof.DISPLAYED, asked=True)
    assert (await shop.display())["shown_digest"] == (await update(shop, 0))["digest"]
    await sync.reconcile(shop.ctx)
    assert ((await update(shop))["phase"], (await update(shop))["revision"]) == ("PENDING", 3)


async def test_a_display_that_lost_its_face_is_given_it_again(shop: Shop) -> None:
    await shop.add(milk("1.00"))
    await shop.work()
    await shop.remote.remove_displays(["SIM000001"])
    await shop.remote.add_named_displays("g1", [("SIM000001", (await shop.remote.glass())["SIM000002"].panel.panel)])
    assert (await shop.glass())["SIM000001"] is None
    await shop.poll(audit=True)
    await sync.reconcile(shop.ctx)
    await shop.work()
    assert (await shop.prices())["SIM000001"] == "1.00"


async def test_an_update_lost_in_a_reboot_of_the_gateway_is_sent_again(shop: Shop) -> None:
    await shop.remote.change_displays(["SIM000001"], absent=True)
    await shop.add(milk("1.00"))
    await shop.send()
    await shop.remote.reboot()
    await shop.remote.change_displays(["SIM000001"], absent=False)
    await shop.work(2)
    assert (await shop.prices())["SIM000001"] == "1.00"


async def test_each_face_that_was_proven_is_kept_as_evidence_once(shop: Shop) -> None:
    for price in ("1.00", "1.10", "1.00"):
        await shop.add(milk(price))
        await shop.work(2)
    shown = [row["digest"] for row in await shop.rows(tables.showings)]
    assert shown == [row["digest"] for row in await shop.rows(tables.updates)]
    assert len(shown) == 3


async def test_what_a_report_leaves_out_stays_as_it_was_known(shop: Shop) -> None:
    await shop.add(milk())
    await shop.work()
    await hear(shop, None, None, battery=50, signal=-60)
    await hear(shop, None, None, temperature=-20)
    display = await shop.display()
    assert (display["battery"], display["signal"], display["temperature"]) == (50, -60, -20)
