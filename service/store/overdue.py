"""Displays that do not show their face though it was wanted long ago, and whose being late nobody was told of yet."""

from collections.abc import Sequence

from sqlalchemy import and_, func, or_, select

from service.store.database import Connection, Record
from service.store.statements import change, is_among
from service.store.tables import display_is_wrong, displays, gateways, update_is_open, updates

Where = Sequence[tuple[int, int | None]]
"""(Organisation, store or None for all of its stores)."""


async def find(connection: Connection, where: Where, before: int, limit: int) -> dict[int, list[str]]:
    """Store -> displays, where these are, that were to show their face before this time, and do not.

    Without those that wait for a gateway that does not answer or that is maintained: that is told of by itself.
    """
    # Plus nothing, so that SQLite reads the few displays that are wrong and not all of an organisation.
    organisation, store = displays.c.organisation_id + 0, displays.c.store_id + 0
    whose = or_(
        *(
            organisation == organisation_id
            if store_id is None
            else and_(organisation == organisation_id, store == store_id)
            for organisation_id, store_id in where
        )
    )
    statement = (
        select(displays.c.store_id, displays.c.id)
        .join(gateways, _ITS_GATEWAY)
        .where(
            display_is_wrong,
            displays.c.desired_digest.is_not(None),
            displays.c.desired_at <= before,
            func.coalesce(displays.c.shown_at, 0) <= before,  # it may have drifted only now
            displays.c.overdue_told.is_distinct_from(displays.c.desired_digest),
            displays.c.retired_at.is_(None),
            gateways.c.unreachable_since.is_(None),
            gateways.c.maintenance_since.is_(None),
            whose,
        )
        .order_by(displays.c.store_id, displays.c.id)
        .limit(limit)
    )
    found: dict[int, list[str]] = {}
    for store_id, id_ in await connection.execute(statement):
        found.setdefault(store_id, []).append(id_)
    return found


_ITS_GATEWAY = (gateways.c.store_id == displays.c.store_id) & (gateways.c.id == displays.c.gateway_id)
_OPEN = (updates.c.store_id == displays.c.store_id) & (updates.c.display_id == displays.c.id) & update_is_open


async def still(connection: Connection, store_id: int, display_ids: Sequence[str], before: int) -> list[Record]:
    """Those of them that are late even now, their rows locked, with how often their update was sent and why not."""
    statement = (
        select(displays, updates.c.attempts, updates.c.error)
        .select_from(displays)
        .outerjoin(updates, _OPEN)
        .where(
            displays.c.store_id == store_id,
            is_among(connection, displays.c.id, display_ids),
            display_is_wrong,
            displays.c.desired_digest.is_not(None),
            displays.c.desired_at <= before,
            displays.c.overdue_told.is_distinct_from(displays.c.desired_digest),
            displays.c.retired_at.is_(None),
        )
        .order_by(displays.c.id)
        .with_for_update(key_share=True, of=displays)
    )
    return list((await connection.execute(statement)).mappings())


async def mark(connection: Connection, rows: Sequence[Record]) -> None:
    """Somebody was told of these."""
    marks = [{"store_id": row["store_id"], "id": row["id"], "overdue_told": row["desired_digest"]} for row in rows]
    await change(connection, displays, marks, ("store_id", "id"))
