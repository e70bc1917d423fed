import asyncio
import time
from collections.abc import Iterable
from typing import Any

import pytest
from sqlalchemy import select

from service import feed
from service.context import Shelfcast
from service.gateways import gateway_setup
from service.messages import DisplayState
from service.shelves import floor, shelf
from service.shelves.binding import Report
from service.shelves.floor import Line
from service.store.tables import bindings, displays, updates
from service.tenants import stores, tokens
from service.tenants.stores import NewStore
from tests.shop import authenticate, milk, raw

MILK = milk()["barcode"]


@pytest.fixture
async def ctx(ctx: Shelfcast) -> Shelfcast:
    """With two gateways of one store, and one of another."""
    for store, gateways in (("zagreb", ("ap-1", "ap-2")), ("split", ("ap-1",))):
        await stores.create_store(ctx, NewStore(slug=store))
        for name in gateways:
            config = {"url": f"http://127.0.0.1:9/{name}"}
            await gateway_setup.add_to(ctx, store, name, "simulator", config, check=False)
    return ctx


def lines(*rows: dict[str, str], start: int = 2) -> list[Line]:
    return list(enumerate(rows, start=start))


def display(address: str = "A1", gateway: str = "ap-1", panel: str = "296x128-BWR", **more: str) -> dict[str, str]:
    return {"address": address, "gateway": gateway, "panel": panel, **more}


async def made(ctx: Shelfcast, *rows: dict[str, str], store: str = "zagreb", **how: Any) -> Report:
    return await floor.import_displays(ctx, store, lines(*rows), by="test", **how)


async def bound(ctx: Shelfcast, *rows: dict[str, str], **how: Any) -> Report:
    return await floor.bind(ctx, "zagreb", lines(*rows), by="test", **how)


async def states(ctx: Shelfcast, store: str = "zagreb", **how: Any) -> dict[str, DisplayState]:
    return {state.address: state async for state in shelf.display_states(ctx, store, **how)}


async def rows_of(ctx: Shelfcast, table: Any) -> list[Any]:
    async with ctx.db.read() as conn:
        return list((await conn.execute(select(table))).mappings())


async def sold(ctx: Shelfcast, *products: dict[str, Any]) -> None:
    caller = await authenticate(ctx, (await tokens.issue(ctx, "zagreb", "POS")).token)
    await feed.change(ctx, caller, "whole", [raw(product) for product in products])


async def test_displays_are_imported_once_and_the_same_file_again_changes_nothing(ctx: Shelfcast):
    rows = [display("A1"), display("A2", "ap-2", "400x300-BW", template="minimal")]
    assert (await made(ctx, *rows)).created == 2
    again = await made(ctx, *rows)
    assert (again.created, again.changed, again.unchanged) == (0, 0, 2)
    shown = await states(ctx)
    assert (shown["A2"].gateway, shown["A2"].panel, shown["A2"].barcodes) == ("ap-2", "400x300-BW", [])


async def test_a_bad_line_is_named_with_its_number_and_reason_and_holds_up_no_other(ctx: Shelfcast):
    report = await made(
        ctx,
        display("A1"),
        display("", "ap-1"),
        display("A3", "ap-9"),
        display("A4", panel="wide"),
        display("A5", slot="first", barcode="1"),
        display("A6", barcode="two words"),
        display("A1"),
        display("A8"),
    )
    assert report.created == 2
    assert [refused.line for refused in report.refused] == [3, 4, 5, 6, 7, 8]
    words = ["no address", "ap-1, ap-2", "296x128-BWR", "0 to 99", "blanks", "Line 2 names"]
    assert all(word in refused.reason for word, refused in zip(words, report.refused, strict=True))


async def test_a_display_that_comes_with_another_gateway_moves_there_and_stays_itself(ctx: Shelfcast):
    await made(ctx, display(barcode=MILK))
    await sold(ctx, milk())
    before = (await states(ctx))["A1"]
    report = await made(ctx, display(gateway="ap-2"))
    after = (await states(ctx))["A1"]
    assert (report.changed, after.gateway) == (1, "ap-2")
    assert (after.display_id, after.barcodes) == (before.display_id, [MILK])
    (update,) = await rows_of(ctx, updates)
    (moved,) = await rows_of(ctx, displays)
    assert update["gateway_id"] == moved["gateway_id"]


async def test_a_display_that_turns_out_to_have_another_panel_gets_another_face(ctx: Shelfcast):
    await made(ctx, display(barcode=MILK))
    await sold(ctx, milk())
    before = (await states(ctx))["A1"].desired_digest
    await made(ctx, display(panel="400x300-BWR"))
    assert (await states(ctx))["A1"].desired_digest not in {None, before}


async def test_a_display_of_another_store_is_not_taken_and_not_told_of(ctx: Shelfcast):
    await made(ctx, display(), store="split")
    report = await made(ctx, display())
    assert [refused.line for refused in report.refused] == [2]
    assert "split" not in report.refused[0].reason
    assert await states(ctx) == {}


async def test_a_display_is_bound_by_its_address_or_its_id(ctx: Shelfcast):
    await made(ctx, display("A1"), display("A2"))
    id_ = (await states(ctx))["A2"].display_id
    report = await bound(ctx, {"address": "A1", "barcode": MILK}, {"display": id_, "barcode": "200", "slot": "3"})
    assert (report.bound, report.refused) == (2, [])
    assert {address: state.barcodes for address, state in (await states(ctx)).items()} == {"A1": [MILK], "A2": ["200"]}


async def test_binding_plans_the_face_and_says_why_it_is_not_shown_yet(ctx: Shelfcast):
    await made(ctx, display())
    await sold(ctx, milk())
    await bound(ctx, {"address": "A1", "barcode": MILK})
    (state,) = (await states(ctx, wrong=True)).values()
    assert (state.right, state.reason) == (False, "waiting")
    assert state.desired_digest


async def test_the_same_binding_again_changes_nothing(ctx: Shelfcast):
    await made(ctx, display(barcode=MILK))
    before = await rows_of(ctx, bindings)
    report = await bound(ctx, {"address": "A1", "barcode": MILK}, {"address": "A1", "barcode": MILK})
    assert (report.bound, report.kept) == (0, 2)
    assert await rows_of(ctx, bindings) == before


async def test_a_bound_slot_is_kept_unless_it_is_taken_over(ctx: Shelfcast):
    await made(ctx, display(barcode=MILK))
    (refused,) = (await bound(ctx, {"address": "A1", "barcode": "200"})).refused
    assert MILK in refused.reason
    assert "--takeover" in refused.reason
    assert (await states(ctx))["A1"].barcodes == [MILK]


async def test_a_takeover_keeps_the_history_of_both(ctx: Shelfcast):
    await made(ctx, display(barcode=MILK))
    await bound(ctx, {"address": "A1", "barcode": "200"}, takeover=True)
    old, new = sorted(await rows_of(ctx, bindings), key=lambda row: row["unbound_at"] is None)
    assert (old["barcode"], old["unbound_by"], old["unbound_at"]) == (MILK, "test", new["bound_at"])
    assert (new["barcode"], new["bound_by"], new["unbound_at"]) == ("200", "test", None)


async def test_the_last_line_of_a_slot_wins_a_takeover_and_leaves_one_binding(ctx: Shelfcast):
    await made(ctx, display(barcode="100"))
    rows = [{"address": "A1", "barcode": barcode} for barcode in ("200", "300", "100")]
    await bound(ctx, *rows, takeover=True)
    assert [row["barcode"] for row in await rows_of(ctx, bindings)] == ["100"]


async def test_lines_that_cannot_be_bound_say_why(ctx: Shelfcast):
    await made(ctx, display())
    report = await bound(
        ctx,
        {"address": "A9", "barcode": "1"},
        {"barcode": "1"},
        {"address": "A1", "barcode": " "},
        {"address": "A1", "barcode": "1", "slot": "100"},
        {"display": "01ARZ3NDEKTSV4RRFFQ69G5FAV", "barcode": "1"},
    )
    assert [refused.line for refused in report.refused] == [3, 4, 5, 2, 6]


async def test_an_import_survives_a_concurrent_one_of_the_same_file(ctx: Shelfcast):
    rows = [display(f"A{number:03}", barcode=f"{number}") for number in range(300)]
    reports = await asyncio.gather(made(ctx, *rows), made(ctx, *reversed(rows)))
    assert sorted(report.created for report in reports) == [0, 300]
    assert len(await rows_of(ctx, bindings)) == 300


async def test_twenty_thousand_displays_are_bound_in_seconds(ctx: Shelfcast):
    began = time.monotonic()
    rows: Iterable[dict[str, str]] = (display(f"A{number}", barcode=f"{number}") for number in range(20_000))
    report = await made(ctx, *rows)
    assert (report.created, report.bound) == (20_000, 20_000)
    assert time.monotonic() - began < 30
