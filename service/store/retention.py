"""Statements that delete history, some rows at a time in the order of ids, which is that of time."""

from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Table, delete, exists, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from service.ids import first_of
from service.store.chain_tables import blinks, display_events, import_chunks, imports, sweeps
from service.store.imports import clear_differences
from service.store.statements import is_among, upsert
from service.store.tables import batch_displays, batch_errors, batch_pushes, batches, showings, stores, updates

Step = Callable[[AsyncConnection, int, str, int, int], Awaitable[str | None]]
"""(connection, store, after, before, how many): looks at as many rows beyond the id `after` that are older than
`before`, and deletes what may go; the id that it came to, None if there is nothing more."""


async def due(connection: AsyncConnection, now: int) -> int | None:
    """A store whose sweep has something to do."""
    statement = (
        select(stores.c.id)
        .outerjoin(sweeps, sweeps.c.store_id == stores.c.id)
        .where(sweeps.c.next_at.is_(None) | (sweeps.c.next_at <= now))
        .order_by(stores.c.id)
        .limit(1)
    )
    found: int | None = (await connection.execute(statement)).scalar()
    return found


async def place(connection: AsyncConnection, store_id: int, first: str, now: int) -> RowMapping:
    """How far the store's sweep is, held to the end of the transaction."""
    row = {"store_id": store_id, "kind": first, "after": "", "next_at": now}
    await upsert(connection, sweeps, [row], ("store_id",))
    found = await connection.execute(select(sweeps).where(sweeps.c.store_id == store_id).with_for_update())
    return found.mappings().one()


async def move(connection: AsyncConnection, store_id: int, kind: str, after: str, next_at: int) -> None:
    await connection.execute(
        update(sweeps).where(sweeps.c.store_id == store_id).values(kind=kind, after=after, next_at=next_at)
    )


def _walk(table: Table, may_go: Callable[[int], list[ColumnElement[bool]]]) -> Step:
    async def step(connection: AsyncConnection, store_id: int, after: str, before: int, limit: int) -> str | None:
        mine = table.c.store_id == store_id
        some = select(table.c.id).where(mine, table.c.id > after, table.c.id < first_of(before))
        ids = list((await connection.execute(some.order_by(table.c.id).limit(limit))).scalars())
        if ids:
            await connection.execute(delete(table).where(mine, is_among(connection, table.c.id, ids), *may_go(before)))
        return ids[-1] if len(ids) == limit else None

    return step


def _old_showings(before: int) -> list[ColumnElement[bool]]:
    """But the last one of each display before that time, which is what it showed then."""
    later = showings.alias("later")
    followed = exists().where(
        later.c.store_id == showings.c.store_id,
        later.c.display_id == showings.c.display_id,
        later.c.at <= before,
        tuple_(later.c.at, later.c.id) > tuple_(showings.c.at, showings.c.id),
    )
    return [showings.c.at < before, followed]


def _old_updates(before: int) -> list[ColumnElement[bool]]:
    """Closed before that time, with something newer proven by then: no moment that is kept can be theirs."""
    its = (showings.c.store_id == updates.c.store_id) & (showings.c.display_id == updates.c.display_id)
    newer = exists().where(its, showings.c.at <= before, showings.c.revision > updates.c.revision)
    told_of = exists().where(its, showings.c.update_id == updates.c.id)
    return [updates.c.closed_at < before, newer, ~told_of]


async def _next_over(
    connection: AsyncConnection, table: Table, store_id: int, after: str, before: int, *further: ColumnElement[bool]
) -> str | None:
    """The next one beyond the id `after` that was over before that time."""
    old = (table.c.id > after, table.c.id < first_of(before), table.c.completed_at < before)
    statement = select(table.c.id).where(table.c.store_id == store_id, *old, *further).order_by(table.c.id).limit(1)
    found: str | None = (await connection.execute(statement)).scalar()
    return found


async def _of_batches(connection: AsyncConnection, store_id: int, after: str, before: int, limit: int) -> str | None:
    """The rows of the next batch that was over by then."""
    batch_id = await _next_over(connection, batches, store_id, after, before, batches.c.phase.is_(None))
    if batch_id is None:
        return None
    deleted = [await _some_of(connection, table, store_id, batch_id, limit) for table in _BATCH_ROWS]
    return after if limit in deleted else batch_id


_BATCH_ROWS = (batch_errors, batch_displays, batch_pushes)


async def _of_imports(connection: AsyncConnection, store_id: int, after: str, before: int, _limit: int) -> str | None:
    """The next import that was over by then: some of its differences, and at last itself."""
    import_id = await _next_over(connection, imports, store_id, after, before)
    if import_id is None:
        return None
    if await clear_differences(connection, store_id, import_id):
        return after
    it = (imports.c.store_id == store_id) & (imports.c.id == import_id)
    file_is_gone = ~exists().where(import_chunks.c.store_id == store_id, import_chunks.c.import_id == import_id)
    await connection.execute(delete(imports).where(it, file_is_gone))
    return import_id


async def _some_of(connection: AsyncConnection, table: Table, store_id: int, batch_id: str, limit: int) -> int:
    key = tuple(column for column in table.primary_key if column.name != "store_id")
    mine = (table.c.store_id == store_id) & (table.c.batch_id == batch_id)
    some: Any = select(*key).where(mine).limit(limit)
    result = await connection.execute(delete(table).where(mine, tuple_(*key).in_(some)))
    return result.rowcount


KINDS: dict[str, Step] = {
    "showings": _walk(showings, _old_showings),
    "updates": _walk(updates, _old_updates),
    "events": _walk(display_events, lambda before: [display_events.c.at < before]),
    "blinks": _walk(blinks, lambda before: [blinks.c.expires_at < before]),
    "batches": _of_batches,
    "imports": _of_imports,
}
"""In this order: an update goes once no showing tells of it."""
