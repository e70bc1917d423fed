"""What every display of a store should show, what it was proven to show, and why the two differ."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import msgspec

from service import paging, planning
from service.context import Shelfcast
from service.core.reasons import Circumstances, why
from service.errors import NotFoundError
from service.messages import DisplayState, Page, Window, time, time_or_none
from service.messages.displays import Bound, DisplayDetail
from service.reasons import maintenance_of, proof_word
from service.store import displays, shelf_lists
from service.store.database import Connection, Record
from service.store.shelf_lists import Wanted
from service.store.statements import CHUNK
from service.store.tables import LOW_BATTERY
from service.tenants.stores import known_store

_ById = tuple[paging.Id]
_ByAddress = tuple[paging.Text, paging.Id]


class Asked(msgspec.Struct, frozen=True):
    """Which displays a list is to have. Gateway: its name or id; offline: whose gateway does not answer."""

    wanted: Wanted = Wanted()
    gateway: str | None = None
    offline: bool = False


async def page(ctx: Shelfcast, store_id: int, asked: Asked, window: Window) -> Page[DisplayDetail]:
    """Displays in the order of their ids, or of their addresses; NotFoundError for a gateway that there is not."""
    offset = paging.shallow(window)
    after = paging.decode(window.cursor, _ByAddress if len(asked.wanted.key) > 1 else _ById)
    async with ctx.db.read() as conn:
        wanted = await _on_gateways(conn, store_id, asked)
        keys = await shelf_lists.page(conn, store_id, wanted, after, offset, window.per_page + 1)
        total = await shelf_lists.count(conn, store_id, wanted) if window.cursor is None else None
        shown, more = keys[: window.per_page], len(keys) > window.per_page
        ids = [key[-1] for key in shown]
        rows = {row["id"]: row for row in await shelf_lists.rows(conn, store_id, ids)}
        bound = await shelf_lists.bound_to(conn, store_id, ids)
    there = _by_display(bound)
    details = [detail_of(rows[id_], there.get(id_, [])) for id_ in ids if id_ in rows]
    return paging.page(window, details, list(shown[-1]) if more else None, total)


async def _on_gateways(conn: Connection, store_id: int, asked: Asked) -> Wanted:
    if asked.gateway is None and not asked.offline:
        return asked.wanted
    there = await shelf_lists.gateway_ids(conn, store_id)
    if asked.gateway is not None:
        there = [row for row in there if asked.gateway in {row["id"], row["name"]}]
        if not there:
            raise NotFoundError(f"The store has no gateway {asked.gateway}; give its name or id.")
    if asked.offline:
        there = [row for row in there if row["unreachable_since"] is not None]
    return msgspec.structs.replace(asked.wanted, gateways=tuple(row["id"] for row in there))


def _by_display(bound: Sequence[Record]) -> dict[str, list[Record]]:
    found: dict[str, list[Record]] = {}
    for row in bound:
        found.setdefault(row["display_id"], []).append(row)
    return found


async def display_states(ctx: Shelfcast, store: str, *, wrong: bool = False) -> AsyncIterator[DisplayState]:
    """The store's displays in the order of their ids; with `wrong`, only those that are not right."""
    async with ctx.db.read() as conn:
        store_id = (await known_store(conn, store)).id
    after = ""
    while True:
        async with ctx.db.read() as conn:
            rows = await displays.listing(conn, store_id, after, CHUNK, wrong=wrong)
            slots = await displays.slots(conn, store_id, [row["id"] for row in rows])
        for row in rows:
            yield DisplayState(**_state(row, slots.get(row["id"], {})))
        if len(rows) < CHUNK:
            return
        after = rows[-1]["id"]


def detail_of(row: dict[str, Any], bound: Sequence[Record]) -> DisplayDetail:
    """A display with what is bound to it, from rows of the database."""
    return DisplayDetail(
        **_state(row, {one["slot"]: one["barcode"] for one in bound}),
        gateway_id=row["gateway_id"],
        driver=row["driver"],
        template=row["template"],
        bound=[bound_of(one) for one in bound],
        unconfirmed=row["pushed_revision"] > row["shown_revision"],
        low_battery=row["battery"] is not None and row["battery"] < LOW_BATTERY,
        desired_at=time_or_none(row["desired_at"]),
        created_at=time(row["created_at"]),
        retired_at=time_or_none(row["retired_at"]),
        retired_by=row["retired_by"],
        replaced_by=row["replaced_by"],
    )


def bound_of(row: Record) -> Bound:
    return Bound(slot=row["slot"], barcode=row["barcode"], since=time(row["bound_at"]), by=row["bound_by"])


def _state(row: dict[str, Any], bound: dict[int, str]) -> dict[str, Any]:
    right = planning.is_right(row)
    reason, detail = (None, None) if right or row["retired_at"] is not None else why(circumstances(row))
    return {
        "display_id": row["id"],
        "address": row["address"],
        "gateway": row["gateway"],
        "panel": row["panel"],
        "barcodes": [bound[slot] for slot in sorted(bound)],
        "right": right,
        "desired_digest": row["desired_digest"],
        "shown_digest": row["shown_digest"],
        "shown_at": time_or_none(row["shown_at"]),
        "proof": proof_word(row["shown_proof"]),
        "reason": reason,
        "detail": detail,
        "reported_at": time_or_none(row["reported_at"]),
        "battery": row["battery"],
        "signal": row["signal"],
        "temperature": row["temperature"],
    }


def circumstances(row: dict[str, Any]) -> Circumstances:
    return Circumstances(
        sent=row["update_phase"] == "SENT",
        gateway=row["gateway"],
        unreachable_since=time_or_none(row["unreachable_since"]),
        gateway_error=row["gateway_error"],
        error=row["error"] or row["failure"],
        detail=row["detail"] if row["error"] else row["failure_detail"],
        maintenance=maintenance_of(row),
    )
