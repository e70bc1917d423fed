"""What is asked all the time is found by its index, however much history a store has (SQLite)."""

import contextlib
import sqlite3
from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import event

from service.context import opened
from service.settings import Settings
from service.store import displays, gateways, tags, updates
from service.store.database import Connection

Ask = Callable[[Connection], Awaitable[object]]
QUESTIONS: list[tuple[str, Ask]] = [
    ("ix_batch_displays_store_id_display_id", lambda c: tags.of_displays(c, 1, ["D"])),
    ("uq_updates_store_id_display_id", lambda c: updates.open_of(c, 1, ["D"])),
    ("ix_updates_due", lambda c: updates.due(c, 1, "G", 0, 0, 10)),
    ("ix_updates_sent", lambda c: updates.overdue(c, 0, 10)),
    ("ix_updates_due", lambda c: gateways.with_due(c, 0)),
    ("ix_displays_store_id_gateway_id_address", lambda c: displays.by_address(c, 1, "G", ["A", "B"])),
    ("ix_displays_wrong", lambda c: displays.stranded(c, 0, 10)),
]


@pytest.mark.parametrize(("index", "ask"), QUESTIONS)
async def test_it_is_found_by_its_index(on_sqlite: Settings, index: str, ask: Ask) -> None:
    asked = []
    async with opened(on_sqlite) as ctx, ctx.db.read() as connection:
        event.listen(connection.sync_connection, "before_cursor_execute", lambda *said: asked.append(said[2:4]))
        await ask(connection)
    statement, parameters = asked[-1]  # BEGIN comes before it
    with contextlib.closing(sqlite3.connect(on_sqlite.data_dir / "shelfcast.db")) as plain:
        plan = [step[3] for step in plain.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)]
    assert any(index in step for step in plan), plan
