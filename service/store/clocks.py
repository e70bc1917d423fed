"""The present as the database last saw it, and what becomes of times that were written by a clock that was ahead.

All over the service times are compared with the present: what is due, whose lease has ended, until when a face is to
be proven. Once the machine's clock is turned back, what was written before lies too far ahead and would be waited for.
"""

from typing import Any

from sqlalchemy import Column, select, true, update
from sqlalchemy.dialects import postgresql, sqlite

from service.store.chain_tables import (
    blink_is_due,
    blinks,
    deliveries,
    delivery_is_pending,
    imports,
    sweeps,
    webhooks,
)
from service.store.database import Connection
from service.store.tables import batches, displays, gateways, rounds, stores, update_is_open, updates

TOLERATED = 30_000
"""Milliseconds by which the clocks of two machines may differ without being taken for one that was turned back."""

WAITED_FOR: tuple[tuple[Column[Any], Any], ...] = (
    *((column, true()) for column in (gateways.c.next_push_at, gateways.c.next_poll_at, gateways.c.next_audit_at)),
    *((column, true()) for column in (gateways.c.reached_at, gateways.c.unreachable_since)),
    *((column, true()) for column in (displays.c.retry_at, displays.c.shown_at)),
    *((column, update_is_open) for column in (updates.c.due_at, updates.c.confirm_by)),
    (batches.c.verifying_at, batches.c.phase.is_not(None)),
    *((column, true()) for column in (webhooks.c.paused_until, webhooks.c.failing_since)),
    (deliveries.c.due_at, delivery_is_pending),
    (blinks.c.expires_at, blink_is_due),
    (sweeps.c.next_at, true()),
)
"""Times, and of which rows. Not of evidence: what was written down as the time of something stays."""
LEASES = (
    stores.c.saver_until, gateways.c.pusher_until, gateways.c.listener_until, displays.c.pusher_until,
    deliveries.c.lease_until, blinks.c.lease_until, imports.c.lease_until,
)  # fmt: skip


async def heed(connection: Connection, now: int, lease: int) -> int:
    """Note the present, and set back what lies ahead if the clock was turned back since; by how much (ms), or 0.

    A lease (ms) is shortened to its length from now: who holds one and lives renews it in time.
    """
    before = (await connection.execute(select(rounds.c.at).with_for_update())).scalar_one_or_none()
    await _note(connection, now)
    back = (before or now) - now
    if back <= TOLERATED:
        return 0
    for column, which in WAITED_FOR:
        ahead = update(column.table).where(column > now, which)
        await connection.execute(ahead.values({column: column - back}))
    for column in LEASES:
        await connection.execute(update(column.table).where(column > now + lease).values({column: now + lease}))
    return back


async def _note(connection: Connection, now: int) -> None:
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    row = insert(rounds).values(id=1, at=now)
    await connection.execute(row.on_conflict_do_update(index_elements=["id"], set_={"at": now}))
