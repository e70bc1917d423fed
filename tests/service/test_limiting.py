"""Limits on a real Valkey: exact over processes, across midnight and the minute, and when Redis dies on the way."""

import asyncio
import contextlib
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import redis
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from bench.hammer import Work, hammered
from service import valkey
from service.children import end
from service.core.limits import BURST, DAILY, FAILURES_A_MINUTE, UNLIMITED, Plan
from service.counters import Counters
from service.limiting import ADDRESS, Failures, Limits
from service.settings import Settings

MIDNIGHT = 1_764_288_000_000
"""2025-11-28, 00:00 UTC."""
NOON = MIDNIGHT + 43_200_000
SMALL = Plan("small", 5, 3)


class Clock:
    """One that a test moves."""

    def __init__(self, now: int = NOON) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def counters(valkey_at: Settings) -> AsyncIterator[Counters]:
    counters = Counters(valkey_at.redis_dsn)
    yield counters
    await counters.close()


@pytest.fixture
def limits(counters: Counters, clock: Clock) -> Limits:
    return Limits(counters, [SMALL], clock)


@pytest.fixture
def client(valkey_at: Settings) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(valkey_at.redis_dsn) as client:
        yield client


async def passed(limits: Limits, times: int, plan: Plan = SMALL, *, counts: bool = True, quota: str = "T") -> int:
    """How many of so many requests at once go on."""
    asked = await asyncio.gather(*(limits.count(quota, plan, counts=counts) for _ in range(times)))
    return sum(standing is not None and standing.allowed for standing in asked)


async def stands(limits: Limits, *, counts: bool = True, quota: str = "T") -> tuple[bool, int, int]:
    standing = await limits.count(quota, SMALL, counts=counts)
    assert standing is not None
    return standing.allowed, standing.daily_left, standing.burst_left


async def test_each_request_leaves_one_less(limits: Limits):
    assert [await stands(limits) for _ in range(3)] == [(True, 4, 2), (True, 3, 1), (True, 2, 0)]


async def test_a_refused_request_counts_against_nothing(limits: Limits, clock: Clock):
    assert await passed(limits, 50) == 3
    assert await stands(limits) == (False, 2, 0)
    clock.now += 60_000
    assert await passed(limits, 50) == 2
    assert await stands(limits) == (False, 0, 1)
    assert limits.refused == {BURST: 48, DAILY: 49, ADDRESS: 0}


async def test_what_the_day_is_not_for_counts_against_the_minute_alone(limits: Limits, clock: Clock):
    assert await passed(limits, 9, counts=False) == 3
    clock.now += 60_000
    assert await stands(limits, counts=False) == (True, 5, 2)


async def test_a_poller_goes_on_when_the_day_is_used_up(limits: Limits, clock: Clock):
    for _ in range(2):
        await passed(limits, 3)
        clock.now += 60_000
    assert await stands(limits) == (False, 0, 3)
    assert await stands(limits, counts=False) == (True, 0, 2)


async def test_the_minute_is_back_at_its_end_and_not_before(limits: Limits, clock: Clock):
    clock.now = NOON + 59_999
    assert await passed(limits, 9) == 3
    refused = await limits.count("T", SMALL, counts=True)
    assert refused is not None
    assert refused.minute_ends_in == 1
    clock.now += 1
    assert await stands(limits) == (True, 1, 2)


async def test_the_day_is_back_at_midnight_utc_and_not_before(limits: Limits, clock: Clock):
    clock.now = MIDNIGHT - 120_000
    await passed(limits, 3)
    clock.now = MIDNIGHT - 1
    assert await passed(limits, 9) == 2
    refused = await limits.count("T", SMALL, counts=True)
    assert refused is not None
    assert (refused.day_ends_in, refused.minute_ends_in, refused.spent) == (1, 1, (DAILY,))
    clock.now = MIDNIGHT
    assert await stands(limits) == (True, 4, 2)


async def test_a_clock_that_is_set_back_a_little_finds_what_it_had_counted(limits: Limits, clock: Clock):
    await passed(limits, 3)
    clock.now += 60_000
    await stands(limits)
    clock.now -= 60_000
    assert await stands(limits) == (False, 1, 0)


async def test_each_token_has_its_own(limits: Limits):
    assert await passed(limits, 9, quota="A") == await passed(limits, 9, quota="B") == 3


async def test_a_smaller_plan_counts_from_the_next_request(limits: Limits):
    await passed(limits, 3)
    refused = await limits.count("T", Plan("smaller", 2, 2), counts=True)
    assert refused is not None
    assert (refused.allowed, refused.daily_left, refused.burst_left) == (False, 0, 0)


async def test_what_is_kept_ends_by_itself(limits: Limits, clock: Clock, client: redis.Redis):
    clock.now = MIDNIGHT - 30_000
    await passed(limits, 3)
    lives = {key.decode().rsplit(":", 1)[1][0]: client.pttl(key) for key in client.scan_iter("shelfcast:*")}
    assert set(lives) == {"d", "m"}
    assert all(80_000 < left <= 90_000 for left in lives.values())


async def test_redis_own_clock_is_the_one_that_counts(counters: Counters, client: redis.Redis):
    limits = Limits(counters, [SMALL])
    before = client.time()
    standing = await limits.count("T", SMALL, counts=True)
    after = client.time()
    assert standing is not None
    least, most = ((60 - at[0] % 60) * 1000 - at[1] // 1000 for at in (after, before))
    assert least <= standing.minute_ends_in <= most or least > most  # or the minute has turned meanwhile
    assert (standing.day_ends_in - standing.minute_ends_in) % 60_000 == 0


@given(
    st.lists(st.tuples(st.sampled_from("AB"), st.booleans(), st.sampled_from((0, 999, 20_000, 60_000, 43_200_000)))),
    st.integers(0, 2**62),
)
@hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_script_does_as_the_rules_say(valkey_at: Settings, steps: list[tuple[str, bool, int]], seed: int):
    """A model that counts in a dictionary, asked the same."""

    async def play() -> None:
        clock = Clock(MIDNIGHT - 100_000)
        counters = Counters(valkey_at.redis_dsn)
        limits = Limits(counters, [SMALL], clock)
        used: Counter[tuple[str, int, int]] = Counter()
        for token, counts, wait in steps:
            clock.now += wait
            day, minute = (token, 86_400, clock.now // 86_400_000), (token, 60, clock.now // 60_000)
            allowed = used[minute] < SMALL.burst and (not counts or used[day] < SMALL.daily)
            used.update([minute] * allowed + [day] * (allowed and counts))
            expected = (allowed, SMALL.daily - used[day], SMALL.burst - used[minute])
            assert await stands(limits, counts=counts, quota=f"{seed}{token}") == expected
        await counters.close()

    asyncio.run(play())
    with redis.Redis.from_url(valkey_at.redis_dsn) as client:
        client.flushall()


async def test_a_plan_without_limits_is_none_and_one_that_is_gone_is_warned_of_once(limits: Limits):
    with capture_logs() as lines:
        assert limits.plan("small") == SMALL
        assert [limits.plan(name) for name in (UNLIMITED, "gone", "gone")] == [None, None, None]
    assert [(line["event"], line["plan"]) for line in lines] == [("plan_unknown", "gone")]


def four(settings: Settings, *, skew: int = 0, **work: Any) -> int:
    """How many of 4 x 500 requests pass, by four processes at once, whose clocks are `skew` apart from one another."""
    start = work.pop("start", NOON)
    return hammered(
        [Work(settings.redis_dsn, requests=500, start=start + number * skew, **work) for number in range(4)]
    )


@pytest.mark.parametrize(("daily", "burst", "passes"), [(777, 10_000, 777), (10_000, 333, 333), (1, 1, 1)])
def test_four_processes_at_once_pass_exactly_what_is_allowed(valkey_at: Settings, daily: int, burst: int, passes: int):
    assert four(valkey_at, daily=daily, burst=burst) == passes


def test_four_processes_across_midnight_pass_exactly_twice_what_a_day_allows(valkey_at: Settings):
    """Each walks 25 s through midnight, at its own pace and with a clock of its own."""
    assert four(valkey_at, daily=300, burst=10_000, start=MIDNIGHT - 12_500, step=50, skew=700) == 600


def test_four_processes_across_a_minute_pass_exactly_twice_what_a_minute_allows(valkey_at: Settings):
    assert four(valkey_at, daily=10_000, burst=300, start=NOON - 12_500, step=50, skew=700) == 600


async def test_when_redis_is_killed_on_the_way_requests_go_on_and_counting_goes_on_after_it(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("service.counters.SILENCE", 0.01)
    settings = Settings(data_dir=tmp_path)
    process = valkey.start(settings)
    assert process is not None
    with redis.Redis.from_url(settings.redis_dsn) as client:
        client.config_set("appendfsync", "always")  # what was answered is in the file when it is killed
    counters = Counters(settings.redis_dsn)
    limits, plan = Limits(counters, [], Clock()), Plan("wide", 400, 400)
    enforced: list[bool] = []
    unlimited = 0

    async def call() -> None:
        nonlocal unlimited
        standing = await limits.count("T", plan, counts=True)
        if standing is None:
            unlimited += 1
        else:
            enforced.append(standing.allowed)

    async def call_until(holds: Any) -> None:
        async with asyncio.timeout(30):
            while not holds():
                await asyncio.gather(*(call() for _ in range(10)))
                await asyncio.sleep(0.001)

    with capture_logs() as lines:
        await call_until(lambda: sum(enforced) >= 150)
        process.kill()
        await call_until(lambda: unlimited >= 100)
        process.wait()
        again = valkey.start(settings)
        await call_until(lambda: not all(enforced))
    await counters.close()
    assert again is not None
    end(again, within=5.0)
    assert 390 <= sum(enforced) <= 400  # ten may have been counted without an answer
    assert [line["event"] for line in lines] == ["rate_limits_off", "rate_limits_back"]


class TestFailures:
    @pytest.fixture
    def failures(self, limits: Limits) -> Failures:
        return limits.failures

    async def noted(self, failures: Failures, times: int, address: str = "192.0.2.1") -> list[int | None]:
        return [await failures.note(address, f"wrong-{number}") for number in range(times)]

    async def test_so_many_in_a_minute_are_only_wrong_and_then_too_many(self, failures: Failures):
        assert await self.noted(failures, FAILURES_A_MINUTE + 2) == [None] * FAILURES_A_MINUTE + [60, 60]

    async def test_another_address_is_not_concerned(self, failures: Failures):
        await self.noted(failures, FAILURES_A_MINUTE + 1)
        assert await failures.note("192.0.2.2", "wrong") is None
        assert failures.wait("192.0.2.2", f"wrong-{FAILURES_A_MINUTE}") is None

    async def test_only_a_token_that_was_wrong_before_is_spared_its_look_up(self, failures: Failures, clock: Clock):
        await self.noted(failures, FAILURES_A_MINUTE + 1)
        clock.now += 18_000
        assert failures.wait("192.0.2.1", f"wrong-{FAILURES_A_MINUTE}") == 42
        assert failures.wait("192.0.2.1", "right") is None

    async def test_the_next_minute_begins_anew(self, failures: Failures, clock: Clock):
        await self.noted(failures, FAILURES_A_MINUTE + 1)
        clock.now += 60_000
        assert failures.wait("192.0.2.1", f"wrong-{FAILURES_A_MINUTE}") is None
        assert await self.noted(failures, FAILURES_A_MINUTE + 1) == [None] * FAILURES_A_MINUTE + [60]

    async def test_processes_count_together(self, failures: Failures, counters: Counters, clock: Clock):
        another = Failures(counters, clock)
        await self.noted(failures, FAILURES_A_MINUTE - 1)
        assert await another.note("192.0.2.1", "wrong") is None
        assert await another.note("192.0.2.1", "wrong") == 60

    async def test_once_over_redis_is_not_asked_again(self, failures: Failures, client: redis.Redis):
        await self.noted(failures, FAILURES_A_MINUTE + 1)
        before = client.info("commandstats")["cmdstat_evalsha"]["calls"]
        await self.noted(failures, 100)
        assert client.info("commandstats")["cmdstat_evalsha"]["calls"] == before

    async def test_no_flood_of_addresses_fills_a_memory(
        self, failures: Failures, client: redis.Redis, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(Failures, "BUCKETS", 16)
        monkeypatch.setattr(Failures, "REMEMBERED", 10)
        flood = itertools.product(range(2), range(256))
        await asyncio.gather(*(failures.note(f"10.0.{a}.{b}", f"wrong-{a}-{b}") for a, b in flood))
        (key,) = client.keys("shelfcast:failures:*")
        assert client.hlen(key) <= 16
        assert sum(map(int, client.hvals(key))) <= 16 * FAILURES_A_MINUTE
        assert 60_000 < client.pttl(key) <= 120_000
        assert len(failures._over) <= 16
        assert len(failures._wrong) <= 10

    async def test_without_redis_wrong_tokens_are_wrong_and_no_more(self, clock: Clock, tmp_path: Any):
        counters = Counters(f"unix://{tmp_path}/nobody.sock")
        with capture_logs():
            assert await self.noted(Failures(counters, clock), 30) == [None] * 30
        with contextlib.suppress(OSError):
            await counters.close()
