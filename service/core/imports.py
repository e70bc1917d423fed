"""One import of a file: its states.

open ──finalize──> processing ──> completed (its batch goes on by itself; of a dry run, its differences are there)
 │                    ├──the file cannot be read──> failed
 ├──a day──> expired  │
 └──cancel────────────┴──> cancelled
"""

import enum


class Status(enum.StrEnum):
    OPEN = "open"  # takes bytes
    PROCESSING = "processing"  # its bytes are read
    COMPLETED = "completed"  # every row is in its batch, or compared
    FAILED = "failed"  # nothing of it was saved
    CANCELLED = "cancelled"  # nothing of it was saved
    EXPIRED = "expired"  # was never finalized


OVER = (Status.COMPLETED, Status.FAILED, Status.CANCELLED, Status.EXPIRED)


class Kind(enum.StrEnum):
    """What would become of a product."""

    CREATED = "created"  # the store does not have it, or no longer
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    STALE = "stale"  # the store has something newer
    REJECTED = "rejected"


CHUNK = 1024 * 1024
"""Bytes of a file that are kept in one row."""


def status_of(status: str, expires_at: int, now: int) -> Status:
    """An import past its time is expired, whether or not the reconciler has written so yet."""
    return Status.EXPIRED if status == Status.OPEN and expires_at <= now else Status(status)
