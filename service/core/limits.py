"""Plans, how a token stands with its own, and what the RateLimit fields say of it.

The fields are those of draft-ietf-httpapi-ratelimit-headers-11, lists of structured fields (RFC 9651): a policy says
its quota `q` and its window `w` in seconds, a service limit what is left, `r`, and when it is whole again, `t`.

Both windows are of the calendar, in UTC. So what is counted is one number for each, however many requests there are;
all of it is back at one moment, which is what `t` and Retry-After say; and the last minute of a day ends with the day.
The price: around the turn of a minute, up to two bursts may follow each other.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

DAILY, BURST = "daily", "burst"
DAY, MINUTE = 86_400, 60
"""Seconds."""

UNLIMITED = "unlimited"
"""The plan that needs no configuration, of tokens for own use."""

FAILURES_A_MINUTE = 20
"""Requests from one address with a token that is not valid."""

_PLAN = re.compile(r"(?P<name>[a-z][a-z0-9_-]{0,31})=(?P<daily>[1-9][0-9]{0,8})/(?P<burst>[1-9][0-9]{0,8})")


class Plan(NamedTuple):
    """How many requests a token may make in a day and in a minute."""

    name: str
    daily: int
    burst: int


PLANS = (Plan("growth", 500, 20), Plan("pro", 10_000, 200))


class Standing(NamedTuple):
    """How a token stands after a request, which is counted already, unless it is refused.

    Attributes:
        allowed: Whether the request may go on.
        counts: Whether it is one that the daily quota is for.
        daily_left: Requests.
        burst_left: Requests.
        day_ends_in: Milliseconds.
        minute_ends_in: Milliseconds.
    """

    plan: Plan
    allowed: bool
    counts: bool
    daily_left: int
    burst_left: int
    day_ends_in: int
    minute_ends_in: int

    @property
    def spent(self) -> tuple[str, ...]:
        """The limits that a refused request ran into, the one that lasts longest first."""
        daily = (DAILY,) if self.counts and not self.daily_left else ()
        return (*daily, *((BURST,) if not self.burst_left else ()))


def parse_plans(text: str) -> tuple[Plan, ...]:
    """Plans as a setting states them; ValueError says what is wrong and how to write it."""
    plans = tuple(_plan(part.strip()) for part in text.split(","))
    _refuse_twins(plan.name for plan in plans)
    return plans


def _plan(text: str) -> Plan:
    found = _PLAN.fullmatch(text)
    if found is None:
        raise ValueError(
            f"holds {text!r}, which is no plan; write NAME=A DAY/A MINUTE with commas between, as "
            "growth=500/20,pro=10000/200"
        )
    plan = Plan(found["name"], int(found["daily"]), int(found["burst"]))
    if plan.name == UNLIMITED:
        raise ValueError(f"limits the plan {UNLIMITED}, which is there by itself; take another name")
    if plan.burst > plan.daily:
        raise ValueError(f"lets the plan {plan.name} make more requests in a minute than in a day; exchange the two")
    return plan


def _refuse_twins(names: Iterable[str]) -> None:
    known: set[str] = set()
    for name in names:
        if name in known:
            raise ValueError(f"holds the plan {name} twice; keep one")
        known.add(name)


def policy(plan: Plan) -> str:
    """The RateLimit-Policy field."""
    return f'"{DAILY}";q={plan.daily};w={DAY}, "{BURST}";q={plan.burst};w={MINUTE}'


def state(standing: Standing) -> str:
    """The RateLimit field."""
    day, minute = seconds(standing.day_ends_in), seconds(standing.minute_ends_in)
    return f'"{DAILY}";r={standing.daily_left};t={day}, "{BURST}";r={standing.burst_left};t={minute}'


def retry_after(standing: Standing) -> int:
    """Seconds after which a refused request would pass, if nothing else is asked meanwhile."""
    return seconds(standing.day_ends_in if DAILY in standing.spent else standing.minute_ends_in)


def seconds(milliseconds: int) -> int:
    """Never too few, and never 0: who comes back a moment too early is refused again."""
    return max(1, -(-milliseconds // 1000))


def refusal(standing: Standing) -> str:
    """What is used up, and what to do, as a person wants to read it."""
    plan = standing.plan
    if DAILY in standing.spent:
        return (
            f"The {plan.daily:,} requests a day of the plan {plan.name} are used up; they are back at midnight UTC, as "
            "Retry-After says. A batch of up to 1,000 products a push needs far fewer than single updates; or ask for "
            "a larger plan."
        )
    return (
        f"The {plan.burst:,} requests a minute of the plan {plan.name} are used up; wait as long as Retry-After says. "
        "Spread requests over the minute, or ask for a larger plan."
    )
