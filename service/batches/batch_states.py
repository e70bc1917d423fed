"""All batches of a store as they are shown: how they stand, what was refused, what holds them."""

import msgspec

from service import paging, progress
from service.context import Shelfcast
from service.core import guards as core
from service.core import money
from service.errors import NotFoundError
from service.feed import rejected
from service.ids import is_id
from service.messages import Page, Window
from service.messages.batches import Batch, BatchEntry, HeldProduct, Hold, Refusals
from service.store import batch_lists, batches
from service.store.batch_lists import Wanted
from service.store.database import Connection, Record

_decode = msgspec.json.Decoder(core.Objection).decode


async def listed(ctx: Shelfcast, store_id: int, wanted: Wanted, window: Window) -> Page[BatchEntry]:
    """The newest first."""
    after = paging.decode(window.cursor, paging.Id)
    offset = paging.shallow(window)
    async with ctx.db.read() as connection:
        rows, total = await batch_lists.listing(connection, store_id, wanted, after, offset, window.per_page + 1)
    shown = rows[: window.per_page]
    last = shown[-1]["id"] if len(rows) > len(shown) else None
    return paging.page(window, [_entry(row, wanted.now) for row in shown], last, total)


async def one(ctx: Shelfcast, store_id: int, session_id: str) -> Batch:
    """Raises NotFoundError."""
    async with ctx.db.read() as connection:
        row = await known(connection, store_id, session_id)
        refused = await batch_lists.refusals(connection, store_id, session_id)
    return Batch(
        **msgspec.structs.asdict(_entry(row, ctx.clock())),
        refusals=[Refusals(code=example["code"], rows=count, example=rejected(example)) for count, example in refused],
        hold=_hold(row),
    )


async def known(connection: Connection, store_id: int, session_id: str, *, lock: bool = False) -> Record:
    """The batch; raises NotFoundError."""
    batch = await batches.get(connection, store_id, session_id, lock=lock) if is_id(session_id) else None
    if batch is None:
        raise NotFoundError("This store has no batch with this sessionId.")
    return batch


def _entry(row: Record, now: int) -> BatchEntry:
    return BatchEntry(
        **msgspec.structs.asdict(progress.message(row, now)),
        guard=row["guard"],
        released_by=row["released_by"],
        cancelled_by=row["cancelled_by"],
    )


def _hold(row: Record) -> Hold | None:
    if row["guard_detail"] is None:
        return None
    found = _decode(row["guard_detail"])
    return Hold(
        guard=found.guard,
        reason=found.reason,
        affected=found.affected,
        of=found.of,
        examples=[
            HeldProduct(barcode=one.barcode, name=one.name, before=_price(one.before), after=_price(one.after))
            for one in found.examples
        ],
    )


def _price(stored: int | None) -> str | None:
    return None if stored is None else money.exact_text(stored)
