"""Events, and the deliveries of each to the endpoints that wanted it: what is due, who posts it, what became of it."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, exists, func, select, tuple_
from sqlalchemy.sql.selectable import Subquery

from service.store.chain_tables import deliveries, delivery_is_pending, events, webhooks
from service.store.database import Connection, Record
from service.store.pages import counted, paged
from service.store.statements import Rows, change, upsert
from service.store.tables import stores

_ITS_EVENT = (events.c.store_id == deliveries.c.store_id) & (events.c.id == deliveries.c.event_id)
_KEY = ("store_id", "id")


async def insert_events(connection: Connection, rows: Rows) -> None:
    await upsert(connection, events, rows, _KEY)


async def insert(connection: Connection, rows: Rows) -> None:
    await upsert(connection, deliveries, rows, _KEY)


async def endpoints_due(connection: Connection, now: int) -> list[str]:
    """Enabled endpoints that something may be posted to now."""
    statement = (
        select(webhooks.c.id)
        .where(
            webhooks.c.disabled_at.is_(None),
            webhooks.c.paused_until.is_(None) | (webhooks.c.paused_until <= now),
            exists().where(deliveries.c.webhook_id == webhooks.c.id, *_is_due(now)),
        )
        .order_by(webhooks.c.id)
    )
    return list((await connection.execute(statement)).scalars())


def _is_due(now: int) -> tuple[ColumnElement[bool], ...]:
    free = deliveries.c.lease_until.is_(None) | (deliveries.c.lease_until <= now)
    return delivery_is_pending, deliveries.c.due_at <= now, free


async def in_flight(connection: Connection, webhook_id: str, now: int) -> int:
    """Deliveries that some worker posts to this endpoint now."""
    statement = select(func.count()).where(deliveries.c.webhook_id == webhook_id, deliveries.c.lease_until > now)
    return int((await connection.execute(statement)).scalar_one())


async def due(connection: Connection, webhook_id: str, now: int, limit: int) -> list[Record]:
    """What is due to one endpoint, the longest due first, with its event. The endpoint's row is locked."""
    statement = (
        select(
            deliveries.c.store_id,
            deliveries.c.id,
            deliveries.c.event_id,
            deliveries.c.attempts,
            deliveries.c.created_at,
            deliveries.c.log,
            *_EVENT,
        )
        .join(events, _ITS_EVENT)
        .join(stores, stores.c.id == deliveries.c.store_id)
        .where(deliveries.c.webhook_id == webhook_id, *_is_due(now))
        .order_by(deliveries.c.due_at, deliveries.c.id)
        .limit(limit)
    )
    return list((await connection.execute(statement)).mappings())


_EVENT = (events.c.kind, events.c.data, events.c.at, stores.c.slug.label("store"))


async def held_by(connection: Connection, rows: Sequence[tuple[int, str]], worker: str) -> set[str]:
    """Ids of those of these (store, id) deliveries that are still this worker's to decide on."""
    statement = select(deliveries.c.id).where(
        tuple_(deliveries.c.store_id, deliveries.c.id).in_(rows), delivery_is_pending, deliveries.c.worker == worker
    )
    return set((await connection.execute(statement)).scalars())


async def set_columns(connection: Connection, rows: Rows) -> None:
    """Set some columns of known deliveries; each row holds store_id, id and the same columns."""
    await change(connection, deliveries, rows, _KEY)


async def get(connection: Connection, organisation_id: int | None, delivery_id: str) -> Record | None:
    """One delivery with its event and its endpoint, in the stores of one organisation, or (None) of all."""
    own = select(stores.c.id)
    if organisation_id is not None:
        own = own.where(stores.c.organisation_id == organisation_id)
    statement = (
        select(
            deliveries,
            *_EVENT,
            webhooks.c.organisation_id,
            webhooks.c.store_id.label("of_store"),
            webhooks.c.url,
            webhooks.c.disabled_at,
        )
        .join(events, _ITS_EVENT)
        .join(stores, stores.c.id == deliveries.c.store_id)
        .join(webhooks, webhooks.c.id == deliveries.c.webhook_id)
        .where(deliveries.c.store_id.in_(own), deliveries.c.id == delivery_id)
    )
    return (await connection.execute(statement)).mappings().first()


async def listing(
    connection: Connection,
    webhook_id: str,
    state: str | None,
    kind: str | None,
    after: Sequence[Any] | None,
    offset: int,
    limit: int,
) -> list[Record]:
    """An endpoint's deliveries, the newest first."""
    statement = _of_endpoint(webhook_id, state, kind, select(deliveries, stores.c.slug.label("store"))).join(
        stores, stores.c.id == deliveries.c.store_id
    )
    statement = paged(statement, [deliveries.c.id], after, offset, limit, descending=True)
    return list((await connection.execute(statement)).mappings())


async def count(connection: Connection, webhook_id: str, state: str | None, kind: str | None) -> int | None:
    return await counted(connection, _of_endpoint(webhook_id, state, kind, select(deliveries.c.id)))


def _of_endpoint(webhook_id: str, state: str | None, kind: str | None, statement: Select[Any]) -> Select[Any]:
    where = [deliveries.c.webhook_id == webhook_id]
    if state is not None:
        where.append(deliveries.c.state == state)
    if kind is not None:
        where.append(deliveries.c.kind == kind)
    return statement.where(*where)


async def events_of(
    connection: Connection,
    organisation_id: int,
    store_id: int | None,
    kind: str | None,
    between: tuple[int | None, int | None],
    after: Sequence[Any] | None,
    offset: int,
    limit: int,
) -> list[Record]:
    """Events of an organisation, or of one of its stores, the newest first; `between`: from, and up to but not at."""
    where = [events.c.organisation_id == organisation_id if store_id is None else events.c.store_id == store_id]
    if kind is not None:
        where.append(events.c.kind == kind)
    if between[0] is not None:
        where.append(events.c.at >= between[0])
    if between[1] is not None:
        where.append(events.c.at < between[1])
    statement = select(events.c.id, *_EVENT).join(stores, stores.c.id == events.c.store_id).where(*where)
    statement = paged(statement, [events.c.at, events.c.id], after, offset, limit, descending=True)
    return list((await connection.execute(statement)).mappings())


async def forget(connection: Connection, before: int, limit: int) -> int:
    """Drop deliveries made before this time, and events of before it that none is left of; how many rows went."""
    old = select(deliveries.c.store_id, deliveries.c.id).where(deliveries.c.created_at < before).limit(limit).subquery()
    gone = (await connection.execute(delete(deliveries).where(_in(deliveries, old)))).rowcount
    wanted = exists().where(_ITS_EVENT)
    unwanted = select(events.c.store_id, events.c.id).where(events.c.at < before, ~wanted).limit(limit).subquery()
    return gone + (await connection.execute(delete(events).where(_in(events, unwanted)))).rowcount


def _in(table: Any, keys: Subquery) -> ColumnElement[bool]:
    return tuple_(table.c.store_id, table.c.id).in_(select(keys.c.store_id, keys.c.id))
