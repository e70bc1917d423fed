"""Who is told of an event, when it is tried again, and what a receiver's answer means.

    pending ──2xx──────────────────> delivered
      │ ↑
      │ └──any other answer, none──┐  (with a later due_at, until a day is over)
      ├────────────────────────────┘
      ├──the day is over, or 410───> failed      (410, and days without a success, disable the endpoint too)
      └──redelivered by hand: a failed or delivered one is pending again, with a new day

"Being delivered" is a lease, which ends by itself when a worker dies; so a receiver may get the same webhook twice,
under the same id.
"""

import datetime as dt
import enum
from collections.abc import Collection, Iterable
from email.utils import parsedate_to_datetime

import msgspec

from service.core.happenings import Kind


class State(enum.StrEnum):
    PENDING = "pending"  # to be posted once due_at has come
    DELIVERED = "delivered"  # the receiver answered 2xx
    FAILED = "failed"  # given up


class Schedule(msgspec.Struct, frozen=True):
    """How long to wait, in milliseconds.

    Attributes:
        first: Before the second attempt; each further pause is four times as long.
        most: The longest pause.
        day: From the event, or from a redelivery by hand, until it is given up.
    """

    first: int = 5_000
    most: int = 6 * 3_600_000
    day: int = 24 * 3_600_000

    def pause(self, attempts: int, jitter: float) -> int:
        """After so many attempts; `jitter` from 0 to 1 lengthens it by up to a fifth, so that no crowd comes back."""
        plain = min(self.most, self.first << 2 * min(max(attempts - 1, 0), 20))
        return plain + int(plain * jitter / 5)


class Answer(msgspec.Struct, frozen=True):
    """What came of one attempt.

    Attributes:
        status: HTTP's; None if there was no answer.
        retry_after: The header, as it came.
        error: Why there was no answer.
        body: The start of the answer, made storable.
    """

    status: int | None
    error: str | None = None
    retry_after: str | None = None
    body: str = ""
    took: int = 0
    """Milliseconds."""

    @property
    def succeeded(self) -> bool:
        return self.status is not None and 200 <= self.status < 300  # noqa: PLR2004 - the class of success

    @property
    def detail(self) -> str | None:
        """Why it was not delivered, in a sentence."""
        match self.status:
            case None:
                return self.error or "No answer."
            case 410:
                return "The receiver answered 410: it wants no more webhooks."
            case status if 300 <= status < 400:  # noqa: PLR2004 - the class of redirections
                return f"The receiver answered {status}; redirects are not followed, so set the URL that it leads to."
            case status:
                return None if self.succeeded else f"The receiver answered {status}."


class Verdict(msgspec.Struct, frozen=True):
    """What becomes of a delivery. `gone`: the receiver wants no more of them; `detail` is why it is not delivered."""

    state: State
    due_at: int | None = None
    detail: str | None = None
    gone: bool = False


_GONE = 410
_ASKS_FOR_TIME = {429, 503}


def judge(answer: Answer, attempts: int, now: int, until: int, plan: Schedule, jitter: float) -> Verdict:
    """After the attempt that makes it so many; `until`: when its day is over, at which it is tried a last time."""
    if answer.succeeded:
        return Verdict(State.DELIVERED)
    detail = answer.detail
    if answer.status == _GONE:
        return Verdict(State.FAILED, detail=detail, gone=True)
    if now >= until:
        times = "1 attempt" if attempts == 1 else f"{attempts} attempts"
        return Verdict(State.FAILED, detail=f"Given up after {times}. {detail}")
    asked = asked_for(answer.retry_after, now) if answer.status in _ASKS_FOR_TIME else 0
    pause = max(plan.pause(attempts, jitter), min(asked, plan.most))
    return Verdict(State.PENDING, due_at=min(now + pause, until), detail=detail)


def asked_for(retry_after: str | None, now: int) -> int:
    """Milliseconds to wait by a Retry-After header, in seconds or as a date; 0 for none, the past, and nonsense."""
    text = (retry_after or "").strip()
    if text.isascii() and text.isdigit():
        return int(text[:9]) * 1000
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return 0
    moment = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
    return max(0, int(moment.timestamp() * 1000) - now)


class Endpoint(msgspec.Struct, frozen=True):
    """Whom a webhook is sent to, as far as choosing goes.

    Attributes:
        organisation_id: None for the operator's own.
        store_id: None for all stores of the organisation.
        kinds: Empty for every kind.
    """

    id: str
    organisation_id: int | None
    store_id: int | None
    kinds: Collection[str]


def wants(endpoint: Endpoint, kind: str, organisation_id: int, store_id: int | None) -> bool:
    """Whether an event goes to this endpoint, which is enabled. A test goes to the endpoint that it is for, not here.

    The operator's own hears of requests for production alone: what happens in a chain is that chain's.
    """
    if kind == Kind.WEBHOOK_TEST:
        return False
    if endpoint.organisation_id is None:
        return kind == Kind.PRODUCTION_REQUESTED
    if endpoint.organisation_id != organisation_id or endpoint.store_id not in {None, store_id}:
        return False
    return not endpoint.kinds or kind in endpoint.kinds


def recipients(endpoints: Iterable[Endpoint], kind: str, organisation_id: int, store_id: int | None) -> list[str]:
    """Ids of the endpoints that an event goes to."""
    return [endpoint.id for endpoint in endpoints if wants(endpoint, kind, organisation_id, store_id)]
