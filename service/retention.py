"""History is kept for some time and then let go, a little in each round, each store once a day.

What was in force when the kept time begins stays, however old it is: the last showing of each display by then, the
update that brought it, and whatever was sent after it, so that every moment within the kept time can be answered.
Price history is a legal record and always stays, as do bindings, faces and the batches themselves.
"""

from service.context import Shelfcast
from service.settings import Settings
from service.store import retention
from service.store.database import Connection

DAY = 86_400_000
_SOME = 500
"""Rows looked at in one transaction."""
_MOST_TURNS = 20
"""Of one round, which lasts 15 s: more than any store writes meanwhile."""


def kept_from(settings: Settings, now: int) -> int:
    """Since when history is kept, in ms; 0: for ever."""
    return now - settings.history_for * DAY if settings.history_for else 0


async def let_go(ctx: Shelfcast, now: int) -> None:
    """Go on deleting what is older than it has to be."""
    before = kept_from(ctx.settings, now)
    if before <= 0:
        return
    for _ in range(_MOST_TURNS):
        async with ctx.db.read() as connection:
            store_id = await retention.due(connection, now)
        if store_id is None:
            return
        await ctx.db.write(_sweep_some, store_id, before, now)


async def _sweep_some(connection: Connection, store_id: int, before: int, now: int) -> None:
    """One step of a store's sweep: some rows of one kind, or on to the next kind, or done for today."""
    kinds = list(retention.KINDS)
    sweep = await retention.place(connection, store_id, kinds[0], now)
    if sweep["next_at"] > now:
        return  # another worker was first
    after = await retention.KINDS[sweep["kind"]](connection, store_id, sweep["after"], before, _SOME)
    kind, next_at = sweep["kind"], now
    if after is None:
        following = kinds.index(kind) + 1
        kind, next_at = (kinds[following], now) if following < len(kinds) else (kinds[0], now + DAY)
    await retention.move(connection, store_id, kind, after or "", next_at)
