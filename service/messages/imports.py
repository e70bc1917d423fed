"""What the API answers about imports of files."""

from typing import Any, Literal

import msgspec

from service.importing.formats import Kind
from service.messages import Message, Page, SessionId, Time

ImportStatus = Literal["open", "processing", "completed", "failed", "cancelled", "expired"]
DifferenceKind = Literal["created", "changed"]
Decimal = Literal[".", ","]


class Upload(Message, frozen=True, kw_only=True):
    """Where the bytes of the file go to, in one request or in several."""

    method: Literal["PUT"] = "PUT"
    path: str
    max_bytes: int


class Detected(Message, frozen=True, kw_only=True):
    """What was found out about the file, or said by the caller.

    `decimal`: feed field -> the sign before a fraction in its column. `columns`: feed field -> header of its column.
    """

    format: str | None
    kind: Kind
    encoding: str
    delimiter: str | None = None
    decimal: dict[str, Decimal] = msgspec.field(default_factory=dict)
    columns: dict[str, str] = msgspec.field(default_factory=dict)


class Counts(Message, frozen=True, kw_only=True):
    """What a dry run found would become of products; `held`: why a guard would hold the batch, null if it would not."""

    created: int
    changed: int
    unchanged: int
    stale: int
    rejected: int
    archived: int
    on_sale: int
    held: str | None


class Import(Message, frozen=True, kw_only=True):
    """One import of a file, at this moment.

    rowsRead = rowsAccepted + rowsRejected. Once it is completed, its batch (`sessionId`) goes on like any other; a dry
    run has none.
    """

    id: str
    reference: str | None
    mode: Literal["merge", "full"]
    dry_run: bool
    status: ImportStatus
    reason: str | None
    upload: Upload
    received_bytes: int
    total_bytes: int | None
    rows_read: int
    rows_accepted: int
    rows_rejected: int
    detected: Detected | None
    session_id: SessionId | None
    summary: Counts | None
    started_at: Time
    expires_at: Time
    finalized_at: Time | None
    completed_at: Time | None


class Compared(Message, frozen=True, kw_only=True):
    """One field, as it is and as it would be."""

    before: Any
    after: Any


class Difference(Message, frozen=True, kw_only=True):
    """One product that would change. `number`: its line in the file; in XML, which product it is, from 1."""

    barcode: str
    number: int
    kind: DifferenceKind
    fields: dict[str, Compared]


class Differences(Page[Difference], frozen=True, kw_only=True):
    """The first 1,000 products that would change, and what would become of all."""

    summary: Counts | None
