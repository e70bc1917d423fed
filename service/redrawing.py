"""Drawing a store anew after its templates changed: its displays are planned in the order of their ids, some at a time.

How far it came is in the store's row, moved in the transaction that planned them: whoever is killed in between loses
nothing, and whoever changes templates again begins again.
"""

from service.context import Shelfcast
from service.planning import plan_displays
from service.store import displays, products, templates
from service.store.database import Connection

_SOME = 1000
_MOST_TURNS = 50
"""Of one round, each with some displays of one store; the next round goes on."""


async def go_on(ctx: Shelfcast, now: int) -> None:
    """Plan displays of stores whose templates changed, until none is left or it is the next round's turn."""
    for _ in range(_MOST_TURNS):
        async with ctx.db.read() as connection:
            stores = await templates.redrawing(connection)
        for store_id in stores:
            await ctx.db.write(_plan_some, store_id, now)
        if not stores:
            return


async def _plan_some(connection: Connection, store_id: int, now: int) -> None:
    store = await products.lock_store(connection, store_id)
    after = store["redraw_after"]
    if after is None:
        return
    some = await templates.displays_after(connection, store_id, after, _SOME)
    slots = await displays.slots(connection, store_id, some)
    await plan_displays(connection, store_id, slots, now, "template")
    await templates.redraw(connection, store_id, some[-1] if len(some) == _SOME else None)
