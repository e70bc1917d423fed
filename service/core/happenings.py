"""What can happen that others are told of: the kinds of events, what each says, and an example of it for the docs.

The names and the fields are a contract: they may be added to, never renamed. An event is posted as Standard Webhooks
has it, `{type, timestamp, data}`, with the store beside them.
"""

import enum
from typing import Any

import msgspec


class Kind(enum.StrEnum):
    BATCH_COMPLETED = "batch.completed"
    BATCH_HELD = "batch.held"
    BATCH_FAILED = "batch.failed"
    DISPLAY_CONFIRMED = "display.confirmed"
    DISPLAY_OVERDUE = "display.overdue"
    DISPLAY_BATTERY_LOW = "display.battery_low"
    GATEWAY_OFFLINE = "gateway.offline"
    GATEWAY_ONLINE = "gateway.online"
    PRODUCT_REJECTED = "product.rejected"
    PRODUCTION_REQUESTED = "production.requested"
    WEBHOOK_TEST = "webhook.test"


MOST_DISPLAYS = 100
"""In one event: those that came together, so that a nightly file is not fifty thousand requests."""
MOST_ROWS = 10
"""Refused rows that an event repeats; its counts tell of all."""
BATTERY_LOW = 20
"""Percent; a display that comes to less is told of once, and again only after it was at this or above."""


class Payload(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """What one kind of event says: its `data`. Times are RFC 3339, UTC."""


class BatchPayload(Payload, frozen=True, kw_only=True):
    """A batch as its status has it; `reason` says why it is held or has failed."""

    session_id: str
    reference: str | None
    mode: str
    status: str
    reason: str | None
    products_received: int
    products_saved: int
    products_rejected: int
    products_archived: int
    tags_total: int
    tags_confirmed: int
    tags_failed: int
    tags_superseded: int
    tags_pending: int
    started_at: str
    completed_at: str | None


class ConfirmedDisplay(Payload, frozen=True, kw_only=True):
    display_id: str
    address: str
    shows: str
    proof: str


class ConfirmedPayload(Payload, frozen=True, kw_only=True):
    """All of one gateway. `shows`: the digest of the face; `proof`: displayed, delivered or accepted."""

    gateway_id: str
    confirmed_at: str
    displays: list[ConfirmedDisplay]


class OverdueDisplay(Payload, frozen=True, kw_only=True):
    display_id: str
    address: str
    gateway_id: str
    wants: str
    since: str
    attempts: int
    reason: str | None


class OverduePayload(Payload, frozen=True, kw_only=True):
    """`wants`: the digest of the face; `since`: when it was wanted; `attempts`: how often its update was sent.

    Displays that wait for a gateway which does not answer are told of once it does.
    """

    displays: list[OverdueDisplay]


class WeakDisplay(Payload, frozen=True, kw_only=True):
    display_id: str
    address: str
    battery: int


class BatteryPayload(Payload, frozen=True, kw_only=True):
    """All of one gateway; `battery` in percent."""

    gateway_id: str
    displays: list[WeakDisplay]


class OfflinePayload(Payload, frozen=True, kw_only=True):
    """Told once it has not answered for `SHELFCAST_UNREACHABLE_AFTER`, 2 minutes; not while it is maintained."""

    gateway_id: str
    gateway: str
    driver: str
    since: str
    error: str


class OnlinePayload(Payload, frozen=True, kw_only=True):
    """`since`, and `awaySeconds`: from the first time that it did not answer. Only after a `gateway.offline`."""

    gateway_id: str
    gateway: str
    driver: str
    since: str
    away_seconds: int


class RefusedRow(Payload, frozen=True, kw_only=True):
    push: int | None
    index: int
    barcode: str | None
    field: str | None
    code: str
    detail: str


class RejectedPayload(Payload, frozen=True, kw_only=True):
    """`source`: batch, told once it is saved, or add or update, of one request.

    `rows` are the first 10 reasons; `GET /batch/{sessionId}/errors` lists all. `push` and `index` say where a row
    stood; `push`, `sessionId` and `reference` are null outside of batches.
    """

    source: str
    session_id: str | None
    reference: str | None
    received: int
    rejected: int
    rows: list[RefusedRow]


class ProductionPayload(Payload, frozen=True, kw_only=True):
    """The store is the sandbox whose integration was verified."""

    request_id: str
    organisation: str
    requested_by: str
    note: str | None


class TestPayload(Payload, frozen=True, kw_only=True):
    """Not repeated, and in no log. `store` is null where the webhook is for all stores."""

    webhook_id: str
    message: str


class About(msgspec.Struct, frozen=True):
    """What there is to know of a kind of event; `sentence` says when it happens."""

    kind: Kind
    sentence: str
    example: Payload


_BATCH = BatchPayload(
    session_id="01JDK3V0M1Q2W3E4R5T6Y7V8N9",
    reference="night-2026-11-22",
    mode="merge",
    status="completed",
    reason=None,
    products_received=8464,
    products_saved=8461,
    products_rejected=3,
    products_archived=0,
    tags_total=85,
    tags_confirmed=84,
    tags_failed=1,
    tags_superseded=0,
    tags_pending=0,
    started_at="2026-11-22T03:00:00.120Z",
    completed_at="2026-11-22T03:04:12.480Z",
)
_HELD = msgspec.structs.replace(
    _BATCH,
    mode="full",
    status="held",
    reason="It would take 3570 of 8464 products off sale (42 %); the store's limit is 30 %. "
    "Release it if that is right, else cancel it.",
    products_saved=0,
    tags_total=0,
    tags_confirmed=0,
    tags_failed=0,
    completed_at=None,
)
_FAILED = msgspec.structs.replace(
    _HELD,
    mode="merge",
    status="failed",
    reason="Saving failed 5 times (DataError); see the log. Push the products again.",
    completed_at="2026-11-22T03:02:40.002Z",
)
_DISPLAY = "01JDK2X8Q0A1B2C3D4E5F6G7H8"
_GATEWAY = "01JDK2WZ5S0T1V2W3X4Y5Z6A7B"
_DIGEST = "3f1d0c9b6a2e4d58"

ABOUT: tuple[About, ...] = (
    About(
        Kind.BATCH_COMPLETED,
        "A batch is saved and its displays are sent and verified, as far as the time for it allows.",
        _BATCH,
    ),
    About(Kind.BATCH_HELD, "A guard of the store holds a batch until somebody releases or cancels it.", _HELD),
    About(Kind.BATCH_FAILED, "A batch could not be saved and was given up.", _FAILED),
    About(
        Kind.DISPLAY_CONFIRMED,
        "Displays were proven to show their new face; up to 100 that came together are one event.",
        ConfirmedPayload(
            gateway_id=_GATEWAY,
            confirmed_at="2026-11-22T03:03:01.118Z",
            displays=[ConfirmedDisplay(display_id=_DISPLAY, address="A1B2C3D4E5F6", shows=_DIGEST, proof="displayed")],
        ),
    ),
    About(
        Kind.DISPLAY_OVERDUE,
        "Displays do not show their face long after it was wanted, though it was sent again and again; "
        "once for each face.",
        OverduePayload(
            displays=[
                OverdueDisplay(
                    display_id=_DISPLAY,
                    address="A1B2C3D4E5F6",
                    gateway_id=_GATEWAY,
                    wants=_DIGEST,
                    since="2026-11-22T03:01:00.000Z",
                    attempts=5,
                    reason="no_proof",
                )
            ],
        ),
    ),
    About(
        Kind.DISPLAY_BATTERY_LOW,
        f"The battery of displays came below {BATTERY_LOW} %; once, until it was at {BATTERY_LOW} % or above again.",
        BatteryPayload(
            gateway_id=_GATEWAY, displays=[WeakDisplay(display_id=_DISPLAY, address="A1B2C3D4E5F6", battery=19)]
        ),
    ),
    About(
        Kind.GATEWAY_OFFLINE,
        "A gateway does not answer any more; its displays wait.",
        OfflinePayload(
            gateway_id=_GATEWAY,
            gateway="aisle-1",
            driver="gateway",
            since="2026-11-22T03:01:30.000Z",
            error="Connection refused.",
        ),
    ),
    About(
        Kind.GATEWAY_ONLINE,
        "A gateway answers again.",
        OnlinePayload(
            gateway_id=_GATEWAY,
            gateway="aisle-1",
            driver="gateway",
            since="2026-11-22T03:01:30.000Z",
            away_seconds=252,
        ),
    ),
    About(
        Kind.PRODUCT_REJECTED,
        "Rows of a batch, of an /add or of a /productUpdate were refused; one event for all of them.",
        RejectedPayload(
            source="batch",
            session_id=_BATCH.session_id,
            reference=_BATCH.reference,
            received=8464,
            rejected=3,
            rows=[
                RefusedRow(
                    push=4,
                    index=117,
                    barcode="4006381333931",
                    field="price",
                    code="not_a_price",
                    detail='"1,29" is not a price; write digits with a decimal point.',
                )
            ],
        ),
    ),
    About(
        Kind.PRODUCTION_REQUESTED,
        "Somebody asks for a production token for a store; told to the operator's own endpoint too.",
        ProductionPayload(
            request_id="01JDK4A0B1C2D3E4F5G6H7J8K9",
            organisation="acme",
            requested_by="pos-sandbox",
            note="Go-live on Monday",
        ),
    ),
    About(
        Kind.WEBHOOK_TEST,
        "Somebody asked for a test of this very endpoint.",
        TestPayload(webhook_id="01JDK4B7C8D9E0F1G2H3J4K5M6", message="It works."),
    ),
)
"""Every kind, in the order of the docs."""

SUBSCRIBABLE = tuple(about.kind for about in ABOUT if about.kind is not Kind.WEBHOOK_TEST)


class Posted(msgspec.Struct, frozen=True, omit_defaults=False):
    """The body of a webhook.

    Attributes:
        type: A Kind's name.
        timestamp: When it happened, however late it is delivered.
        store: The store's slug; null where it is about none.
    """

    type: str
    timestamp: str
    store: str | None
    data: Any


_encode = msgspec.json.Encoder().encode


def body(kind: str, timestamp: str, store: str | None, data: Any) -> bytes:
    """The very bytes that are signed and posted: the same at every repetition."""
    return _encode(Posted(kind, timestamp, store, data))
