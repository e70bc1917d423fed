"""Statements about what displays went through: what they showed, were sent, had bound and reported, and when."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import RowMapping, Select, Table, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from service.store.chain_tables import display_events
from service.store.pages import paged
from service.store.statements import is_among
from service.store.tables import bindings, displays, faces, price_history, showings, tokens, updates


class Span(msgspec.Struct, frozen=True):
    """Which part of a history: from `since` on, before `until`, and beyond the place of the page before."""

    since: int
    until: int
    before: tuple[int, str] | None = None
    limit: int = 101


async def showings_of(connection: AsyncConnection, store_id: int, display_id: str, span: Span) -> list[RowMapping]:
    return await _newest(connection, showings, store_id, display_id, span, "at")


async def updates_of(connection: AsyncConnection, store_id: int, display_id: str, span: Span) -> list[RowMapping]:
    return await _newest(connection, updates, store_id, display_id, span, "created_at")


async def bound(connection: AsyncConnection, store_id: int, display_id: str, span: Span) -> list[RowMapping]:
    return await _newest(connection, bindings, store_id, display_id, span, "bound_at")


async def unbound(connection: AsyncConnection, store_id: int, display_id: str, span: Span) -> list[RowMapping]:
    return await _newest(connection, bindings, store_id, display_id, span, "unbound_at")


async def events_of(
    connection: AsyncConnection, store_id: int, display_id: str, span: Span, kinds: Collection[str]
) -> list[RowMapping]:
    return await _newest(connection, display_events, store_id, display_id, span, "at", kinds)


async def _newest(
    connection: AsyncConnection,
    table: Table,
    store_id: int,
    display_id: str,
    span: Span,
    column: str,
    kinds: Collection[str] = (),
) -> list[RowMapping]:
    at = table.c[column]
    statement: Select[Any] = select(table).where(
        table.c.store_id == store_id, table.c.display_id == display_id, at >= span.since, at < span.until
    )
    if kinds:
        statement = statement.where(table.c.kind.in_(kinds))
    page = paged(statement, (at, table.c.id), span.before, 0, span.limit, descending=True)
    return list((await connection.execute(page)).mappings())


async def around(
    connection: AsyncConnection, store_id: int, display_ids: Sequence[str], time: int
) -> dict[str, tuple[RowMapping | None, RowMapping | None]]:
    """Display -> its newest showing by this time, and the first one after it."""
    mine = (showings.c.store_id == displays.c.store_id) & (showings.c.display_id == displays.c.id)
    last = select(showings.c.id).where(mine, showings.c.at <= time)
    last = last.order_by(showings.c.at.desc(), showings.c.id.desc()).limit(1)
    following = select(showings.c.id).where(mine, showings.c.at > time)
    following = following.order_by(showings.c.at, showings.c.id).limit(1)
    statement = select(
        displays.c.id, last.scalar_subquery().label("last"), following.scalar_subquery().label("following")
    ).where(displays.c.store_id == store_id, is_among(connection, displays.c.id, display_ids))
    found = list((await connection.execute(statement)).mappings())
    ids = [id_ for row in found for id_ in (row["last"], row["following"]) if id_]
    rows = await connection.execute(
        select(showings).where(showings.c.store_id == store_id, is_among(connection, showings.c.id, ids))
    )
    by_id = {row["id"]: row for row in rows.mappings()}
    return {row["id"]: (by_id.get(row["last"]), by_id.get(row["following"])) for row in found}


async def pushed(connection: AsyncConnection, store_id: int, proven: Mapping[str, int]) -> list[RowMapping]:
    """Updates that were given to a driver, or that people asked for because of what they saw.

    `proven`: display -> the highest revision that was proven; what is not newer is left out.
    """
    statement = select(
        updates.c.id,
        updates.c.display_id,
        updates.c.digest,
        updates.c.revision,
        updates.c.cause,
        updates.c.created_at,
        updates.c.pushed_at,
    ).where(
        updates.c.store_id == store_id,
        is_among(connection, updates.c.display_id, list(proven)),  # which has an index, as the alternatives have none
        or_(*((updates.c.display_id == id_) & (updates.c.revision > revision) for id_, revision in proven.items())),
        updates.c.pushed_at.is_not(None) | (updates.c.cause == "resend"),
    )
    return list((await connection.execute(statement)).mappings()) if proven else []


async def bound_at(
    connection: AsyncConnection, store_id: int, display_ids: Sequence[str], time: int
) -> list[RowMapping]:
    """What was bound to these displays at this time, by slot."""
    statement = (
        select(bindings)
        .where(
            bindings.c.store_id == store_id,
            is_among(connection, bindings.c.display_id, display_ids),
            *_bound_then(time),
        )
        .order_by(bindings.c.display_id, bindings.c.slot)
    )
    return list((await connection.execute(statement)).mappings())


async def displays_of(
    connection: AsyncConnection, store_id: int, barcode: str, time: int, after: str, offset: int, limit: int
) -> list[str]:
    """The displays that this product was bound to at this time, in the order of ids, beyond `after`."""
    display = bindings.c.display_id
    statement = (
        select(display)
        .where(bindings.c.store_id == store_id, bindings.c.barcode == barcode, display > after, *_bound_then(time))
        .distinct()
        .order_by(display)
        .offset(offset)
        .limit(limit)
    )
    return list((await connection.execute(statement)).scalars())


def _bound_then(time: int) -> tuple[Any, ...]:
    return (bindings.c.bound_at <= time, bindings.c.unbound_at.is_(None) | (bindings.c.unbound_at > time))


async def faces_of(connection: AsyncConnection, store_id: int, digests: Collection[str]) -> dict[str, RowMapping]:
    rows = await connection.execute(
        select(faces).where(faces.c.store_id == store_id, is_among(connection, faces.c.digest, sorted(digests)))
    )
    return {row["digest"]: row for row in rows.mappings()}


async def updates_by_id(connection: AsyncConnection, store_id: int, ids: Collection[str]) -> dict[str, RowMapping]:
    rows = await connection.execute(
        select(updates).where(updates.c.store_id == store_id, is_among(connection, updates.c.id, sorted(ids)))
    )
    return {row["id"]: row for row in rows.mappings()}


async def prices(connection: AsyncConnection, store_id: int, ids: Collection[str]) -> dict[str, RowMapping]:
    """Rows of price history, with the name of the token that brought them."""
    statement = (
        select(price_history, tokens.c.name.label("token"))
        .outerjoin(tokens, tokens.c.id == price_history.c.token_id)
        .where(price_history.c.store_id == store_id, is_among(connection, price_history.c.id, sorted(ids)))
    )
    return {row["id"]: row for row in (await connection.execute(statement)).mappings()}
