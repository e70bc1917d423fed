"""Statements about lights that are to be flashed, so that staff find a display."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import RowMapping, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from service.store.chain_tables import blinks
from service.store.statements import is_among
from service.store.tables import displays


async def ask(connection: AsyncConnection, row: dict[str, Any]) -> None:
    await connection.execute(insert(blinks).values(**row))


async def get(connection: AsyncConnection, store_id: int, display_id: str, blink_id: str) -> RowMapping | None:
    rows = await connection.execute(
        select(blinks).where(blinks.c.store_id == store_id, blinks.c.display_id == display_id, blinks.c.id == blink_id)
    )
    return rows.mappings().first()


async def claim(
    connection: AsyncConnection, store_id: int, gateway_id: str, worker: str, now: int, until: int, limit: int
) -> list[RowMapping]:
    """Some that this gateway is to flash now, with their displays' addresses, leased to this worker."""
    due = (
        select(blinks, displays.c.address)
        .join(displays, (displays.c.store_id == blinks.c.store_id) & (displays.c.id == blinks.c.display_id))
        .where(
            blinks.c.store_id == store_id,
            blinks.c.gateway_id == gateway_id,
            blinks.c.done_at.is_(None),
            blinks.c.expires_at > now,
            or_(blinks.c.lease_until.is_(None), blinks.c.lease_until <= now),
        )
        .order_by(blinks.c.id)
        .limit(limit)
        .with_for_update(of=blinks, skip_locked=True)
    )
    found = list((await connection.execute(due)).mappings())
    ids = [row["id"] for row in found]
    await connection.execute(
        update(blinks)
        .where(blinks.c.store_id == store_id, is_among(connection, blinks.c.id, ids))
        .values(worker=worker, lease_until=until)
    )
    return found


async def close(
    connection: AsyncConnection, store_id: int, blink_id: str, worker: str, now: int, error: str | None
) -> None:
    """Note what became of one that this worker still has."""
    mine = (blinks.c.store_id == store_id) & (blinks.c.id == blink_id) & (blinks.c.worker == worker)
    await connection.execute(update(blinks).where(mine, blinks.c.done_at.is_(None)).values(done_at=now, error=error))


async def expire(connection: AsyncConnection, keys: Collection[tuple[int, str]], now: int) -> None:
    for store_id, id_ in sorted(keys):
        mine = (blinks.c.store_id == store_id) & (blinks.c.id == id_) & blinks.c.done_at.is_(None)
        await connection.execute(update(blinks).where(mine).values(done_at=now, error=EXPIRED))


EXPIRED = "expired"


async def open_ones(connection: AsyncConnection, limit: int) -> list[RowMapping]:
    """What nobody has flashed yet, in all stores."""
    columns = (blinks.c.store_id, blinks.c.id, blinks.c.gateway_id, blinks.c.expires_at, blinks.c.lease_until)
    statement = select(*columns).where(blinks.c.done_at.is_(None)).limit(limit)
    return list((await connection.execute(statement)).mappings())
