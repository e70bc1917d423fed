"""Statements of the audit log."""

from typing import Any

import msgspec
from sqlalchemy import RowMapping, Select, select

from service.ids import first_of
from service.store.chain_tables import audit
from service.store.database import Connection
from service.store.pages import counted, paged
from service.store.tables import stores


class Wanted(msgspec.Struct, frozen=True):
    """Which changes. Without an organisation: of all; without a store: of all. Times in milliseconds."""

    organisation_id: int | None
    store_id: int | None
    action: str | None = None
    subject: str | None = None
    since: int | None = None
    until: int | None = None


async def insert(connection: Connection, row: dict[str, Any]) -> None:
    await connection.execute(audit.insert(), row)


async def listing(
    connection: Connection, wanted: Wanted, after: str | None, offset: int, limit: int
) -> tuple[list[RowMapping], int | None]:
    """Changes with the slug of their store, the newest first, and how many they are."""
    total = await counted(connection, _chosen(select(audit.c.id), wanted))
    with_store = select(audit, stores.c.slug.label("store")).outerjoin(stores, stores.c.id == audit.c.store_id)
    named = _chosen(with_store, wanted)
    key = None if after is None else [after]
    rows = await connection.execute(paged(named, [audit.c.id], key, offset, limit, descending=True))
    return list(rows.mappings()), total


def _chosen(statement: Select[Any], wanted: Wanted) -> Select[Any]:
    for name in ("organisation_id", "store_id", "action", "subject"):
        if (value := getattr(wanted, name)) is not None:
            statement = statement.where(audit.c[name] == value)
    # An entry's id is made when it is written: by its key, however long the log is.
    if wanted.since is not None:
        statement = statement.where(audit.c.id >= first_of(wanted.since))
    if wanted.until is not None:
        statement = statement.where(audit.c.id < first_of(wanted.until))
    return statement
