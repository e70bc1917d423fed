"""What an operator does with the guards of a store, and with a batch that one of them holds."""

from typing import Any

import msgspec

from service import auditing
from service.auditing import Who
from service.batches import batch_states
from service.context import Shelfcast
from service.core.actions import Action
from service.core.batches import Phase, Status
from service.core.guards import Guards
from service.errors import ConflictError
from service.messages.batches import Guards as GuardsMessage
from service.store import batches, products, tenants
from service.store.database import Connection, Record

_decode = msgspec.json.Decoder(Guards).decode
_encode = msgspec.json.Encoder().encode


async def release(ctx: Shelfcast, store_id: int, who: Who, session_id: str) -> None:
    """Let a held batch be saved after all; who did so stays on record.

    Raises NotFoundError, ConflictError if it is not held.
    """
    released = {"status": Status.PROCESSING, "phase": Phase.SAVING, "reason": None, "released_by": who.actor}

    async def work(connection: Connection) -> None:
        batch = await _held(connection, store_id, session_id, "released")
        await batches.set_columns(connection, store_id, session_id, **released)
        await _note(connection, who, ctx.clock(), Action.BATCH_RELEASED, batch)

    await ctx.db.write(work)
    await ctx.bell.ring_saver(store_id)


async def cancel(ctx: Shelfcast, store_id: int, who: Who, session_id: str) -> None:
    """Let nothing of a held batch be saved; who did so stays on record. Raises as `release`."""

    async def work(connection: Connection) -> None:
        batch = await _held(connection, store_id, session_id, "cancelled here")
        now = ctx.clock()
        cancelled = {"status": Status.CANCELLED, "cancelled_by": who.actor, "completed_at": now}
        reason = f"Cancelled by {who.actor}. It was held: {batch['reason']}"
        await batches.set_columns(connection, store_id, session_id, **cancelled, phase=None, reason=reason)
        await batches.drop_staged(connection, store_id, session_id)
        await _note(connection, who, now, Action.BATCH_CANCELLED, batch)

    await ctx.db.write(work)


async def _held(connection: Connection, store_id: int, session_id: str, done: str) -> Record:
    batch = await batch_states.known(connection, store_id, session_id, lock=True)
    if batch["status"] != Status.HELD:
        raise ConflictError(f"The batch is {batch['status']}; only one that is held is {done}.")
    return batch


async def _note(connection: Connection, who: Who, now: int, action: Action, batch: Record) -> None:
    about = (batch["id"], batch["reference"])
    await auditing.note(connection, who, now, action, *about, guard=batch["guard"], reason=batch["reason"])


async def guards(ctx: Shelfcast, store_id: int) -> GuardsMessage:
    """The limits of a store."""
    async with ctx.db.glance() as connection:
        store = await tenants.store_record(connection, store_id)
    return _message(_decode(store["guards"]))


async def set_guards(ctx: Shelfcast, store_id: int, who: Who, changes: dict[str, Any]) -> GuardsMessage:
    """Change some of the limits, which are named as the fields of `core.guards.Guards`: for batches saved from now on.

    Batches that are held stay so.
    """

    async def work(connection: Connection) -> Guards:
        before = _decode((await products.lock_store(connection, store_id))["guards"])
        after = msgspec.structs.replace(before, **changes)
        if after != before:
            await tenants.set_guards(connection, store_id, _encode(after).decode())
            was = {name: getattr(before, name) for name in changes}
            await auditing.note(connection, who, ctx.clock(), Action.GUARDS_CHANGED, before=was, after=changes)
        return after

    return _message(await ctx.db.write(work))


def _message(kept: Guards) -> GuardsMessage:
    return GuardsMessage(**msgspec.structs.asdict(kept))
