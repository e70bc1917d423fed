"""The bytes of imports that are over are let go of, and what nobody was rung for is found: a step of the reconciler."""

from service.context import Shelfcast
from service.core.imports import Status
from service.store import imports
from service.store.database import Connection

EXPIRED = "It was not finalized in time; nothing of it was saved."


async def drop_file(ctx: Shelfcast, store_id: int, import_id: str) -> None:
    """Let go of the bytes of an import that is over."""
    while await ctx.db.write(imports.drop_chunks, store_id, import_id):
        pass


async def go_on(ctx: Shelfcast, now: int) -> None:
    """Expire imports that nobody finalized, ring for files that nobody reads, let go of what is over."""
    async with ctx.db.read() as connection:
        lapsed = await imports.lapsed(connection, now)
        due = await imports.due(connection, now)
        over = await imports.over_with_file(connection)
    for store_id, import_id in lapsed:
        await ctx.db.write(_expire, store_id, import_id, now)
    for store_id, import_id in due:
        await ctx.bell.ring_import(store_id, import_id)
    for store_id, import_id in (*over, *lapsed):
        await drop_file(ctx, store_id, import_id)


async def _expire(connection: Connection, store_id: int, import_id: str, now: int) -> None:
    row = await imports.get(connection, store_id, import_id, lock=True)
    if row is not None and row["status"] == Status.OPEN and row["expires_at"] <= now:
        await imports.set_columns(
            connection, store_id, import_id, status=Status.EXPIRED, completed_at=now, reason=EXPIRED, worker=None
        )
