"""Telling of displays that do not show their face long after it was wanted: once for each face."""

from collections.abc import Sequence

from service.context import Shelfcast
from service.core.happenings import Kind
from service.store import overdue, webhooks
from service.store.database import Connection
from service.webhooks import telling

_CHUNK = 1000
_MOST_CHUNKS = 20


async def tell(ctx: Shelfcast, now: int) -> None:
    """One step of the reconciler's round; it looks for them only where somebody wants to hear of them."""
    before = now - int(ctx.settings.overdue_after * 1000)
    async with ctx.db.read() as connection:
        where = await webhooks.wanting(connection, Kind.DISPLAY_OVERDUE)
    for _ in range(_MOST_CHUNKS if where else 0):
        async with ctx.db.read() as connection:
            found = await overdue.find(connection, where, before, _CHUNK)
        for store_id, display_ids in found.items():
            await ctx.db.write(_tell_some, store_id, display_ids, before, now)
        if sum(map(len, found.values())) < _CHUNK:
            return


async def _tell_some(connection: Connection, store_id: int, display_ids: Sequence[str], before: int, now: int) -> None:
    late = await overdue.still(connection, store_id, display_ids, before)
    await telling.of_overdue(connection, store_id, late, now)
    await overdue.mark(connection, late)
