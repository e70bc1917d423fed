"""Statements that set up a shop floor: which displays there are, on which gateway, and what is bound to them."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import RowMapping, bindparam, insert, select, update

from service.store.database import Connection
from service.store.statements import change, chunks
from service.store.tables import bindings, displays


async def by_address(
    conn: Connection, organisation_id: int, addresses: Collection[str], *, store_id: int | None = None
) -> list[RowMapping]:
    """Displays of these addresses anywhere in the organisation, under any driver; locked, in the order of ids."""
    found: list[RowMapping] = []
    for some in chunks(sorted(addresses)):
        query = (
            select(displays)
            .where(displays.c.organisation_id == organisation_id, displays.c.address.in_(some))
            .order_by(displays.c.id)
            .with_for_update(key_share=True)
        )
        if store_id is not None:
            query = query.where(displays.c.store_id == store_id, displays.c.retired_at.is_(None))
        found.extend((await conn.execute(query)).mappings())
    return found


async def insert_displays(conn: Connection, rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        await conn.execute(insert(displays), sorted(rows, key=lambda row: str(row["id"])))


async def change_displays(conn: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Set gateway, panel, template and retirement of known displays."""
    await change(conn, displays, rows, ("store_id", "id"))


async def unbind(conn: Connection, store_id: int, slots: Collection[tuple[str, int]], now: int, by: str) -> None:
    """End what is bound to these (display, slot)."""
    if not slots:
        return
    ended = (
        update(bindings)
        .where(
            bindings.c.store_id == store_id,
            bindings.c.display_id == bindparam("of_display"),
            bindings.c.slot == bindparam("of_slot"),
            bindings.c.unbound_at.is_(None),
        )
        .values(unbound_at=now, unbound_by=by)
    )
    await conn.execute(ended, [{"of_display": display, "of_slot": slot} for display, slot in sorted(slots)])


async def insert_bindings(conn: Connection, rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        await conn.execute(insert(bindings), sorted(rows, key=lambda row: (str(row["display_id"]), int(row["slot"]))))
