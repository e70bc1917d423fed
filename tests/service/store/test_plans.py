"""What is asked all the time is found by its index, however much history a store has (SQLite)."""

import contextlib
import sqlite3
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import event

from service.context import opened
from service.settings import Settings
from service.store import catalogue, deliveries, displays, gateways, history, overdue, shelf_lists, tags, updates
from service.store.catalogue import Sort, Wanted
from service.store.database import Connection

Ask = Callable[[Connection], Awaitable[object]]
SOLD, GONE = Wanted(), Wanted(archived=True)
LISTS: list[tuple[str, Wanted, Sort, Any]] = [
    ("on_sale", SOLD, "name", None),
    ("on_sale", SOLD, "-name", ("a", "b")),
    ("on_sale", SOLD._replace(needles=("milk", "1")), "name", ("a", "b")),
    ("on_sale_barcode", SOLD, "barcode", ("b",)),
    ("on_sale_category", SOLD._replace(category="C"), "-name", ("a", "b")),
    ("on_sale_category", SOLD._replace(category="C", needles=("milk",)), "name", None),
    ("on_sale_category_barcode", SOLD._replace(category="C"), "-barcode", ("b",)),
    ("archived", GONE, "name", ("a", "b")),
    ("archived_barcode", GONE, "-barcode", None),
    ("archived_category", GONE._replace(category="C"), "name", ("a", "b")),
    ("archived_category_barcode", GONE._replace(category="C"), "barcode", ("b",)),
]


def events(connection: Connection, store_id: int | None, kind: str | None) -> Awaitable[object]:
    return deliveries.events_of(connection, 1, store_id, kind, (0, None), (5, "E"), 0, 10)


QUESTIONS: list[tuple[str, Ask]] = [
    ("ix_batch_displays_store_id_display_id", lambda c: tags.of_displays(c, 1, ["D"])),
    ("uq_updates_store_id_display_id", lambda c: updates.open_of(c, 1, ["D"])),
    ("ix_updates_due", lambda c: updates.due(c, 1, "G", 0, 0, 10)),
    ("ix_updates_sent", lambda c: updates.overdue(c, 0, 10)),
    ("ix_updates_due", lambda c: gateways.with_due(c, 0)),
    ("ix_displays_store_id_gateway_id_address", lambda c: displays.by_address(c, 1, "G", ["A", "B"])),
    ("ix_displays_wrong", lambda c: displays.stranded(c, 0, 10)),
    ("COVERING INDEX ix_price_history_of_product", lambda c: catalogue.priced(c, 1, ["A", "B"])),
    ("ix_price_history_of_product", lambda c: catalogue.prices_of(c, 1, "A", "X", 0, 10)),
    ("ix_product_changes_store_id_barcode_id", lambda c: catalogue.changes_of(c, 1, "A", "X", 0, 10)),
    ("ix_bindings_of_product", lambda c: catalogue.displays_of(c, 1, "A", None, 0, 10, ended=False)),
    ("ix_updates_store_id_display_id_mark", lambda c: history.pushed(c, 1, {"D": 1, "E": 2})),
    ("ix_showings_store_id_display_id_at_id", lambda c: history.showings_of(c, 1, "D", history.Span(0, 9))),
    ("ix_displays_wrong", lambda c: overdue.find(c, [(1, None)], 0, 10)),
    ("ix_deliveries_due", lambda c: deliveries.endpoints_due(c, 0)),
    ("ix_deliveries_due", lambda c: deliveries.due(c, "W", 0, 10)),
    ("ix_deliveries_leased", lambda c: deliveries.in_flight(c, "W", 0)),
    ("ix_deliveries_webhook_id_id", lambda c: deliveries.listing(c, "W", None, None, ["D"], 0, 10)),
    ("ix_deliveries_webhook_id_state_id", lambda c: deliveries.listing(c, "W", "failed", None, ["D"], 0, 10)),
    ("ix_deliveries_webhook_id_kind_id", lambda c: deliveries.listing(c, "W", None, "batch.held", ["D"], 0, 10)),
    ("ix_events_organisation_id_at_id", lambda c: events(c, None, None)),
    ("ix_events_organisation_id_kind_at_id", lambda c: events(c, None, "batch.held")),
    ("ix_events_store_id_at_id", lambda c: events(c, 1, None)),
    ("ix_events_store_id_kind_at_id", lambda c: events(c, 1, "batch.held")),
]

SHELF: list[tuple[str, shelf_lists.Wanted, Any]] = [
    ("sqlite_autoindex_displays_1", shelf_lists.Wanted(), ("D",)),
    ("ix_displays_store_id_address_id_retired_at", shelf_lists.Wanted(by_address=True), ("A", "D")),
    ("ix_displays_store_id_address_id_retired_at", shelf_lists.Wanted(address="A"), None),
    ("ix_displays_wrong", shelf_lists.Wanted(wrong=True), ("D",)),
    ("ix_displays_unconfirmed", shelf_lists.Wanted(unconfirmed=True), ("D",)),
    ("ix_displays_low_battery", shelf_lists.Wanted(low_battery=True), None),
    ("ix_displays_unbound", shelf_lists.Wanted(unbound=True), ("D",)),
    ("ix_displays_retired", shelf_lists.Wanted(retired=True), ("D",)),
    ("ix_displays_store_id_gateway_id_id", shelf_lists.Wanted(gateways=("G",)), ("D",)),
    ("ix_displays_store_id_gateway_id_address_id", shelf_lists.Wanted(gateways=("G",), by_address=True), ("A", "D")),
    ("ix_displays_low_battery", shelf_lists.Wanted(gateways=("G", "H"), low_battery=True), ("D",)),
    ("ix_bindings_of_product", shelf_lists.Wanted(barcode="B"), ("D",)),
]


@pytest.mark.parametrize(("index", "ask"), QUESTIONS)
async def test_it_is_found_by_its_index(on_sqlite: Settings, index: str, ask: Ask) -> None:
    plan = await planned(on_sqlite, ask)
    assert any(index in step for step in plan), plan


async def test_displays_of_a_product_are_its_page_of_bindings_and_then_their_rows(on_sqlite: Settings) -> None:
    (page,) = await planned(on_sqlite, lambda c: history.displays_of(c, 1, "A", 5, "D", 0, 10))
    assert "COVERING INDEX ix_bindings_of_product" in page
    plan = await planned(on_sqlite, lambda c: catalogue.displays_of(c, 1, "A", None, 0, 10, ended=False))
    searched = [step for step in plan if step.startswith("SEARCH")]
    assert [step.partition("(")[2] for step in searched if "displays" in step.split()[1]] == ["store_id=? AND id=?)"]


@pytest.mark.parametrize(("index", "wanted", "sort", "after"), LISTS)
async def test_a_page_of_products_is_read_in_the_order_of_its_index(
    on_sqlite: Settings, index: str, wanted: Wanted, sort: Sort, after: Any
) -> None:
    (step,) = await planned(on_sqlite, lambda c: catalogue.keys(c, 1, wanted, sort, after, 0, 10))
    assert f"INDEX ix_products_{index} " in step


@pytest.mark.parametrize(("index", "wanted", "after"), SHELF)
async def test_a_page_of_displays_is_read_in_the_order_of_its_index(
    on_sqlite: Settings, index: str, wanted: shelf_lists.Wanted, after: Any
) -> None:
    (step,) = await planned(on_sqlite, lambda c: shelf_lists.page(c, 1, wanted, after, 0, 10))
    assert f"INDEX {index} " in step


async def planned(settings: Settings, ask: Ask) -> list[str]:
    """The steps in which SQLite answers the last statement of what is asked."""
    asked = []
    async with opened(settings) as ctx, ctx.db.read() as connection:
        event.listen(connection.sync_connection, "before_cursor_execute", lambda *said: asked.append(said[2:4]))
        await ask(connection)
    statement, parameters = asked[-1]  # BEGIN comes before it
    with contextlib.closing(sqlite3.connect(settings.data_dir / "shelfcast.db")) as plain:
        return [step[3] for step in plain.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)]
