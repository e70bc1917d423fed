"""Endpoints that are told of events: who they are, and which of them an event goes to."""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Select, bindparam, delete, select, update

from service.core.webhooks import Endpoint
from service.store.chain_tables import webhooks
from service.store.database import Connection, Record
from service.store.pages import counted, paged
from service.store.tables import organisations, stores

_decode = msgspec.json.Decoder(list[str]).decode

# Made once: it is asked in transactions of the feed.
_OF_STORE = (
    select(stores.c.organisation_id.label("of"), webhooks.c.id, webhooks.c.organisation_id, webhooks.c.kinds)
    .join(webhooks, webhooks.c.organisation_id.is_(None) | (webhooks.c.organisation_id == stores.c.organisation_id))
    .where(
        stores.c.id == bindparam("of_store"),
        webhooks.c.store_id.is_(None) | (webhooks.c.store_id == stores.c.id),
        webhooks.c.disabled_at.is_(None),
    )
    .order_by(webhooks.c.id)
)
_WITH_NAMES = (
    select(webhooks, stores.c.slug.label("store"), organisations.c.slug.label("organisation"))
    .outerjoin(stores, stores.c.id == webhooks.c.store_id)
    .outerjoin(organisations, organisations.c.id == webhooks.c.organisation_id)
)


async def near(connection: Connection, store_id: int) -> tuple[int, list[Endpoint]]:
    """The store's organisation (0 where it has none), and the enabled endpoints that hear of this store."""
    rows = (await connection.execute(_OF_STORE, {"of_store": store_id})).all()
    endpoints = [Endpoint(id_, whose, None, _decode(kinds)) for _, id_, whose, kinds in rows]
    return (rows[0][0] if rows else 0), endpoints


async def wanting(connection: Connection, kind: str) -> list[tuple[int, int | None]]:
    """(Organisation, store or None for all of its stores) where an enabled endpoint wants this kind."""
    statement = select(webhooks.c.organisation_id, webhooks.c.store_id, webhooks.c.kinds).where(
        webhooks.c.disabled_at.is_(None), webhooks.c.organisation_id.is_not(None)
    )
    rows = await connection.execute(statement)
    return [(whose, store_id) for whose, store_id, kinds in rows if kind in (_decode(kinds) or [kind])]


async def insert(connection: Connection, row: dict[str, Any]) -> None:
    await connection.execute(webhooks.insert(), row)


async def get(connection: Connection, webhook_id: str) -> Record | None:
    """With the slugs of its store and its organisation."""
    return (await connection.execute(_WITH_NAMES.where(webhooks.c.id == webhook_id))).mappings().first()


async def lock(connection: Connection, webhook_id: str) -> Record | None:
    """The endpoint, held to the end of the transaction."""
    statement = select(webhooks).where(webhooks.c.id == webhook_id).with_for_update()
    return (await connection.execute(statement)).mappings().first()


async def set_columns(connection: Connection, webhook_id: str, **columns: Any) -> None:
    await connection.execute(update(webhooks).where(webhooks.c.id == webhook_id).values(**columns))


async def remove(connection: Connection, webhook_id: str) -> None:
    await connection.execute(delete(webhooks).where(webhooks.c.id == webhook_id))


async def listing(
    connection: Connection,
    organisation_id: int | None,
    store_id: int | None,
    after: Sequence[Any] | None,
    offset: int,
    limit: int,
) -> list[Record]:
    """Endpoints of an organisation, or of one of its stores, in the order in which they were made."""
    statement = _of(organisation_id, store_id, _WITH_NAMES)
    return list((await connection.execute(paged(statement, [webhooks.c.id], after, offset, limit))).mappings())


async def count(connection: Connection, organisation_id: int | None, store_id: int | None) -> int | None:
    return await counted(connection, _of(organisation_id, store_id, select(webhooks.c.id)))


async def organisation_id(connection: Connection, slug: str) -> int | None:
    found: int | None = await connection.scalar(select(organisations.c.id).where(organisations.c.slug == slug))
    return found


async def everywhere(connection: Connection) -> list[Record]:
    """All endpoints of all organisations, the operator's own too."""
    return list((await connection.execute(_WITH_NAMES.order_by(webhooks.c.id))).mappings())


def _of(organisation_id: int | None, store_id: int | None, statement: Select[Any]) -> Select[Any]:
    where: list[ColumnElement[bool]] = [webhooks.c.organisation_id == organisation_id]
    if store_id is not None:
        where.append(webhooks.c.store_id == store_id)
    return statement.where(*where)
