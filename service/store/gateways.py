"""Gateways: which have something to do, who does it, and whether they answer."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import RowMapping, exists, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from service.store.statements import is_among
from service.store.tables import displays, gateways, update_is_pending, update_is_sent, updates

IN_SERVICE = gateways.c.retired_at.is_(None) & gateways.c.maintenance_since.is_(None)
"""Of a gateway that is pushed to, polled and listened to."""


async def get(connection: AsyncConnection, store_id: int, gateway_id: str) -> RowMapping | None:
    rows = await connection.execute(
        select(gateways).where(
            gateways.c.store_id == store_id, gateways.c.id == gateway_id, gateways.c.retired_at.is_(None)
        )
    )
    return rows.mappings().first()


async def lease(
    connection: AsyncConnection, store_id: int, gateway_id: str, role: str, holder: str, now: int, until: int
) -> bool:
    """Take or renew a gateway for one holder in a role ("pusher" or "listener").

    False if another one has it, or if it is not in service.
    """
    owner, ends = gateways.c[role], gateways.c[f"{role}_until"]
    statement = (
        update(gateways)
        .where(
            gateways.c.store_id == store_id,
            gateways.c.id == gateway_id,
            IN_SERVICE,
            or_(owner.is_(None), owner == holder, ends <= now),
        )
        .values({role: holder, f"{role}_until": until})
    )
    return (await connection.execute(statement)).rowcount == 1


async def release(connection: AsyncConnection, store_id: int, gateway_id: str, role: str, holder: str) -> None:
    await connection.execute(
        update(gateways)
        .where(gateways.c.store_id == store_id, gateways.c.id == gateway_id, gateways.c[role] == holder)
        .values({role: None, f"{role}_until": None})
    )


async def take_turn(
    connection: AsyncConnection, store_id: int, gateway_id: str, column: str, now: int, following: int
) -> bool:
    """Move the time in `column` to `following` if it has come.

    False if somebody else did so first, or if the gateway is not in service.
    """
    due = gateways.c[column]
    statement = (
        update(gateways)
        .where(gateways.c.store_id == store_id, gateways.c.id == gateway_id, IN_SERVICE)
        .where(due.is_(None) | (due <= now))
        .values({column: following})
    )
    return (await connection.execute(statement)).rowcount == 1


async def set_columns(connection: AsyncConnection, store_id: int, gateway_id: str, **columns: Any) -> None:
    await connection.execute(
        update(gateways).where(gateways.c.store_id == store_id, gateways.c.id == gateway_id).values(**columns)
    )


async def try_now(connection: AsyncConnection, store_id: int, ids: Collection[str]) -> None:
    """Let these be pushed to at once, however long they did not answer."""
    some = (gateways.c.store_id == store_id) & is_among(connection, gateways.c.id, ids)
    await connection.execute(update(gateways).where(some).values(next_push_at=None))


async def note_info(connection: AsyncConnection, store_id: int, gateway_id: str, info: str) -> None:
    """What its driver states of it now."""
    await set_columns(connection, store_id, gateway_id, info=info)


async def with_due(connection: AsyncConnection, now: int) -> list[tuple[int, str]]:
    """(Store, gateway) with updates to send now, left alone until `next_push_at` if they did not answer."""
    statement = (
        select(gateways.c.id, gateways.c.store_id)
        .distinct()
        .join(updates, (updates.c.store_id == gateways.c.store_id) & (updates.c.gateway_id == gateways.c.id))
        .where(
            update_is_pending,
            updates.c.due_at <= now,
            IN_SERVICE,
            gateways.c.next_push_at.is_(None) | (gateways.c.next_push_at <= now),
        )
    )
    return [(store_id, id_) for id_, store_id in await connection.execute(statement)]


async def to_poll(connection: AsyncConnection, now: int) -> list[tuple[int, str]]:
    """(Store, gateway) with displays whose proof may have come, also where only the answer to their push was lost."""
    unproven = exists().where(
        updates.c.store_id == gateways.c.store_id,
        updates.c.gateway_id == gateways.c.id,
        update_is_sent | (update_is_pending & updates.c.error.is_not(None)),
    )
    statement = select(gateways.c.store_id, gateways.c.id).where(
        IN_SERVICE,
        gateways.c.next_poll_at.is_(None) | (gateways.c.next_poll_at <= now),
        unproven,
    )
    return [(store_id, id_) for store_id, id_ in await connection.execute(statement)]


async def to_audit(connection: AsyncConnection, now: int) -> list[tuple[int, str]]:
    """(Store, gateway) whose displays have not all been asked for a while."""
    has_displays = exists().where(
        displays.c.store_id == gateways.c.store_id,
        displays.c.gateway_id == gateways.c.id,
        displays.c.retired_at.is_(None),
    )
    statement = select(gateways.c.store_id, gateways.c.id).where(
        IN_SERVICE,
        gateways.c.next_audit_at.is_(None) | (gateways.c.next_audit_at <= now),
        has_displays,
    )
    return [(store_id, id_) for store_id, id_ in await connection.execute(statement)]


async def unheard(connection: AsyncConnection, now: int) -> list[tuple[int, str]]:
    """(Store, gateway) that nobody listens to, without those that did not answer just now."""
    statement = select(gateways.c.store_id, gateways.c.id).where(
        IN_SERVICE,
        gateways.c.listener_until.is_(None) | (gateways.c.listener_until <= now),
        gateways.c.next_push_at.is_(None) | (gateways.c.next_push_at <= now),
    )
    return [(store_id, id_) for store_id, id_ in await connection.execute(statement)]
