"""Statements about batches for those who look at all of a store's."""

from typing import Any

import msgspec
from sqlalchemy import RowMapping, Select, func, select

from service.ids import first_of
from service.store.database import Connection
from service.store.pages import counted, paged
from service.store.statements import CHUNK
from service.store.tables import batch_displays, batch_errors, batches, tag_may_be_proven


class Wanted(msgspec.Struct, frozen=True):
    """Which batches. Times in milliseconds: started at or after `since`, before `until`; `now` tells the expired."""

    now: int
    status: str | None = None
    reference: str | None = None
    mode: str | None = None
    since: int | None = None
    until: int | None = None


async def listing(
    connection: Connection, store_id: int, wanted: Wanted, after: str | None, offset: int, limit: int
) -> tuple[list[RowMapping], int | None]:
    """A store's batches, the newest first, and how many they are."""
    statement = _of_store(select(batches), store_id, wanted)
    key = None if after is None else [after]
    rows = await connection.execute(paged(statement, [batches.c.id], key, offset, limit, descending=True))
    return list(rows.mappings()), await counted(connection, _of_store(select(batches.c.id), store_id, wanted))


def _of_store(statement: Select[Any], store_id: int, wanted: Wanted) -> Select[Any]:
    statement = statement.where(batches.c.store_id == store_id)
    if wanted.status is not None:
        statement = statement.where(batches.c.status == wanted.status)
    if wanted.status == "open":  # past its time it is expired, whether or not that was written down yet
        statement = statement.where(batches.c.expires_at > wanted.now)
    for name in ("reference", "mode"):
        if (value := getattr(wanted, name)) is not None:
            statement = statement.where(batches.c[name] == value)
    # A batch's id is made when it is started: by its key, however old it is.
    if wanted.since is not None:
        statement = statement.where(batches.c.id >= first_of(wanted.since))
    if wanted.until is not None:
        statement = statement.where(batches.c.id < first_of(wanted.until))
    return statement


async def refusals(connection: Connection, store_id: int, batch_id: str) -> list[tuple[int, RowMapping]]:
    """Rows that were refused, by code: how many, and the first of them; the most frequent code first."""
    mine = (batch_errors.c.store_id == store_id) & (batch_errors.c.batch_id == batch_id)
    place = batch_errors.c.push * CHUNK + batch_errors.c.row
    counts = await connection.execute(
        select(batch_errors.c.code, func.count(place.distinct()), func.min(place))
        .where(mine)
        .group_by(batch_errors.c.code)
    )
    found = []
    for code, count, first in sorted(counts, key=lambda row: (-row[1], row[0])):
        push, row = divmod(first, CHUNK)
        at = (batch_errors.c.push == push) & (batch_errors.c.row == row) & (batch_errors.c.code == code)
        example = select(batch_errors).where(mine, at).order_by(batch_errors.c.number).limit(1)
        found.append((int(count), (await connection.execute(example)).mappings().one()))
    return found


async def unconfirmed(connection: Connection, store_id: int, batch_id: str, after: str, limit: int) -> list[str]:
    """Displays of a batch that may still be proven, in the order of ids, beyond `after`."""
    rows = await connection.execute(
        select(batch_displays.c.display_id)
        .where(
            batch_displays.c.store_id == store_id,
            batch_displays.c.batch_id == batch_id,
            batch_displays.c.digest.is_not(None),
            tag_may_be_proven,
            batch_displays.c.display_id > after,
        )
        .order_by(batch_displays.c.display_id)
        .limit(limit)
    )
    return list(rows.scalars())
