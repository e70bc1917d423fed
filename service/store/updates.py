"""Updates: what is due, what is in the air, what became of it. Their display's row is locked before they change."""

from collections.abc import Collection

from sqlalchemy import RowMapping, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from service.store.statements import Rows, change, chunks, is_among, upsert
from service.store.tables import displays, faces, gateways, update_is_open, update_is_pending, update_is_sent, updates


async def open_of(connection: AsyncConnection, store_id: int, display_ids: Collection[str]) -> dict[str, RowMapping]:
    """Display -> its open update."""
    found: dict[str, RowMapping] = {}
    for some in chunks(sorted(display_ids)):
        rows = await connection.execute(
            select(updates).where(
                updates.c.store_id == store_id, is_among(connection, updates.c.display_id, some), update_is_open
            )
        )
        found.update((row["display_id"], row) for row in rows.mappings().all())
    return found


async def by_id(connection: AsyncConnection, store_id: int, ids: Collection[str]) -> dict[str, RowMapping]:
    found: dict[str, RowMapping] = {}
    for some in chunks(sorted(ids)):
        rows = await connection.execute(
            select(updates).where(updates.c.store_id == store_id, is_among(connection, updates.c.id, some))
        )
        found.update((row["id"], row) for row in rows.mappings().all())
    return found


async def by_mark(
    connection: AsyncConnection, store_id: int, display_ids: Collection[str], marks: Collection[str]
) -> dict[tuple[str, str], RowMapping]:
    """(Display, mark) -> the newest update that the hardware would report so."""
    found: dict[tuple[str, str], RowMapping] = {}
    for some in chunks(sorted(display_ids)):
        rows = await connection.execute(
            select(updates)
            .where(
                updates.c.store_id == store_id,
                is_among(connection, updates.c.display_id, some),
                is_among(connection, updates.c.mark, sorted(marks)),
            )
            .order_by(updates.c.revision)
        )
        found.update(((row["display_id"], row["mark"]), row) for row in rows.mappings().all())
    return found


async def due(
    connection: AsyncConnection, store_id: int, gateway_id: str, now: int, ended: int, limit: int
) -> list[tuple[str, str]]:
    """(Display, update) of what may be sent now; nothing newer than a push that may still be in the air.

    Leases up to `ended` are over.
    """
    statement = (
        select(updates.c.display_id, updates.c.id)
        .join(displays, (displays.c.store_id == updates.c.store_id) & (displays.c.id == updates.c.display_id))
        .where(
            updates.c.store_id == store_id,
            updates.c.gateway_id == gateway_id,
            update_is_pending,
            updates.c.due_at <= now,
            or_(
                displays.c.pusher_until.is_(None),
                displays.c.pusher_until <= ended,
                displays.c.pusher.is_(None) & (displays.c.pushed_revision == updates.c.revision),
            ),
            displays.c.retired_at.is_(None),
        )
        .order_by(updates.c.due_at)
        .limit(limit)
    )
    return [(display_id, id_) for display_id, id_ in await connection.execute(statement)]


async def contents(connection: AsyncConnection, store_id: int, digests: Collection[str]) -> dict[str, str]:
    """Digest -> content of the face."""
    found: dict[str, str] = {}
    for some in chunks(sorted(set(digests))):
        rows = await connection.execute(
            select(faces.c.digest, faces.c.content).where(
                faces.c.store_id == store_id, is_among(connection, faces.c.digest, some)
            )
        )
        found.update((digest, content) for digest, content in rows)
    return found


async def overdue(connection: AsyncConnection, now: int, limit: int) -> dict[int, list[str]]:
    """Store -> displays whose proof should have come by now, but of a gateway in maintenance, which nobody asks."""
    maintained = exists().where(
        gateways.c.store_id == updates.c.store_id,
        gateways.c.id == updates.c.gateway_id,
        gateways.c.maintenance_since.is_not(None),
    )
    statement = (
        select(updates.c.store_id, updates.c.display_id)
        .where(update_is_sent, updates.c.confirm_by <= now, ~maintained)
        .order_by(updates.c.store_id, updates.c.gateway_id, updates.c.confirm_by)  # as its index
        .limit(limit)
    )
    found: dict[int, list[str]] = {}
    for store_id, display_id in await connection.execute(statement):
        found.setdefault(store_id, []).append(display_id)
    return found


async def insert(connection: AsyncConnection, rows: Rows) -> None:
    await upsert(connection, updates, rows, ("store_id", "id"))


async def move(connection: AsyncConnection, store_id: int, gateway_of: dict[str, str], now: int) -> None:
    """Let open updates follow their displays to another gateway, to be sent there, whatever the old one was told."""
    rows = [
        {
            "store_id": store_id,
            "id": row["id"],
            "gateway_id": gateway_of[display_id],
            "phase": "PENDING",
            "due_at": now,
            "confirm_by": None,
        }
        for display_id, row in (await open_of(connection, store_id, gateway_of)).items()
        if row["gateway_id"] != gateway_of[display_id]
    ]
    await set_columns(connection, rows)


async def set_columns(connection: AsyncConnection, rows: Rows) -> None:
    """Set some columns of known updates; each row holds store_id, id and the same columns."""
    await change(connection, updates, rows, ("store_id", "id"))
