"""From a sandbox to production: what an integration has to have done, judged by what it really did.

Nobody fills in this checklist. Requests of the sandbox's tokens are counted as they come, and the list is computed from
the counts whenever it is asked for.
"""

import enum
from collections.abc import Mapping, Sequence

import msgspec

LEAST_PUSHES = 2
"""Pushes of a batch that counts as one of several."""
LEAST_POLLS = 3
HURRIED = 2_000
"""Milliseconds; a status that is read again sooner than this after the time before was hurried."""
HURRIED_READS = 2
"""Hurried reads that a batch's poller is forgiven: one right after completion, one after a lost answer."""
REMEMBERED = 3_600_000
"""Milliseconds for which a refused barcode is expected to come again, mended."""


class Milestone(enum.StrEnum):
    """What is counted; of the last three, one for each batch or barcode, which is written behind the slash."""

    ADDED = "added"  # an /add of which a row was accepted
    UPDATED = "updated"  # the same of /productUpdate
    REJECTED = "rejected"  # an answer that named rejected rows
    ERRORS_READ = "errors-read"  # /errors of a batch with rejected rows
    MENDED = "mended"  # a barcode came again after it was refused, and was accepted
    FOLLOWED = "followed"  # a batch's stream of events was opened
    POLLED = "polled/"  # its status was read
    HURRIED = "hurried/"  # and less than HURRIED after the time before
    REFUSED = "refused/"  # a row with this barcode was refused


class State(enum.StrEnum):
    """What a request for a production token is."""

    OPEN = "open"  # waits for the operator
    GRANTED = "granted"
    REFUSED = "refused"


class Count(msgspec.Struct, frozen=True):
    """How often, and when first and last, in milliseconds since the epoch."""

    count: int
    first_at: int
    last_at: int


class Batches(msgspec.Struct, frozen=True):
    """Completed batches of at least LEAST_PUSHES pushes."""

    count: int
    last_at: int | None


class Item(msgspec.Struct, frozen=True):
    """One line of the checklist.

    Attributes:
        key: Stable word.
        what: What is to be seen.
        done: Whether it was.
        seen: What was seen instead or besides, in words; None for nothing.
        count: How often.
        last_at: When last, in milliseconds since the epoch.
        how: What to do, for somebody who has not done it yet.
    """

    key: str
    what: str
    done: bool
    seen: str | None
    count: int
    last_at: int | None
    how: str


def checklist(counts: Mapping[str, Count], batches: Batches) -> tuple[Item, ...]:
    """`counts`: by Milestone."""
    return (_added(counts), _updated(counts), _batch(batches), _polling(counts), _errors(counts))


def missing(items: Sequence[Item]) -> dict[str, str]:
    """Key -> how to do it, for each item that is not done."""
    return {item.key: item.how for item in items if not item.done}


def _added(counts: Mapping[str, Count]) -> Item:
    return _simple(
        counts.get(Milestone.ADDED),
        ("productsAdded", "Products were added by /add."),
        "requests of which rows were accepted",
        "POST /add with a product that has a barcode, a name and a price.",
    )


def _updated(counts: Mapping[str, Count]) -> Item:
    return _simple(
        counts.get(Milestone.UPDATED),
        ("productsUpdated", "Products were changed by /productUpdate."),
        "requests of which rows were accepted",
        "POST /productUpdate with a barcode and a new price.",
    )


def _batch(batches: Batches) -> Item:
    seen = Count(batches.count, batches.last_at or 0, batches.last_at or 0) if batches.count else None
    return _simple(
        seen,
        ("batchCompleted", f"A batch of at least {LEAST_PUSHES} pushes was completed."),
        "such batches",
        f"POST /batch/start, /batch/push {LEAST_PUSHES} times or more, /batch/complete, and let it come to its end.",
    )


def _simple(count: Count | None, named: tuple[str, str], of_what: str, how: str) -> Item:
    key, what = named
    if count is None:
        return Item(key, what, False, None, 0, None, how)
    return Item(key, what, True, f"{count.count:,} {of_what}", count.count, count.last_at, how)


def _polling(counts: Mapping[str, Count]) -> Item:
    """The batch that was polled last decides, so that whoever slows down becomes right again."""
    polls = _by_suffix(counts, Milestone.POLLED)
    hurried = {batch: count.count for batch, count in _by_suffix(counts, Milestone.HURRIED).items()}
    sane = sum(count.count for batch, count in polls.items() if hurried.get(batch, 0) <= HURRIED_READS)
    followed = counts.get(Milestone.FOLLOWED)
    last = max(polls, key=lambda batch: polls[batch].last_at, default=None)
    hasty = hurried.get(last, 0) if last is not None else 0
    seconds = HURRIED // 1000
    return Item(
        "statusPolled",
        f"The status of batches was read {LEAST_POLLS} times or more, never faster than every {seconds} seconds for"
        " long, or their events were followed.",
        hasty <= HURRIED_READS and (sane >= LEAST_POLLS or followed is not None),
        _polls_seen(sane, hasty, followed),
        sane + (followed.count if followed else 0),
        max([count.last_at for count in [*polls.values(), *([followed] if followed else [])]], default=None),
        f"GET /batch/{{sessionId}}/status as often as its Retry-After says, {LEAST_POLLS} times in all; or GET"
        " /batch/{sessionId}/events. Whoever was too fast has to poll one more batch well.",
    )


def _polls_seen(sane: int, hasty: int, followed: Count | None) -> str | None:
    said = [f"{sane:,} reads at a sane rate"] if sane else []
    if followed:
        said.append(f"{followed.count:,} streams")
    if hasty > HURRIED_READS:
        said.append(f"of the last batch, {hasty:,} reads less than {HURRIED // 1000} seconds after the one before")
    return ", ".join(said) or None


def _errors(counts: Mapping[str, Count]) -> Item:
    rejected, read, mended = (
        counts.get(kind) for kind in (Milestone.REJECTED, Milestone.ERRORS_READ, Milestone.MENDED)
    )
    handled = [count for count in (read, mended) if count]
    said = [f"{rejected.count:,} answers with rejected rows"] if rejected else []
    said += [f"/errors read {read.count:,} times"] if read else []
    said += [f"{mended.count:,} rows sent again and accepted"] if mended else []
    return Item(
        "rejectedRowsHandled",
        "Rows were rejected, and the integration read why, or sent them again mended.",
        rejected is not None and bool(handled),
        ", ".join(said) or None,
        sum(count.count for count in handled),
        max((count.last_at for count in [*handled, *([rejected] if rejected else [])]), default=None),
        "Send a row that has to be refused, such as one with a negative price; then GET /batch/{sessionId}/errors, or"
        " send the same barcode again, mended, within an hour.",
    )


def _by_suffix(counts: Mapping[str, Count], kind: Milestone) -> dict[str, Count]:
    return {name.removeprefix(kind): count for name, count in counts.items() if name.startswith(kind)}
