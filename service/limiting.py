"""Rate limits of tokens, exact over all processes, and of failed authentications by address.

Both count in Redis, by its own clock: the one clock that all processes share, so that no two of them disagree on which
minute it is. What Redis forgets, requests gain; what it cannot say, nobody waits for (`counters`).
"""

import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterable

import structlog

from service.core.limits import BURST, DAILY, FAILURES_A_MINUTE, UNLIMITED, Plan, Standing, seconds
from service.counters import Counters, Script

ADDRESS = "address"
"""Beside DAILY and BURST: the third thing that a request may be refused for."""

_NOW = """
local now = tonumber(ARGV[1])
if not now then
  local clock = redis.call('TIME')
  now = clock[1] * 1000 + math.floor(clock[2] / 1000)
end
local minute = math.floor(now / 60000)
local to_minute = (minute + 1) * 60000 - now
"""

# ARGV: now (ms) or '', daily quota, burst, whether the daily quota counts. A key is named after its window and outlives
# it by a minute, so that a clock that is set back a little finds what it had counted. Refused: nothing is written.
QUOTA = Script.of(
    _NOW
    + """
local day = math.floor(now / 86400000)
local to_day = (day + 1) * 86400000 - now
local of_day, of_minute = KEYS[1] .. ':d' .. day, KEYS[1] .. ':m' .. minute
local daily, burst = tonumber(ARGV[2]), tonumber(ARGV[3])
local counts = ARGV[4] == '1'
local used = redis.call('MGET', of_day, of_minute)
local used_daily, used_burst = tonumber(used[1] or 0), tonumber(used[2] or 0)
local allowed = used_burst < burst and (used_daily < daily or not counts)
if allowed then
  used_burst = redis.call('INCR', of_minute)
  if used_burst == 1 then redis.call('PEXPIRE', of_minute, to_minute + 60000) end
  if counts then
    used_daily = redis.call('INCR', of_day)
    if used_daily == 1 then redis.call('PEXPIRE', of_day, to_day + 60000) end
  end
end
return {allowed and 1 or 0, math.max(0, daily - used_daily), math.max(0, burst - used_burst), to_day, to_minute}
"""
)

# ARGV: now (ms) or '', failures allowed, bucket of the address.
FAILURE = Script.of(
    _NOW
    + """
local key = KEYS[1] .. ':' .. minute
local allowed = tonumber(redis.call('HGET', key, ARGV[3]) or 0) < tonumber(ARGV[2])
if allowed then
  redis.call('HINCRBY', key, ARGV[3], 1)
  redis.call('PEXPIRE', key, to_minute + 60000)
end
return {allowed and 1 or 0, to_minute}
"""
)

Clock = Callable[[], int]

log = structlog.get_logger(__name__)


class Limits:
    """What one process knows of the limits; the counting is Redis's.

    Attributes:
        refused: Requests that this process refused, by what they ran into.
    """

    def __init__(self, counters: Counters, plans: Iterable[Plan], clock: Clock | None = None) -> None:
        """`clock` is milliseconds since the epoch, for those who test; None: Redis's own."""
        self.counters = counters
        self.refused: Counter[str] = Counter({DAILY: 0, BURST: 0, ADDRESS: 0})
        self.failures = Failures(counters, clock)
        self._clock = clock
        self._plans = {plan.name: plan for plan in plans}
        self._unknown: set[str] = set()

    def plan(self, name: str) -> Plan | None:
        """The plan of this name; None if it has no limits, or is no longer in the settings, which is warned of once."""
        if name not in self._plans and name != UNLIMITED and name not in self._unknown:
            self._unknown.add(name)
            log.warning("plan_unknown", plan=name, hint="Its tokens are not limited; add it to SHELFCAST_PLANS.")
        return self._plans.get(name)

    async def count(self, quota: str, plan: Plan, *, counts: bool) -> Standing | None:
        """How whoever has this quota stands, with this request counted; None if nobody can say, so that it goes on.

        With `counts`, it is one of the daily quota too. A refused request is counted nowhere but in `refused`.
        """
        now = self._clock() if self._clock else ""
        said = await self.counters.ask(QUOTA, f"shelfcast:quota:{quota}", now, plan.daily, plan.burst, int(counts))
        if said is None:
            return None
        allowed, *numbers = said
        standing = Standing(plan, bool(allowed), counts, *numbers)
        if not standing.allowed:
            self.refused[standing.spent[0]] += 1
        return standing


class Failures:
    """Requests with a token that is not valid, by address.

    A right token is never refused for what its neighbours behind the same address do: it is looked up whatever else
    comes from there. What is spared is the look-up of a token that was found wrong in this minute before, by an
    address that is over its limit, which is what a till with a mistyped token does all day.

    Addresses are counted in 65,536 buckets, so that no attacker fills a memory, Redis's or ours, with them. Two that
    share one share a limit, which costs wrong tokens a 429 in the place of a 401, and nobody anything else.
    """

    BUCKETS = 65_536
    REMEMBERED = 10_000
    """Wrong tokens; those beyond are looked up each time."""

    def __init__(self, counters: Counters, clock: Clock | None = None) -> None:
        self._counters = counters
        self._clock = clock
        self._over: set[int] = set()
        self._wrong: set[str] = set()
        self._until = 0

    @property
    def pressed(self) -> bool:
        """Whether any address is over its limit, as far as this process knows."""
        return bool(self._over)

    def wait(self, address: str, token: str) -> int | None:
        """Seconds after which this token from this address is looked up again; None: at once."""
        left = self._left()
        return left if token in self._wrong and _bucket(address) in self._over else None

    async def note(self, address: str, token: str) -> int | None:
        """Note that this token is not valid: seconds to wait if its address has too many of them, else None."""
        self._left()
        bucket = _bucket(address)
        if bucket not in self._over:
            now = self._clock() if self._clock else ""
            said = await self._counters.ask(FAILURE, "shelfcast:failures", now, FAILURES_A_MINUTE, bucket)
            if said is None or said[0]:
                return None
            self._over.add(bucket)
            self._until = self._time() + said[1]
        if len(self._wrong) < self.REMEMBERED:
            self._wrong.add(token)
        return self._left()

    def _left(self) -> int | None:
        """Seconds to the end of the minute that is remembered; with it, everything is forgotten."""
        left = self._until - self._time()
        if left > 0:
            return seconds(left)
        self._over.clear()
        self._wrong.clear()
        return None

    def _time(self) -> int:
        """Milliseconds since whenever: how long Redis's minute lasts is all that is asked of it."""
        return self._clock() if self._clock else time.monotonic_ns() // 1_000_000


def _bucket(address: str) -> int:
    """The same on every process."""
    return zlib.crc32(address.encode()) % Failures.BUCKETS
