"""What a display, or the shelf of a product, showed at a time, proven by what; and honestly what is not known.

Proven is what a report said at the driver's level. From the moment that a newer face was first given to the gateway
until something newer is proven, either may have been on the glass, and the answer says so.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from service import paging, previews, retention
from service.context import Shelfcast
from service.core import evidence as core
from service.core import faces
from service.core.evidence import Doubt, Reason, Shown, Verdict
from service.core.money import exact_text
from service.errors import NotFoundError, ValidationError
from service.messages import Page, Window, time, time_or_none
from service.messages.displays import Cause, Evidence, Knowledge, Proven, Sent, ShownFace, StatedPrice
from service.reasons import proof_word
from service.shelves.displays import resolved
from service.shelves.shelf import bound_of
from service.store import display_events, history, shelf_lists
from service.store.database import Connection, Record
from service.templates import of_faces
from service.tenants.stores import known_store

MOST_DISPLAYS = 100
"""Displays of a product on one page; each is looked into by itself."""
_decode_ids = msgspec.json.Decoder(list[str]).decode
_decode_content = msgspec.json.Decoder(dict[str, Any]).decode


async def of_display(ctx: Shelfcast, store: str, display: str, at: int | None) -> Evidence:
    """What a display showed at this time (None: now). NotFoundError; ValidationError for a time to come."""
    now = _checked(ctx, at)
    async with ctx.db.read() as conn:
        owner = await known_store(conn, store)
        found = await resolved(conn, owner, display)
        return (await _of_displays(conn, owner.id, [found["id"]], now))[0]


async def of_product(ctx: Shelfcast, store_id: int, barcode: str, at: int | None, window: Window) -> Page[Evidence]:
    """What every display showed that this product was bound to at this time, in the order of their ids."""
    now, size = _checked(ctx, at), min(window.per_page, MOST_DISPLAYS)
    asked = msgspec.structs.replace(window, per_page=size)
    offset, after = paging.shallow(asked), paging.decode(asked.cursor, tuple[paging.Id])
    async with ctx.db.read() as conn:
        ids = await history.displays_of(conn, store_id, barcode, now.at, after[0] if after else "", offset, size + 1)
        found = await _of_displays(conn, store_id, ids[:size], now)
    return paging.page(asked, found, [ids[size - 1]] if len(ids) > size else None, None)


async def picture(ctx: Shelfcast, store: str, display: str, at: int | None) -> bytes:
    """A PNG of what a display showed at this time; NotFoundError where that is not known, with the reason."""
    found = await of_display(ctx, store, display, at)
    if found.face is None:
        raise NotFoundError(f"It is not known what display {display} showed then: {found.detail}")
    async with ctx.db.read() as conn:
        owner = await known_store(conn, store)
        row = (await history.faces_of(conn, owner.id, [found.face.digest]))[found.face.digest]
        drawn_from = await of_faces(conn, owner.id, [row["content"]])
    return previews.face_png(faces.from_content(msgspec.json.decode(row["content"])), drawn_from[row["content"]])


class _Moment(msgspec.Struct, frozen=True):
    """The time that is asked about, and from when on history is kept."""

    at: int
    kept_from: int


def _checked(ctx: Shelfcast, at: int | None) -> _Moment:
    now = ctx.clock()
    if at is not None and at > now:
        raise ValidationError("This time is still to come; nobody knows yet.", {"time": "is in the future"})
    return _Moment(now if at is None else at, retention.kept_from(ctx.settings, now))


@dataclass
class _Facts:
    """What verdicts are told with: rows by id."""

    updates: dict[str, Record] = field(default_factory=dict)
    faces: dict[str, Record] = field(default_factory=dict)
    prices: dict[str, Record] = field(default_factory=dict)


async def _of_displays(conn: Connection, store_id: int, ids: Sequence[str], moment: _Moment) -> list[Evidence]:
    at = moment.at
    displays = {row["id"]: row for row in await shelf_lists.rows(conn, store_id, ids)}
    around = await history.around(conn, store_id, ids, at)
    proven = {id_: last["revision"] if last else -1 for id_, (last, _) in around.items()}
    sent, doubts = await _sent_and_doubts(conn, store_id, proven)
    verdicts = {id_: core.at(at, _shown(around[id_][0]), _shown(around[id_][1]), sent[id_], doubts[id_]) for id_ in ids}
    bound = defaultdict(list)
    for row in await history.bound_at(conn, store_id, ids, at):
        bound[row["display_id"]].append(bound_of(row))
    facts = await _facts(conn, store_id, verdicts.values(), [last for last, _ in around.values() if last])
    return [_told(displays[id_], moment, verdicts[id_], around[id_][0], facts, bound[id_]) for id_ in ids]


def _shown(row: Record | None) -> Shown | None:
    return None if row is None else Shown(row["at"], row["digest"], row["revision"])


async def _sent_and_doubts(
    conn: Connection, store_id: int, proven: Mapping[str, int]
) -> tuple[dict[str, list[core.Sent]], dict[str, list[Doubt]]]:
    sent: dict[str, list[core.Sent]] = defaultdict(list)
    doubts: dict[str, list[Doubt]] = defaultdict(list)
    for row in await history.pushed(conn, store_id, proven):
        if row["pushed_at"] is not None:
            sent[row["display_id"]].append(core.Sent(row["pushed_at"], row["digest"], row["revision"], row["id"]))
        if row["cause"] == "resend":
            doubts[row["display_id"]].append(Doubt(row["created_at"], Reason.SEEN_OTHERWISE))
    for id_, when in await display_events.times_of(conn, store_id, list(proven), "retired"):
        doubts[id_].append(Doubt(when, Reason.UNHEARD))
    return sent, doubts


async def _facts(conn: Connection, store_id: int, verdicts: Collection[Verdict], lasts: Sequence[Record]) -> _Facts:
    update_ids = {row["update_id"] for row in lasts if row["update_id"]}
    update_ids |= {one.update_id for verdict in verdicts for one in verdict.sent}
    updates = await history.updates_by_id(conn, store_id, update_ids)
    digests = {row["digest"] for row in lasts if row["digest"]} | {row["digest"] for row in updates.values()}
    stated = {id_ for row in updates.values() for id_ in _decode_ids(row["price_ids"])}
    return _Facts(
        updates, await history.faces_of(conn, store_id, digests), await history.prices(conn, store_id, stated)
    )


def _told(
    display: dict[str, Any], at: _Moment, verdict: Verdict, last: Record | None, facts: _Facts, bound: list[Any]
) -> Evidence:
    proof = None if last is None else _proven(last, facts)
    face = proof.face if proof is not None and verdict.known else None
    reason, detail = _why(verdict, display, at.at, at.kept_from)
    return Evidence(
        display_id=display["id"],
        address=display["address"],
        time=time(at.at),
        known=face is not None,
        reason=reason,
        detail=detail,
        face=face,
        proof=proof,
        sent=[_sent(one, facts) for one in verdict.sent],
        until=time_or_none(verdict.until),
        bound=bound,
        picture=f"/api/v1/displays/{display['id']}/at.png?time={time(at.at)}" if face is not None else None,
    )


def _why(verdict: Verdict, display: dict[str, Any], at: int, kept_from: int) -> tuple[Knowledge, str]:
    if verdict.shown is None:
        return _unproven(verdict, display, at, kept_from)
    since, until = time(verdict.shown.at), time_or_none(verdict.until)
    first = time_or_none(verdict.sent[0].at if verdict.sent else None)
    words: dict[Knowledge, str] = {
        "proven": f"Proven at {since}; nothing that could have replaced it was sent by then.",
        "newer_sent": f"Proven at {since}, but a newer face was sent from {first} on and not proven by then: it may "
        f"have shown the one or the other, until {until or 'now'}.",
        "fell_back": f"Proven at {since}, but at {until} it was found to show something else, which nobody had sent "
        "after it; when it changed is not known.",
        "seen_otherwise": f"Proven at {since}, but then people saw something else and had it sent again.",
        "unheard": f"Proven at {since}, but then the display was retired, and nobody listened to it any more.",
        "foreign": f"Found at {since} to show something that did not come from here.",
    }
    reason: Knowledge = verdict.reason.value
    return reason, words[reason]


def _unproven(verdict: Verdict, display: dict[str, Any], at: int, kept_from: int) -> tuple[Knowledge, str]:
    if at < display["created_at"]:
        return "never_proven", f"The display was registered later, at {time(display['created_at'])}."
    if at < kept_from:
        return "no_history", f"History is kept from {time(kept_from)} on; what was proven before is not known any more."
    sent = f"a face was sent from {time(verdict.sent[0].at)} on" if verdict.sent else "nothing was sent to it"
    return "never_proven", f"Nothing was proven by then; {sent}."


def _proven(last: Record, facts: _Facts) -> Proven:
    return Proven(
        at=time(last["at"]),
        level=proof_word(last["proof"]),
        face=_face(last["digest"], facts),
        cause=_cause(last["update_id"], facts),
    )


def _sent(one: core.Sent, facts: _Facts) -> Sent:
    return Sent(since=time(one.at), face=_face(one.digest, facts), cause=_cause(one.update_id, facts))


def _face(digest: str | None, facts: _Facts) -> ShownFace | None:
    row = facts.faces.get(digest or "")
    if row is None:
        return None
    return ShownFace(
        digest=row["digest"],
        panel=row["panel"],
        template=row["template"],
        template_version=row["template_version"],
        content=_decode_content(row["content"]),
    )


def _cause(update_id: str | None, facts: _Facts) -> Cause | None:
    row = facts.updates.get(update_id or "")
    if row is None:
        return None
    return Cause(
        update_id=row["id"],
        cause=row["cause"],
        batch_id=row["batch_id"],
        planned_at=time(row["created_at"]),
        pushed_at=time_or_none(row["pushed_at"]),
        taken_at=time_or_none(row["sent_at"]),
        prices=list(_prices(_decode_ids(row["price_ids"]), facts)),
    )


def _prices(ids: Sequence[str], facts: _Facts) -> Iterable[StatedPrice]:
    for row in (facts.prices[id_] for id_ in ids if id_ in facts.prices):
        yield StatedPrice(
            price_id=row["id"],
            barcode=row["barcode"],
            regular=_amount(row["regular"]),
            sale=_amount(row["sale"]),
            effective=_amount(row["effective"]),
            currency=row["currency"],
            cause=row["cause"],
            cause_id=row["cause_id"],
            push=row["push"],
            row=row["row"],
            token_id=row["token_id"],
            token=row["token"],
            received_at=time(row["received_at"]),
            effective_at=time(row["effective_at"]),
            first_proven_at=time_or_none(row["first_proven_at"]),
        )


def _amount(price: int | None) -> str | None:
    return None if price is None else exact_text(price)
