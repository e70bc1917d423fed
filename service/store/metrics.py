"""Figures of the whole installation, counted in the database when somebody asks for them."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import Row, and_, case, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from service.store.tables import (
    batches,
    bindings,
    display_is_wrong,
    displays,
    gateways,
    stores,
    update_is_open,
    update_is_pending,
    updates,
)

Counts = dict[tuple[str, str], int]
"""(environment, state) -> how many"""


class Figures(msgspec.Struct, frozen=True):
    """How things stand.

    Attributes:
        displays: By right, wrong, and unbound (shows no product).
        updates: Those on their way, by phase; closed ones are history.
        batches: By status.
        gateways: By reachable, unreachable and maintenance.
        overdue: Environment -> milliseconds that its oldest due update has waited.
    """

    displays: Counts
    updates: Counts
    batches: Counts
    gateways: Counts
    overdue: dict[str, int]


async def figures(conn: AsyncConnection, now: int) -> Figures:
    return Figures(
        displays=await _displays(conn),
        updates=await _updates(conn),
        batches=await _batches(conn),
        gateways=await _gateways(conn),
        overdue=await _overdue(conn, now),
    )


async def _displays(conn: AsyncConnection) -> Counts:
    bound = (
        select(bindings.c.store_id, bindings.c.display_id)
        .where(bindings.c.unbound_at.is_(None))
        .distinct()
        .subquery("bound")
    )
    state = case((display_is_wrong, "wrong"), (bound.c.display_id.is_(None), "unbound"), else_="right")
    joined = displays.join(stores, stores.c.id == displays.c.store_id).outerjoin(
        bound, and_(bound.c.store_id == displays.c.store_id, bound.c.display_id == displays.c.id)
    )
    query = select(stores.c.environment, state, func.count()).select_from(joined)
    rows = await conn.execute(query.where(displays.c.retired_at.is_(None)).group_by(stores.c.environment, state))
    return _counts(rows.all())


async def _updates(conn: AsyncConnection) -> Counts:
    query = (
        select(stores.c.environment, updates.c.phase, func.count())
        .join_from(updates, stores, stores.c.id == updates.c.store_id)
        .where(update_is_open)
        .group_by(stores.c.environment, updates.c.phase)
    )
    return _counts((await conn.execute(query)).all())


async def _batches(conn: AsyncConnection) -> Counts:
    query = (
        select(stores.c.environment, batches.c.status, func.count())
        .join_from(batches, stores, stores.c.id == batches.c.store_id)
        .group_by(stores.c.environment, batches.c.status)
    )
    return _counts((await conn.execute(query)).all())


async def _gateways(conn: AsyncConnection) -> Counts:
    state = case(
        (gateways.c.maintenance_since.is_not(None), "maintenance"),
        (gateways.c.unreachable_since.is_(None), "reachable"),
        else_="unreachable",
    )
    query = (
        select(stores.c.environment, state, func.count())
        .join_from(gateways, stores, stores.c.id == gateways.c.store_id)
        .where(gateways.c.retired_at.is_(None))
        .group_by(stores.c.environment, state)
    )
    return _counts((await conn.execute(query)).all())


async def _overdue(conn: AsyncConnection, now: int) -> dict[str, int]:
    query = (
        select(stores.c.environment, func.min(updates.c.due_at))
        .join_from(updates, stores, stores.c.id == updates.c.store_id)
        .where(update_is_pending, updates.c.due_at <= now)
        .group_by(stores.c.environment)
    )
    return {environment: now - due for environment, due in (await conn.execute(query)).all()}


def _counts(rows: Sequence[Row[str, str, int]]) -> Counts:
    return {(environment, state): count for environment, state, count in rows}
