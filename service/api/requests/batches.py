"""What the API takes about batches, guards and the audit log."""

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from service.api.requests import ListQuery, milliseconds
from service.audit_log import Asked
from service.messages import BatchStatus
from service.store.batch_lists import Wanted

Moment = Annotated[datetime, Meta(tz=True, description="RFC 3339.", examples=["2026-11-22T00:00:00Z"])]
Words = Annotated[str, Meta(max_length=200, pattern=r"^(?![\s\S]*[\u0000-\u001f\u007f])")]
Percent = Annotated[float, Meta(ge=0, le=100)]
AtLeast = Annotated[int, Meta(ge=0, le=10**6)]


class BatchesQuery(ListQuery):
    """Which batches."""

    status: Annotated[BatchStatus, Meta(description="Only batches in this status.")] | None = None
    reference: Annotated[Words, Meta(description="Only batches that their caller gave this name.")] | None = None
    mode: Annotated[Literal["merge", "full"], Meta(description="Only batches of this mode.")] | None = None
    from_: Annotated[Moment, Meta(description="Started then or later.")] | None = msgspec.field(
        default=None, name="from"
    )
    to: Annotated[Moment, Meta(description="Started before.")] | None = None

    def wanted(self, now: int) -> Wanted:
        return Wanted(now, self.status, self.reference, self.mode, milliseconds(self.from_), milliseconds(self.to))


class ChangedGuards(msgspec.Struct, rename="camel", omit_defaults=True):
    """Limits to change; what is left out stays."""

    archive_percent: Percent | msgspec.UnsetType = msgspec.UNSET
    archive_at_least: AtLeast | msgspec.UnsetType = msgspec.UNSET
    price_percent: Percent | msgspec.UnsetType = msgspec.UNSET
    price_change: Annotated[float, Meta(ge=0, le=10**6)] | msgspec.UnsetType = msgspec.UNSET
    price_at_least: AtLeast | msgspec.UnsetType = msgspec.UNSET

    def changes(self) -> dict[str, Any]:
        return {name: value for name, value in msgspec.structs.asdict(self).items() if value is not msgspec.UNSET}


class AuditQuery(ListQuery):
    """Which changes."""

    action: (
        Annotated[str, Meta(pattern=r"^[a-z]+\.[a-z]+$", description="What happened.", examples=["gateway.changed"])]
        | None
    ) = None
    subject: Annotated[Words, Meta(description="Id of what was changed.")] | None = None
    store: (
        Annotated[str, Meta(pattern="^[0-9A-Za-z-]{1,63}$", description="Slug or ULID: only what is about this store.")]
        | None
    ) = None
    from_: Annotated[Moment, Meta(description="Then or later.")] | None = msgspec.field(default=None, name="from")
    to: Annotated[Moment, Meta(description="Before.")] | None = None

    def asked(self) -> Asked:
        return Asked(self.action, self.subject, self.store, milliseconds(self.from_), milliseconds(self.to))


guards = msgspec.json.Decoder(ChangedGuards)
