"""What every display of a store should show, what it was proven to show, and why the two differ."""

from collections.abc import AsyncIterator
from typing import Any

from service import planning
from service.context import Shelfcast
from service.core.reasons import Circumstances, why
from service.messages import DisplayState, time_or_none
from service.reasons import maintenance_of, proof_word
from service.store import displays
from service.store.statements import CHUNK
from service.stores import known_store


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
            yield _state(row, slots.get(row["id"], {}))
        if len(rows) < CHUNK:
            return
        after = rows[-1]["id"]


def _state(row: dict[str, Any], bound: dict[int, str]) -> DisplayState:
    right = planning.is_right(row)
    reason, detail = (None, None) if right else why(_circumstances(row))
    return DisplayState(
        display_id=row["id"],
        address=row["address"],
        gateway=row["gateway"],
        panel=row["panel"],
        barcodes=[bound[slot] for slot in sorted(bound)],
        right=right,
        desired_digest=row["desired_digest"],
        shown_digest=row["shown_digest"],
        shown_at=time_or_none(row["shown_at"]),
        proof=proof_word(row["shown_proof"]),
        reason=reason,
        detail=detail,
        reported_at=time_or_none(row["reported_at"]),
        battery=row["battery"],
        signal=row["signal"],
        temperature=row["temperature"],
    )


def _circumstances(row: dict[str, Any]) -> Circumstances:
    return Circumstances(
        sent=row["update_phase"] == "SENT",
        gateway=row["gateway"],
        unreachable_since=time_or_none(row["unreachable_since"]),
        gateway_error=row["gateway_error"],
        error=row["error"] or row["failure"],
        detail=row["detail"] if row["error"] else row["failure_detail"],
        maintenance=maintenance_of(row),
    )
