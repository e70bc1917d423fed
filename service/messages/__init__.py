"""What the API answers, field by field: msgspec structs that are encoded as they are and described in OpenAPI."""

from datetime import UTC, datetime
from typing import Annotated, Generic, Literal, TypeVar

import msgspec
from msgspec import Meta

from service.core.product import Problem

T = TypeVar("T")

Time = Annotated[str, Meta(description="RFC 3339, UTC, milliseconds", examples=["2026-11-22T06:30:00.000Z"])]
Ulid = Annotated[str, Meta(pattern="^[0-9A-HJKMNP-TV-Z]{26}$", description="A ULID")]
SessionId = Ulid
BatchStatus = Literal["open", "processing", "held", "completed", "cancelled", "expired", "failed"]
BatchPhase = Literal["saving", "syncing", "verifying"]
TagState = Literal["pending", "confirmed", "failed", "superseded"]
ProofWord = Literal["displayed", "delivered", "accepted"]


def time(at: int) -> Time:
    """Milliseconds since the epoch as RFC 3339."""
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def time_or_none(at: int | None) -> Time | None:
    return None if at is None else time(at)


class Message(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    pass


class Accepted(Message, frozen=True, kw_only=True):
    """The answer of `/add`, `/productUpdate` and `/batch/push`: received = accepted + rejected.

    `created`, `updated`, `unchanged`, `duplicate` and `stale` say what became of the accepted rows; in a push they are
    null, since a push is only saved after `/batch/complete`. Duplicate: a later row of the same request has the same
    barcode. Stale: the store already has something newer. `tags` is the number of displays that get a new face.
    """

    received: int
    accepted: int
    rejected: int
    session_id: SessionId | None = None
    sequence: int | None = None
    created: int | None = None
    updated: int | None = None
    unchanged: int | None = None
    duplicate: int | None = None
    stale: int | None = None
    tags: int | None = None
    errors: list[Problem]
    warnings: list[Problem]


class Session(Message, frozen=True, kw_only=True):
    """The answer of `/batch/start`."""

    session_id: SessionId
    expires_at: Time
    max_products_per_push: int
    reference: str | None
    mode: Literal["merge", "full"]


class ProofCounts(Message, frozen=True, kw_only=True):
    """How many of the confirmed displays were proven at which level."""

    displayed: int
    delivered: int
    accepted: int


class Status(Message, frozen=True, kw_only=True):
    """One batch, at this moment.

    productsReceived = created + updated + unchanged + duplicate + stale + rejected once saving is over;
    productsSaved = created + updated + unchanged; tagsTotal = confirmed + failed + superseded + pending.
    """

    session_id: SessionId
    reference: str | None
    mode: Literal["merge", "full"]
    status: BatchStatus
    phase: BatchPhase | None
    progress: Annotated[int, Meta(ge=0, le=100)]
    reason: str | None
    pushes: int
    expected_products: int | None
    products_received: int
    products_saved: int
    products_created: int
    products_updated: int
    products_unchanged: int
    products_duplicate: int
    products_stale: int
    products_rejected: int
    products_archived: int
    tags_total: int
    tags_sent: int
    tags_confirmed: int
    tags_failed: int
    tags_superseded: int
    tags_pending: int
    proof: ProofCounts
    started_at: Time
    expires_at: Time
    processing_at: Time | None
    completed_at: Time | None


class RejectedRow(Message, frozen=True, kw_only=True):
    """One reason why one row of a batch was refused."""

    push: int
    index: int
    barcode: str | None
    field: str | None
    code: str
    detail: str


class BatchDisplay(Message, frozen=True, kw_only=True):
    """One display of a batch: what it should show for this batch, and how far that is proven."""

    display_id: str
    address: str
    gateway: str
    barcodes: list[str]
    state: TagState
    digest: str
    proof: ProofWord | None
    reason: str | None
    detail: str | None
    planned_at: Time
    sent_at: Time | None
    confirmed_at: Time | None


class DisplayState(Message, frozen=True, kw_only=True):
    """One display of the store: right is when desired equals shown."""

    display_id: str
    address: str
    gateway: str
    panel: str
    barcodes: list[str]
    right: bool
    desired_digest: str | None
    shown_digest: str | None
    shown_at: Time | None
    proof: ProofWord | None
    reason: str | None
    detail: str | None
    reported_at: Time | None
    battery: int | None
    signal: int | None
    temperature: int | None


class PageMeta(Message, frozen=True, kw_only=True):
    """Where this page of a list stands; `next` is the cursor of the next one, null on the last."""

    page: int
    per_page: int
    count: int
    total: int | None = None
    next: str | None = None


class Page(Message, Generic[T], frozen=True, kw_only=True):
    """Every list."""

    data: list[T]
    meta: PageMeta


class Fault(Message, frozen=True, kw_only=True):
    """Every error, RFC 9457 (application/problem+json)."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    fields: dict[str, str] | msgspec.UnsetType = msgspec.UNSET


class Completing(Message, frozen=True, kw_only=True):
    """The answer of `/batch/complete`, the same however often it is asked for."""

    session_id: SessionId
    reference: str | None
    status: Literal["processing"] = "processing"


class Window(msgspec.Struct, frozen=True):
    """Which part of a list is asked for: a page number for people, or the `next` cursor of the page before.

    Attributes:
        page: From 1; ignored where a cursor is given.
        per_page: 1 to 1,000 rows.
        cursor: As answered in `meta.next`.
    """

    page: int = 1
    per_page: int = 100
    cursor: str | None = None
