"""Limits as a caller meets them: the fields of every answer, refusals that say when to come back, wrong tokens."""

import asyncio
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest
import redis
from litestar import Litestar

from service.api.operations import OPERATIONS
from service.context import Shelfcast
from service.core.limits import FAILURES_A_MINUTE, Plan
from service.core.scopes import Scope
from service.errors import ValidationError
from service.limiting import Limits
from service.settings import Settings
from service.tenants import tokens
from tests.service.api.test_health import scraped

Connect = Callable[..., httpx.AsyncClient]
MIDNIGHT = 1_764_288_000_000
HALF_PAST = MIDNIGHT + 43_230_000
"""Noon, and half a minute."""
SMALL = Plan("small", 7, 3)
ULID = "01KAMW5T9E8Z3Q4R5S6T7V8W9X"


@pytest.fixture
def served(settings: Settings, valkey_at: Settings) -> Settings:
    """Both databases, since tokens are looked up there, and a Redis that counts."""
    return replace(settings, redis_url=valkey_at.redis_dsn, plans=(SMALL, Plan("wide", 100_000, 100_000)))


@pytest.fixture
def at() -> list[int]:
    """The clock of the limits, to be moved."""
    return [HALF_PAST]


@pytest.fixture
def ctx(app: Litestar, at: list[int]) -> Shelfcast:
    own: Shelfcast = app.state.ctx
    app.state.ctx = replace(own, limits=Limits(own.limits.counters, own.settings.plans, lambda: at[0]))
    return app.state.ctx


@pytest.fixture
async def small(connect: Connect, ctx: Shelfcast, token: str) -> httpx.AsyncClient:
    issued = await tokens.issue(ctx, "one", "small", scopes=[Scope.ADMIN], plan="small")
    return connect(issued.token)


async def test_an_answer_says_what_the_plan_is_and_what_is_left_of_it(small: httpx.AsyncClient):
    answer = await small.post("/batch/start")
    assert answer.status_code == 201
    assert answer.headers["ratelimit-policy"] == '"daily";q=7;w=86400, "burst";q=3;w=60'
    assert answer.headers["ratelimit"] == '"daily";r=6;t=43170, "burst";r=2;t=30'


async def test_a_token_without_limits_hears_nothing_of_them_and_costs_redis_nothing(
    api: httpx.AsyncClient, valkey_at: Settings
):
    with redis.Redis.from_url(valkey_at.redis_dsn) as client:
        before = client.info("stats")["total_commands_processed"]
        for _ in range(5):
            answer = await api.get(f"/batch/{ULID}/status")
            assert not [name for name in answer.headers if name.startswith("ratelimit")]
        assert client.info("stats")["total_commands_processed"] == before + 1  # INFO itself


async def test_a_token_that_is_rotated_shares_its_limits_with_its_successors(
    small: httpx.AsyncClient, connect: Connect, ctx: Shelfcast
):
    issued = (await small.get("/api/v1/tokens", params={"active": "true"})).json()["data"]
    (mine,) = [one for one in issued if one["name"] == "small"]
    second = (await small.post(f"/api/v1/tokens/{mine['id']}/rotate", json={})).json()
    answer = await connect(second["token"]).post("/batch/start")
    assert answer.headers["ratelimit"] == '"daily";r=4;t=43170, "burst";r=0;t=30'
    assert (await small.post("/batch/start")).status_code == 429


async def test_too_much_in_a_minute_is_refused_until_its_end(small: httpx.AsyncClient, at: list[int]):
    for _ in range(3):
        assert (await small.post("/batch/start")).status_code == 201
    answer = await small.post("/batch/start")
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["type"]) == (429, "rate_limited", "/docs#rate_limited")
    assert "3 requests a minute of the plan small" in problem["detail"]
    assert answer.headers["retry-after"] == "30"
    assert answer.headers["ratelimit"] == '"daily";r=4;t=43170, "burst";r=0;t=30'
    at[0] += int(answer.headers["retry-after"]) * 1000
    assert (await small.post("/batch/start")).status_code == 201


async def test_too_much_in_a_day_is_refused_until_midnight(small: httpx.AsyncClient, at: list[int]):
    for _ in range(7):
        at[0] += 60_000
        assert (await small.post("/batch/start")).status_code == 201
    answer = await small.post("/batch/start")
    assert (answer.status_code, answer.json()["code"]) == (429, "rate_limited")
    assert "midnight" in answer.json()["detail"]
    at[0] += int(answer.headers["retry-after"]) * 1000
    assert at[0] == MIDNIGHT + 86_400_000
    assert (await small.post("/batch/start")).status_code == 201


async def test_whoever_polls_a_batch_uses_up_no_day(small: httpx.AsyncClient, at: list[int]):
    session = (await small.post("/batch/start")).json()["sessionId"]
    for _ in range(20):
        at[0] += 60_000
        answer = await small.get(f"/batch/{session}/status")
        assert (answer.status_code, answer.headers["ratelimit"].partition(";t")[0]) == (200, '"daily";r=6')
    assert [(await small.get(f"/batch/{session}/status")).status_code for _ in range(3)] == [200, 200, 429]


async def test_every_refusal_says_how_the_token_stands(connect: Connect, ctx: Shelfcast, token: str):
    async def issued(name: str, scope: Scope) -> httpx.AsyncClient:
        return connect((await tokens.issue(ctx, "one", name, scopes=[scope], plan="wide")).token)

    wide, narrow = await issued("wide", Scope.FEED), await issued("narrow", Scope.AUDIT_READ)
    answers = [
        await wide.get(f"/batch/{ULID}/status"),
        await wide.post("/add", content=b"{", headers={"Content-Type": "application/json"}),
        await wide.post("/add", content=b"x", headers={"Content-Type": "text/plain"}),
        await wide.post("/add", json=[{"barcode": "1"}]),
        await narrow.post("/add"),
    ]
    assert [answer.status_code for answer in answers] == [404, 400, 415, 422, 403]
    left = [re.findall(r"r=(\d+)", answer.headers["ratelimit"]) for answer in answers]
    used = [(100_000 - int(daily), 100_000 - int(burst)) for daily, burst in left]
    assert used == [(0, 1), (1, 2), (2, 3), (3, 4), (1, 1)]


async def test_a_stream_and_a_head_say_how_the_token_stands(small: httpx.AsyncClient):
    session = (await small.post("/batch/start")).json()["sessionId"]
    await small.post(f"/batch/{session}/cancel")
    async with asyncio.timeout(5):
        streamed = await small.get(f"/batch/{session}/events")
    assert streamed.headers["content-type"].startswith("text/event-stream")
    assert streamed.headers["ratelimit"] == '"daily";r=5;t=43170, "burst";r=0;t=30'
    assert (await small.head(f"/batch/{session}/status")).status_code == 429


async def test_at_once_exactly_as_many_pass_as_the_plan_allows(small: httpx.AsyncClient):
    answers = await asyncio.gather(*(small.post("/batch/start") for _ in range(60)))
    codes = [answer.status_code for answer in answers]
    assert (codes.count(201), codes.count(429)) == (3, 57)


async def test_tokens_do_not_share_what_they_may(connect: Connect, ctx: Shelfcast, small: httpx.AsyncClient):
    other = connect((await tokens.issue(ctx, "one", "other", plan="small")).token)
    for client in (small, other):
        assert [(await client.post("/batch/start")).status_code for _ in range(4)] == [201, 201, 201, 429]


async def test_a_plan_that_nobody_configured_is_given_to_no_token(ctx: Shelfcast, token: str):
    with pytest.raises(ValidationError, match="no plan gold; take one of unlimited, small, wide, or add it to SHELF"):
        await tokens.issue(ctx, "one", "gold", plan="gold")


async def test_every_operation_with_a_token_documents_its_limits(connect: Connect):
    paths = (await connect().get("/openapi.json")).json()["paths"]
    for operation in OPERATIONS:
        responses = paths[operation.path][operation.method]["responses"]
        assert ("429" in responses) == operation.needs_token
        said = [answer["headers"].keys() for answer in responses.values() if "headers" in answer]
        assert all({"RateLimit", "RateLimit-Policy"} <= names for names in said) or not operation.needs_token


class TestWithoutRedis:
    @pytest.fixture
    def served(self, settings: Settings) -> Settings:
        return replace(settings, plans=(SMALL,))

    async def test_the_feed_goes_on_and_says_so(
        self, connect: Connect, small: httpx.AsyncClient, logged: list[dict[str, Any]]
    ):
        answers = [await small.post("/batch/start") for _ in range(9)]
        assert {answer.status_code for answer in answers} == {201}
        assert {answer.headers["ratelimit-policy"] for answer in answers} == {'"daily";q=7;w=86400, "burst";q=3;w=60'}
        assert not [answer for answer in answers if "ratelimit" in answer.headers]
        assert [line["event"] for line in logged].count("rate_limits_off") == 1
        ready = await connect().get("/health/ready")
        assert (ready.status_code, ready.json()["status"]) == (200, "degraded")
        assert "without rate limits" in ready.json()["checks"]["redis"]["detail"]
        assert scraped(await connect().get("/metrics"))["shelfcast_rate_limits_enforced", ()] == 0

    async def test_wrong_tokens_are_wrong_and_no_more(self, connect: Connect):
        client = connect(wrong(0))
        codes = {(await client.post("/batch/start")).status_code for _ in range(FAILURES_A_MINUTE + 5)}
        assert codes == {401}


async def test_a_redis_that_answers_but_does_not_count_is_said(
    connect: Connect, small: httpx.AsyncClient, valkey_at: Settings
):
    with redis.Redis.from_url(valkey_at.redis_dsn) as client:
        client.config_set("maxmemory", 1)
        assert (await small.post("/batch/start")).status_code == 201
        assert scraped(await connect().get("/metrics"))["shelfcast_rate_limits_enforced", ()] == 0
        client.config_set("maxmemory", 0)
    ready = await connect().get("/health/ready")
    assert ready.json()["status"] == "ready"
    assert scraped(await connect().get("/metrics"))["shelfcast_rate_limits_enforced", ()] == 1


async def test_what_was_refused_is_counted(connect: Connect, small: httpx.AsyncClient):
    for _ in range(5):
        await small.post("/batch/start")
    figures = scraped(await connect().get("/metrics"))
    assert figures["shelfcast_rate_limited_total", ("burst",)] == 2
    assert figures["shelfcast_rate_limited_total", ("daily",)] == 0


def wrong(number: int) -> str:
    return f"sc_live_{number:032}"


@pytest.mark.usefixtures("ctx")
class TestWrongTokens:
    """From 127.0.0.1, which is taken at its word about whom it speaks for."""

    async def tried(self, connect: Connect, times: int, address: str = "192.0.2.1", first: int = 0) -> list[int]:
        answers = [await self.sent(connect, wrong(first + number), address) for number in range(times)]
        return [answer.status_code for answer in answers]

    async def sent(self, connect: Connect, token: str, address: str = "192.0.2.1") -> httpx.Response:
        return await connect(token).post("/batch/start", headers={"X-Forwarded-For": address})

    async def test_too_many_are_told_to_wait(self, connect: Connect, at: list[int]):
        assert await self.tried(connect, FAILURES_A_MINUTE + 1) == [401] * FAILURES_A_MINUTE + [429]
        answer = await self.sent(connect, wrong(FAILURES_A_MINUTE))
        assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (429, "rate_limited", "30")
        at[0] += 30_000
        assert await self.tried(connect, 1) == [401]

    async def test_a_right_token_is_taken_at_once_whatever_its_neighbours_do(self, connect: Connect, token: str):
        await self.tried(connect, FAILURES_A_MINUTE + 20)
        assert (await self.sent(connect, token)).status_code == 201

    async def test_an_address_is_not_answerable_for_another(self, connect: Connect):
        await self.tried(connect, FAILURES_A_MINUTE + 1)
        assert await self.tried(connect, 1, "192.0.2.2") == [401]

    async def test_all_addresses_of_one_ipv6_subscriber_count_together(self, connect: Connect):
        codes = [(await self.tried(connect, 1, f"2001:db8:1:2::{n:x}"))[0] for n in range(FAILURES_A_MINUTE + 1)]
        assert codes == [401] * FAILURES_A_MINUTE + [429]
        assert await self.tried(connect, 1, "2001:db8:1:3::1") == [401]

    async def test_one_that_is_tried_again_is_not_looked_up_again(
        self, connect: Connect, monkeypatch: pytest.MonkeyPatch
    ):
        await self.tried(connect, FAILURES_A_MINUTE + 1)
        monkeypatch.setattr("service.api.limits.identify", None)
        assert (await self.sent(connect, wrong(FAILURES_A_MINUTE))).status_code == 429

    async def test_what_is_no_token_at_all_counts_too_and_what_sends_none_does_not(self, connect: Connect):
        client = connect()
        for _ in range(FAILURES_A_MINUTE * 2):
            assert (await client.post("/batch/start")).status_code == 401
        codes = [(await self.sent(connect, "nonsense" * 1000)).status_code for _ in range(FAILURES_A_MINUTE + 1)]
        assert codes == [401] * FAILURES_A_MINUTE + [429]

    async def test_a_revoked_token_is_a_wrong_one(self, connect: Connect, ctx: Shelfcast, token: str):
        await tokens.revoke(ctx, token)
        codes = [(await self.sent(connect, token)).status_code for _ in range(FAILURES_A_MINUTE + 1)]
        assert codes == [401] * FAILURES_A_MINUTE + [429]

    async def test_they_are_counted(self, connect: Connect):
        await self.tried(connect, FAILURES_A_MINUTE + 3)
        assert scraped(await connect().get("/metrics"))["shelfcast_rate_limited_total", ("address",)] == 3
