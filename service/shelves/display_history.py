"""Everything that a display showed, was sent, had bound, reported and went through, the newest first, page by page."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any

import msgspec

from service import paging
from service.context import Shelfcast
from service.messages import Page, Window, time, time_or_none
from service.messages.displays import DisplayEvent, HistoryEntry
from service.reasons import proof_word
from service.shelves.display_events import Kind
from service.shelves.displays import resolved
from service.store import display_events, history
from service.store.database import Connection, Record
from service.store.history import Span
from service.tenants.stores import known_store

_MOST = 2**53
_decode = msgspec.json.Decoder(dict[str, Any]).decode
_decode_ids = msgspec.json.Decoder(list[str]).decode
EVENT_KINDS = tuple(str(kind) for kind in Kind)
_Place = tuple[paging.Moment, paging.Id, paging.Text]


class Asked(msgspec.Struct, frozen=True):
    """Which part of a history. Since: from this time on; until: before this time (ms)."""

    kind: str | None = None
    since: int | None = None
    until: int | None = None


async def of_display(ctx: Shelfcast, store: str, display: str, asked: Asked, window: Window) -> Page[HistoryEntry]:
    """Of a display by its id or address, retired or not."""
    offset, place = paging.shallow(window), paging.decode(window.cursor, _Place)
    # Inclusive of entries with the same time and id, of which another kind may still be to come.
    before = (place[0], place[1] + "Z") if place else None
    wanted = offset + window.per_page + 1
    span = Span(asked.since or 0, _MOST if asked.until is None else asked.until, before, wanted + 2)
    async with ctx.db.read() as conn:
        owner = await known_store(conn, store)
        found = await resolved(conn, owner, display)
        entries = [entry async for entry in _gathered(conn, owner.id, found["id"], asked.kind, span)]
    entries.sort(key=_key, reverse=True)
    if place:
        entries = [entry for entry in entries if _key(entry) < tuple(place)]
    shown = entries[offset : offset + window.per_page]
    more = list(_key(shown[-1])) if len(entries) > offset + window.per_page else None
    return paging.page(window, [_entry(*entry) for entry in shown], more, None)


_Raw = tuple[int, str, str, dict[str, Any]]
"""Time, id, kind, data."""


def _key(entry: _Raw) -> tuple[int, str, str]:
    return entry[:3]


def _entry(at: int, id_: str, kind: Any, data: dict[str, Any]) -> HistoryEntry:
    return HistoryEntry(at=time(at), kind=kind, id=id_, data=data)


async def _gathered(conn: Connection, store_id: int, display_id: str, kind: str | None, span: Span) -> Any:
    for name, read, told in _SOURCES:
        if kind in {None, name}:
            for row in await read(conn, store_id, display_id, span):
                yield told(row)
    kinds = EVENT_KINDS if kind is None else (kind,)
    if kind is None or kind in EVENT_KINDS:
        for row in await history.events_of(conn, store_id, display_id, span, () if kind is None else kinds):
            yield row["at"], row["id"], row["kind"], _decode(row["data"])


def _showing(row: Record) -> _Raw:
    data = {"digest": row["digest"], "proof": proof_word(row["proof"]), "updateId": row["update_id"]}
    return row["at"], row["id"], "showing", data


def _update(row: Record) -> _Raw:
    data = {
        "digest": row["digest"],
        "cause": row["cause"],
        "batchId": row["batch_id"],
        "phase": row["phase"].lower(),
        "attempts": row["attempts"],
        "pushedAt": time_or_none(row["pushed_at"]),
        "takenAt": time_or_none(row["sent_at"]),
        "closedAt": time_or_none(row["closed_at"]),
        "proof": proof_word(row["proof"]),
        "error": row["error"],
        "detail": row["detail"],
        "priceIds": _decode_ids(row["price_ids"]),
    }
    return row["created_at"], row["id"], "update", data


def _bound(row: Record) -> _Raw:
    return row["bound_at"], row["id"], "bound", _binding(row, row["bound_by"])


def _unbound(row: Record) -> _Raw:
    return row["unbound_at"], row["id"], "unbound", _binding(row, row["unbound_by"])


def _binding(row: Record, by: str | None) -> dict[str, Any]:
    return {"slot": row["slot"], "barcode": row["barcode"], "by": by}


_Read = Callable[[Connection, int, str, Span], Awaitable[Sequence[Record]]]
_SOURCES: tuple[tuple[str, _Read, Callable[[Record], _Raw]], ...] = (
    ("showing", history.showings_of, _showing),
    ("update", history.updates_of, _update),
    ("bound", history.bound, _bound),
    ("unbound", history.unbound, _unbound),
)


async def events(ctx: Shelfcast, store_id: int, kind: str | None, window: Window) -> Page[DisplayEvent]:
    """What all displays of a store reported and went through, the newest first."""
    offset, before = paging.shallow(window), paging.decode(window.cursor, tuple[paging.Id])
    async with ctx.db.read() as conn:
        rows = await display_events.listing(conn, store_id, kind, before, offset, window.per_page + 1)
    shown = rows[: window.per_page]
    more = [shown[-1]["id"]] if len(rows) > window.per_page else None
    return paging.page(window, list(_events(shown)), more, None)


def _events(rows: Sequence[Record]) -> Iterator[DisplayEvent]:
    for row in rows:
        yield DisplayEvent(
            event_id=row["id"],
            display_id=row["display_id"],
            address=row["address"],
            kind=row["kind"],
            at=time(row["at"]),
            data=_decode(row["data"]),
        )
