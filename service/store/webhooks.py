"""Statements about endpoints, the events they are told of, and the deliveries of these."""

import msgspec
from sqlalchemy import select

from service.store.chain_tables import deliveries, events, webhooks
from service.store.database import Connection
from service.store.statements import Rows, upsert
from service.store.tables import stores

_decode = msgspec.json.Decoder(list[str]).decode


async def asking_for(connection: Connection, store_id: int, kind: str) -> list[str]:
    """Ids of the endpoints that are to be told of such an event in this store."""
    whose = select(stores.c.organisation_id).where(stores.c.id == store_id).scalar_subquery()
    statement = select(webhooks.c.id, webhooks.c.kinds).where(
        webhooks.c.organisation_id == whose,
        webhooks.c.store_id.is_(None) | (webhooks.c.store_id == store_id),
        webhooks.c.disabled_at.is_(None),
    )
    return [id_ for id_, kinds in await connection.execute(statement) if kind in _decode(kinds)]


async def insert_events(connection: Connection, rows: Rows) -> None:
    await upsert(connection, events, rows, ("store_id", "id"))


async def insert_deliveries(connection: Connection, rows: Rows) -> None:
    await upsert(connection, deliveries, rows, ("store_id", "id"))
