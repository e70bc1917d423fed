"""One session of the batch feed: its states, its phases, and how far it is.

open ──complete──> processing (saving -> syncing -> verifying) ──> completed
 │                   │        └──guard──> held ──released──> processing
 ├──30 minutes──> expired     └──unforeseen, again and again──> failed
 └──cancel───────────┴──────> cancelled
"""

import enum

import msgspec


class Status(enum.StrEnum):
    OPEN = "open"  # takes pushes
    PROCESSING = "processing"  # completed by the caller, worked on by us
    HELD = "held"  # a guard stopped it; somebody with the right releases or cancels it
    COMPLETED = "completed"  # verification is over; late proofs still count
    CANCELLED = "cancelled"
    EXPIRED = "expired"  # was never completed; nothing of it was saved
    FAILED = "failed"


class Phase(enum.StrEnum):
    SAVING = "saving"  # 0 to 30 %
    SYNCING = "syncing"  # 30 to 80 %
    VERIFYING = "verifying"  # 80 to 100 %


class TagState(enum.StrEnum):
    PENDING = "pending"  # not proven yet, still driven
    CONFIRMED = "confirmed"  # this very face was proven
    FAILED = "failed"  # refused; reconciliation goes on, and a later proof makes it confirmed
    SUPERSEDED = "superseded"  # a newer face took its place


TERMINAL = (Status.COMPLETED, Status.CANCELLED, Status.EXPIRED, Status.FAILED)

_SAVED, _SENT, _DONE = 30, 80, 100


class Reach(msgspec.Struct, frozen=True):
    """How far the displays of one batch are.

    Attributes:
        total: Displays with a new face.
        sent: Of these, handed to a gateway at least once, or closed without.
        open: Not proven, failed or superseded.
        waiting: Whether one is still to be sent by a gateway that can be reached.
    """

    total: int
    sent: int
    open: int
    waiting: bool


class Step(msgspec.Struct, frozen=True):
    """Where a batch stands after a look at its displays."""

    status: Status
    phase: Phase | None
    progress: int


def saving(saved: int, pushes: int) -> int:
    """Percent after `saved` of `pushes` have been compared and stored."""
    return _SAVED * saved // pushes if pushes else _SAVED


def advance(phase: Phase, reach: Reach, verifying_since: int | None, now: int, verify_for: int) -> Step:
    """The step after `now`, for a batch whose products are all saved. Times in milliseconds."""
    if reach.open == 0:
        return Step(Status.COMPLETED, None, _DONE)
    if phase is Phase.SYNCING and reach.waiting:
        return Step(Status.PROCESSING, Phase.SYNCING, _SAVED + (_SENT - _SAVED) * reach.sent // reach.total)
    if verifying_since is not None and now >= verifying_since + verify_for:
        return Step(Status.COMPLETED, None, _DONE)
    closed = reach.total - reach.open
    return Step(Status.PROCESSING, Phase.VERIFYING, _SENT + (_DONE - _SENT) * closed // reach.total)
