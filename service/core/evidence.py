"""What can be said of a display at a time, from what it was proven to show and what was sent to it. Pure.

Known is a face that was proven by then, with nothing sent since that could have replaced it. Everything else is not
known, and says why: a wrong certainty is worse than none.
"""

import enum
from collections.abc import Collection, Sequence

import msgspec


class Reason(enum.StrEnum):
    """Why it is known what a display showed, or why not."""

    PROVEN = "proven"  # and nothing that could have replaced it was sent by then
    NEWER_SENT = "newer_sent"  # proven, but another face may have arrived by then
    FELL_BACK = "fell_back"  # proven, but later found to show something else that nobody sent after it
    SEEN_OTHERWISE = "seen_otherwise"  # proven, but then people had it sent again
    UNHEARD = "unheard"  # proven, but then the display was retired, and nobody listened to it
    FOREIGN = "foreign"  # found to show something that did not come from here
    NEVER_PROVEN = "never_proven"  # nothing was proven by then


class Shown(msgspec.Struct, frozen=True):
    """A proof, or a display that was found to have fallen back. `revision`: the highest proven by then."""

    at: int
    digest: str | None
    revision: int


class Sent(msgspec.Struct, frozen=True):
    """A face that a driver was given, and that may have been on the glass from then on."""

    at: int
    digest: str
    revision: int
    update_id: str = ""


class Doubt(msgspec.Struct, frozen=True):
    """Something that makes an older proof doubtful, until there is a new one."""

    at: int
    reason: Reason


class Verdict(msgspec.Struct, frozen=True):
    """What a display showed at a time.

    Attributes:
        shown: The last proof by then.
        sent: What was sent by then that may have replaced it, in the order of revisions.
        until: When the next thing happened that ends this; None: nothing has.
    """

    reason: Reason
    shown: Shown | None
    sent: tuple[Sent, ...] = ()
    until: int | None = None

    @property
    def known(self) -> bool:
        return self.reason is Reason.PROVEN


def at(
    time: int, last: Shown | None, following: Shown | None, sent: Collection[Sent], doubts: Sequence[Doubt] = ()
) -> Verdict:
    """What a display showed at `time`; `last`: its newest showing by then, `following`: the first one after it."""
    proven = last.revision if last else -1
    newer = sorted((one for one in sent if one.revision > proven), key=lambda one: one.revision)
    open_ones = tuple(one for one in newer if one.at <= time)
    since = last.at if last else 0
    doubt = next((one for one in sorted(doubts, key=lambda one: one.at) if since <= one.at <= time), None)
    coming = [one.at for one in newer] + [one.at for one in doubts] + ([following.at] if following else [])
    until = min((moment for moment in coming if moment > time), default=None)
    return Verdict(_reason(last, following, open_ones, doubt), last, open_ones, until)


def _reason(last: Shown | None, following: Shown | None, newer: Sequence[Sent], doubt: Doubt | None) -> Reason:
    if last is None:
        return Reason.NEVER_PROVEN
    if any(one.digest != last.digest for one in newer):
        return Reason.NEWER_SENT
    if doubt is not None:
        return doubt.reason
    if following is not None and following.revision <= last.revision:
        return Reason.FELL_BACK
    return Reason.FOREIGN if last.digest is None else Reason.PROVEN
