"""One display's way to a new face: its phases, which changes of phase are legal, and what an outcome leads to.

    PENDING ──sent──> SENT ──proven──> CONFIRMED
      │ ↑               │
      │ └───overdue─────┤            a push that was refused for now stays PENDING with a later due_at
      ├──refused────────┴────────> FAILED       (reconciliation makes a new update later)
      └──newer face─────┴────────> SUPERSEDED

"Being worked on" is no phase but a lease on the display, which ends by itself when a worker dies.
"""

import enum

import msgspec

from display_drivers.errors import DriverError, PermanentError, StaleError, TransientError, UnreachableError


class Phase(enum.StrEnum):
    PENDING = "PENDING"  # to be sent once due_at has come
    SENT = "SENT"  # the gateway took it; proof is awaited until confirm_by
    CONFIRMED = "CONFIRMED"  # proven at the driver's level
    FAILED = "FAILED"  # refused for good
    SUPERSEDED = "SUPERSEDED"  # a newer face replaced it before it was proven


OPEN = (Phase.PENDING, Phase.SENT)
"""At most one update of a display is in one of these."""

LEGAL = {
    Phase.PENDING: {Phase.PENDING, Phase.SENT, Phase.CONFIRMED, Phase.FAILED, Phase.SUPERSEDED},
    Phase.SENT: {Phase.PENDING, Phase.CONFIRMED, Phase.FAILED, Phase.SUPERSEDED},
    Phase.CONFIRMED: set[Phase](),
    Phase.FAILED: set[Phase](),
    Phase.SUPERSEDED: set[Phase](),
}
"""Phase -> the phases it may go to. PENDING to CONFIRMED: the answer of the push was lost, its proof was not."""


class Schedule(msgspec.Struct, frozen=True):
    """How long to wait, in milliseconds.

    Attributes:
        first: Before the second attempt.
        most: The longest pause between attempts, which double from `first`.
        confirm: From sending until proof is overdue.
    """

    first: int
    most: int
    confirm: int

    def pause(self, attempts: int) -> int:
        return min(self.most, self.first << min(max(attempts - 1, 0), 20))


class Next(msgspec.Struct, frozen=True):
    """What becomes of an update. `retry_at`: when reconciliation may make a new one after a failure."""

    phase: Phase
    attempts: int
    due_at: int
    confirm_by: int | None = None
    retry_at: int | None = None
    error: str | None = None
    detail: str | None = None


def after_push(error: DriverError | None, attempts: int, now: int, schedule: Schedule) -> Next:
    """What the gateway's answer to one update leads to; an unreachable gateway costs no attempt."""
    match error:
        case None:
            return Next(Phase.SENT, attempts + 1, now, confirm_by=now + schedule.confirm)
        case UnreachableError():
            return _again(error, attempts, now, schedule.first)
        case TransientError():
            asked = int((error.retry_after or 0) * 1000)
            return _again(error, attempts + 1, now, max(asked, schedule.pause(attempts + 1)))
        case StaleError():  # it holds a newer revision than ours: a new update above that one, at once
            return Next(Phase.FAILED, attempts + 1, now, retry_at=now, error=error.code, detail=error.detail)
        case PermanentError() | DriverError():
            return Next(
                Phase.FAILED, attempts + 1, now, retry_at=now + schedule.most, error=error.code, detail=error.detail
            )


def _again(error: DriverError, attempts: int, now: int, pause: int) -> Next:
    return Next(Phase.PENDING, attempts, now + pause, error=error.code, detail=error.detail)


def overdue(attempts: int, now: int, schedule: Schedule) -> Next:
    """No proof in time: the gateway may have dropped it. The first repetition is at once, later ones ever rarer."""
    pause = 0 if attempts <= 1 else schedule.pause(attempts - 1)
    return Next(
        Phase.PENDING, attempts, now + pause, error="no_proof", detail="Accepted by the gateway, but no proof in time."
    )
