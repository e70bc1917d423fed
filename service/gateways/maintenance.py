"""Somebody works on a gateway: its updates wait, unspent; it is neither pushed to, polled nor listened to.

Its displays say so as their reason, no batch waits for them, and that it does not answer is no news. Afterwards
everything goes on at once.
"""

from service import auditing
from service.auditing import Who
from service.context import Shelfcast
from service.core.actions import Action
from service.errors import ConflictError
from service.gateways import gateway_setup
from service.store import displays, gateway_lists, gateways, updates
from service.store.database import Connection, Record
from service.store.statements import CHUNK


async def begin(ctx: Shelfcast, store_id: int, who: Who, named: str, reason: str) -> None:
    """From now on; of a gateway that is in maintenance already, the reason is changed. Raises ConflictError.

    A push that is under way is finished.
    """

    async def work(connection: Connection) -> None:
        gateway = await gateway_setup.known(connection, store_id, named, lock=True)
        if gateway["retired_at"] is not None:
            raise ConflictError(f"Gateway {gateway['name']} is retired: there is nothing that could wait.")
        if gateway["maintenance_reason"] == reason:
            return
        now = ctx.clock()
        columns = {
            "maintenance_since": gateway["maintenance_since"] or now,
            "maintenance_by": who.actor,
            "maintenance_reason": reason,
        }
        await gateways.set_columns(connection, store_id, gateway["id"], **columns)
        about = (gateway["id"], gateway["name"])
        await auditing.note(connection, who, now, Action.MAINTENANCE_BEGUN, *about, reason=reason)

    await ctx.db.write(work)


async def end(ctx: Shelfcast, store_id: int, who: Who, named: str) -> None:
    """Its updates go out at once, however long they were to wait. Nothing changes where there is no maintenance."""
    gateway = await ctx.db.write(_ended, ctx, store_id, who, named)
    after: str | None = ""
    while after is not None:
        after = await ctx.db.write(_hurry, store_id, gateway["id"], ctx.clock(), after)
    await ctx.bell.ring_poll(store_id, gateway["id"])
    await ctx.bell.ring_gateway(store_id, gateway["id"])


async def _ended(connection: Connection, ctx: Shelfcast, store_id: int, who: Who, named: str) -> Record:
    gateway = await gateway_setup.known(connection, store_id, named, lock=True)
    since = gateway["maintenance_since"]
    if since is not None:
        now = ctx.clock()
        none = dict.fromkeys(("maintenance_since", "maintenance_by", "maintenance_reason"))
        at_once = dict.fromkeys(("next_push_at", "next_poll_at", "next_audit_at"))
        await gateways.set_columns(connection, store_id, gateway["id"], **none, **at_once)
        about = (gateway["id"], gateway["name"])
        await auditing.note(connection, who, now, Action.MAINTENANCE_ENDED, *about, seconds=(now - since) // 1000)
    return gateway


async def _hurry(connection: Connection, store_id: int, gateway_id: str, now: int, after: str) -> str | None:
    """Let the next updates beyond display `after` that wait for a later moment be due; the last of them, or None."""
    some = await gateway_lists.postponed(connection, store_id, gateway_id, now, after, CHUNK)
    if not some:
        return None
    await displays.lock(connection, store_id, some)
    driven = await updates.open_of(connection, store_id, some)
    due = [
        {"store_id": store_id, "id": row["id"], "due_at": min(now, row["due_at"])}
        for row in driven.values()
        if row["gateway_id"] == gateway_id and row["phase"] == "PENDING"
    ]
    await updates.set_columns(connection, due)
    return some[-1]
