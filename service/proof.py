"""What reports prove. The digest decided whether to work; the mark in the report decides whether it worked.

Only a report that carries the mark of an update, at the driver's declared level or above, says what a display shows.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from display_drivers.base import Proof, Report
from service.core.updates import OPEN, Phase
from service.ids import new_id
from service.shelves import display_events
from service.store import displays, products, tags, updates
from service.store.database import Connection, Record
from service.store.tags import Tally
from service.webhooks import telling

_decode_ids = msgspec.json.Decoder(list[str]).decode


@dataclass(frozen=True)
class Gathering:
    """Some reports of one gateway, heard at one time.

    Attributes:
        level: What its driver declares; weaker reports prove nothing.
        asked_at: When we asked, by our clock; None for reports that came by themselves. Only an answer is known to be
            newer than an earlier proof, so only an answer can tell that a display went back to something else.
        now: When they are recorded.
    """

    store_id: int
    gateway_id: str
    level: Proof
    reports: Sequence[Report]
    asked_at: int | None
    now: int


@dataclass
class Proven:
    """What a gathering came to. `drifted`: displays that show something else than they were proven to."""

    confirmed: int = 0
    drifted: list[str] = field(default_factory=list)
    batches: list[str] = field(default_factory=list)


async def record(connection: Connection, heard: Gathering) -> Proven:
    """Note what these reports say and prove."""
    store_id = heard.store_id
    latest = {report.address: report for report in heard.reports}
    proving = {r.address: r for r in heard.reports if r.proof is not None and r.proof >= heard.level}
    ids = await displays.by_address(connection, store_id, heard.gateway_id, latest)
    locked = {display["id"]: display for display in await displays.lock(connection, store_id, ids.values())}
    here = {id_: address for address, id_ in ids.items() if id_ in locked}
    told = [(locked[ids[report.address]], report) for report in heard.reports if ids.get(report.address) in here]
    await display_events.note_reports(connection, told, heard.now)
    telemetry = [_telemetry(locked[id_], latest[here[id_]], heard.now) for id_ in here]
    await displays.set_columns(connection, telemetry)
    await telling.of_batteries(connection, store_id, heard.gateway_id, locked, telemetry, heard.now)
    said = {id_: proving[address] for id_, address in here.items() if address in proving}
    marks = {report.shows for report in said.values() if report.shows}
    known = await updates.by_mark(connection, store_id, said, marks) if marks else {}
    proven, drifted = [], []
    for id_, report in said.items():
        update = known.get((id_, report.shows or ""))
        if update is not None and update["revision"] > locked[id_]["shown_revision"]:
            proven.append(_Proof(locked[id_], update, report.proof or heard.level))
        elif _has_drifted(locked[id_], update, heard.asked_at):
            drifted.append((locked[id_], update))
    tally = Tally(store_id)
    await _note_shown(connection, heard, proven, drifted)
    await _confirm(connection, heard, proven)
    await _confirm_tags(connection, heard, proven, tally)
    await tally.apply(connection)
    news = [(one.display, one.update["digest"], one.level) for one in proven]
    await telling.of_proof(connection, store_id, heard.gateway_id, news, heard.now)
    return Proven(len(proven), [display["id"] for display, _ in drifted], tally.batches)


@dataclass(frozen=True)
class _Proof:
    display: Record
    update: Record
    level: Proof


def _telemetry(display: Record, report: Report, now: int) -> dict[str, Any]:
    """What a report leaves out stays as it was last known."""
    known = {name: getattr(report, name) for name in ("battery", "signal", "temperature")}
    kept = {name: display[name] if value is None else value for name, value in known.items()}
    return {"store_id": display["store_id"], "id": display["id"], "reported_at": now, **kept}


def _has_drifted(display: Record, update: Record | None, asked_at: int | None) -> bool:
    """Whether an answer that is newer than the last proof names another face than that proof did."""
    if asked_at is None or display["shown_at"] is None or asked_at <= display["shown_at"]:
        return False
    digest: str | None = update["digest"] if update else None
    same: bool = digest == display["shown_digest"]
    return not same


async def _note_shown(
    connection: Connection, heard: Gathering, proven: list[_Proof], drifted: list[tuple[Record, Record | None]]
) -> None:
    shown: list[tuple[Record, Record | None, Proof, int]] = [
        (proof.display, proof.update, proof.level, proof.update["revision"]) for proof in proven
    ]
    # A display that fell back keeps its revision: whatever is older than its last proof proves nothing new.
    shown += [(display, update, heard.level, display["shown_revision"]) for display, update in drifted]
    await displays.set_columns(
        connection,
        [
            {
                "store_id": heard.store_id,
                "id": display["id"],
                "shown_digest": update and update["digest"],
                "shown_revision": revision,
                "shown_proof": level,
                "shown_at": heard.now,
            }
            for display, update, level, revision in shown
        ],
    )
    await displays.append_showings(
        connection,
        [
            {
                "store_id": heard.store_id,
                "id": new_id(),
                "display_id": display["id"],
                "digest": update and update["digest"],
                "update_id": update and update["id"],
                "revision": revision,
                "proof": level,
                "at": heard.now,
            }
            for display, update, level, revision in shown
        ],
    )


async def _confirm(connection: Connection, heard: Gathering, proven: list[_Proof]) -> None:
    await updates.set_columns(
        connection,
        [
            {
                "store_id": heard.store_id,
                "id": proof.update["id"],
                "phase": Phase.CONFIRMED if proof.update["phase"] in OPEN else proof.update["phase"],
                "closed_at": heard.now,
                "proof": proof.level,
                "error": None,
                "detail": None,
            }
            for proof in proven
        ],
    )
    price_ids = {id_ for proof in proven for id_ in _decode_ids(proof.update["price_ids"])}
    await products.prove_prices(connection, heard.store_id, price_ids, heard.now)


async def _confirm_tags(connection: Connection, heard: Gathering, proven: list[_Proof], tally: Tally) -> None:
    """Close every batch's row that wants the face which was proven, whichever update proved it."""
    proofs = {proof.display["id"]: proof for proof in proven}
    rows = []
    for tag in await _tags_of(connection, heard.store_id, proofs):
        proof = proofs[tag["display_id"]]
        tally.move(tag["batch_id"], tag["state"], "confirmed")
        tally.prove(tag["batch_id"], proof.level)
        if tag["sent_at"] is None:
            tally.add(tag["batch_id"], "tags_sent")
        rows.append(
            {
                "store_id": heard.store_id,
                "batch_id": tag["batch_id"],
                "display_id": tag["display_id"],
                "state": "confirmed",
                "sent_at": tag["sent_at"] or heard.now,
                "closed_at": heard.now,
                "proof": proof.level,
                "reason": None,
                "detail": None,
            }
        )
    await tags.set_columns(connection, rows)


async def _tags_of(connection: Connection, store_id: int, proofs: dict[str, _Proof]) -> list[Record]:
    """Rows that want the face which was proven; also those given up, where the very update made for them was proven."""
    open_ones = await tags.of_displays(connection, store_id, proofs)
    found = [tag for tag in open_ones if tag["digest"] == proofs[tag["display_id"]].update["digest"]]
    late: dict[str, list[str]] = {}
    for proof in proofs.values():
        if proof.update["phase"] == Phase.SUPERSEDED and proof.update["batch_id"]:
            late.setdefault(proof.update["batch_id"], []).append(proof.update["id"])
    for batch_id, update_ids in late.items():
        found += await tags.superseded_of(connection, store_id, batch_id, update_ids)
    return found
