"""What the API answers about displays, beyond what `messages` has."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from service.messages import DisplayState, Fault, Message, ProofWord, Time, Ulid

EventKind = Literal["report", "button", "nfc", "changed", "retired", "restored", "swapped", "resent", "blinked"]
HistoryKind = Literal[
    "showing", "update", "bound", "unbound",
    "report", "button", "nfc", "changed", "retired", "restored", "swapped", "resent", "blinked",
]  # fmt: skip
Knowledge = Literal[
    "proven", "newer_sent", "fell_back", "seen_otherwise", "unheard", "foreign", "never_proven", "no_history"
]
BlinkState = Literal["waiting", "flashed", "failed", "expired"]


class Bound(Message, frozen=True, kw_only=True):
    """What is, or was, bound to one slot of a display."""

    slot: int
    barcode: str
    since: Time
    by: str | None


class DisplayDetail(DisplayState, frozen=True, kw_only=True):
    """One display of the store, with what is bound to it by slot.

    Unconfirmed: something was sent and is not proven yet. Template: its own; null: as the store chooses.
    """

    gateway_id: str
    driver: str
    template: str | None
    bound: list[Bound]
    unconfirmed: bool
    low_battery: bool
    desired_at: Time | None
    created_at: Time
    retired_at: Time | None
    retired_by: str | None
    replaced_by: str | None


class BoundElsewhere(Fault, frozen=True, kw_only=True):
    """A conflict. Where a slot shows another product: which, since when and on whose word it was bound.

    A chain's token is told, of a display that is not in this store, in which one it is.
    """

    bound: Bound | msgspec.UnsetType = msgspec.UNSET
    store: str | msgspec.UnsetType = msgspec.UNSET


class RefusedRow(Message, frozen=True, kw_only=True):
    """`line`: of a CSV file, its line, the header being the first; of a list, its place, from 1."""

    line: int
    reason: str


class Imported(Message, frozen=True, kw_only=True):
    """What became of the rows: every good one was taken."""

    created: int
    changed: int
    unchanged: int
    bound: int
    kept: int
    refused: list[RefusedRow]


class Blink(Message, frozen=True, kw_only=True):
    """What became of a light that was to be flashed. It is given up a minute after it was asked for."""

    blink_id: Ulid
    display_id: Ulid
    seconds: int
    state: BlinkState
    detail: str | None
    asked_by: str
    asked_at: Time
    expires_at: Time
    done_at: Time | None


class DisplayEvent(Message, frozen=True, kw_only=True):
    """Something that a display reported or went through."""

    event_id: Ulid
    display_id: Ulid
    address: str
    kind: EventKind
    at: Time
    data: dict[str, Any]


class HistoryEntry(Message, frozen=True, kw_only=True):
    """One thing that a display showed, was sent, had bound, reported or went through."""

    at: Time
    kind: HistoryKind
    id: str
    data: dict[str, Any]


class ShownFace(Message, frozen=True, kw_only=True):
    """A face. Picture: where it can be seen, while the display's history has it."""

    digest: str
    panel: str
    template: str
    template_version: int
    content: dict[str, Any]


class StatedPrice(Message, frozen=True, kw_only=True):
    """A price that a face states, and where it came from: the batch or request, the row of it, and the token."""

    price_id: str
    barcode: str
    regular: str | None
    sale: str | None
    effective: str | None
    currency: str
    cause: str
    cause_id: str | None
    push: int | None
    row: int | None
    token_id: str | None
    token: str | None
    received_at: Time
    effective_at: Time
    first_proven_at: Time | None


class Cause(Message, frozen=True, kw_only=True):
    """The update that brought a face: why it was planned, when, when it was first given to the gateway, and taken."""

    update_id: str
    cause: str
    batch_id: str | None
    planned_at: Time
    pushed_at: Time | None
    taken_at: Time | None
    prices: list[StatedPrice]


class Proven(Message, frozen=True, kw_only=True):
    """The last proof by the time that was asked for. Face null: what was found did not come from here."""

    at: Time
    level: ProofWord | None
    face: ShownFace | None
    cause: Cause | None


class Sent(Message, frozen=True, kw_only=True):
    """A face that was given to the gateway by then, and that may have been on the display from then on."""

    since: Time
    face: ShownFace | None
    cause: Cause | None


class Evidence(Message, frozen=True, kw_only=True):
    """What a display showed at a time.

    Known: `face` is what it showed, as `proof` says. Otherwise it is not known, `reason` and `detail` say why, and it
    may have shown the face of `proof`, or one of `sent`. Until: when something happened that ends this; null: nothing.
    """

    display_id: Ulid
    address: str
    time: Time
    known: bool
    reason: Knowledge
    detail: str
    face: ShownFace | None
    proof: Proven | None
    sent: list[Sent]
    until: Time | None
    bound: list[Bound]
    picture: Annotated[str | None, Meta(description="Where `face` can be seen; null where it is not known.")]
