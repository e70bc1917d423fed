"""Imports as the API tells of them."""

from typing import Any

import msgspec

from service.core import imports as core
from service.messages import time, time_or_none
from service.messages.imports import Counts, Detected, Import, Upload
from service.store.database import Record

_decode_detected = msgspec.json.Decoder(Detected).decode
_decode_counts = msgspec.json.Decoder(Counts).decode


def message(row: Record, now: int, max_bytes: int) -> Import:
    detected, summary = row["detected"], row["summary"]
    status: Any = core.status_of(row["status"], row["expires_at"], now).value
    return Import(
        id=row["id"],
        reference=row["reference"],
        mode=row["mode"],
        dry_run=bool(row["dry_run"]),
        status=status,
        reason=row["reason"],
        upload=Upload(path=f"/api/v1/imports/{row['id']}/file", max_bytes=max_bytes),
        received_bytes=row["received_bytes"],
        total_bytes=row["total_bytes"],
        rows_read=row["rows_read"],
        rows_accepted=row["rows_accepted"],
        rows_rejected=row["rows_rejected"],
        detected=_decode_detected(detected) if detected else None,
        session_id=row["session_id"],
        summary=counts(summary),
        started_at=time(row["started_at"]),
        expires_at=time(row["expires_at"]),
        finalized_at=time_or_none(row["finalized_at"]),
        completed_at=time_or_none(row["completed_at"]),
    )


def counts(summary: str | None) -> Counts | None:
    return _decode_counts(summary) if summary else None
