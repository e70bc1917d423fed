"""Statements about what displays reported and went through, besides what they showed."""

from collections.abc import Sequence

from sqlalchemy import RowMapping, select
from sqlalchemy.ext.asyncio import AsyncConnection

from service.store.chain_tables import display_events
from service.store.pages import paged
from service.store.statements import Rows, is_among, upsert
from service.store.tables import displays


async def append(connection: AsyncConnection, rows: Rows) -> None:
    """An event of an id that is there already is the same one, told again."""
    known = {row["id"]: row for row in rows}
    await upsert(connection, display_events, list(known.values()), ("store_id", "id"))


async def listing(
    connection: AsyncConnection, store_id: int, kind: str | None, before: Sequence[str] | None, offset: int, limit: int
) -> list[RowMapping]:
    """Events of all displays of a store, the newest first, with the display's address."""
    its_display = (displays.c.store_id == display_events.c.store_id) & (displays.c.id == display_events.c.display_id)
    statement = (
        select(display_events, displays.c.address)
        .join(displays, its_display)
        .where(display_events.c.store_id == store_id, *([display_events.c.kind == kind] if kind else []))
    )
    page = paged(statement, (display_events.c.id,), before, offset, limit, descending=True)
    return list((await connection.execute(page)).mappings())


async def times_of(
    connection: AsyncConnection, store_id: int, display_ids: Sequence[str], kind: str
) -> list[tuple[str, int]]:
    """(display, time) of the events of this kind."""
    rows = await connection.execute(
        select(display_events.c.display_id, display_events.c.at).where(
            display_events.c.store_id == store_id,
            is_among(connection, display_events.c.display_id, display_ids),
            display_events.c.kind == kind,
        )
    )
    return [(id_, at) for id_, at in rows]
