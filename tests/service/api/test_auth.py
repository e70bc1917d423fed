"""Who may call, and how a token may travel."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest
from litestar import Litestar

from service.context import Shelfcast
from service.store.tables import tokens as tokens_table
from service.tenants import tokens

Connect = Callable[..., httpx.AsyncClient]
SESSION = "01KAMW5T9E8Z3Q4R5S6T7V8W9X"
ROUTES = [
    ("POST", "/add"),
    ("POST", "/api/v1/add"),
    ("GET", f"/batch/{SESSION}/status"),
    ("GET", f"/batch/{SESSION}/events"),
    ("GET", "/api/v1/products/1/preview.png"),
]
LIVE = "sc_live_" + "A" * 32


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer ", LIVE, f"Basic {LIVE}", f"Bearer {LIVE}"])
async def test_without_a_known_token_no_route_answers(connect: Connect, authorization: str | None):
    headers = {} if authorization is None else {"Authorization": authorization}
    client = connect()
    for method, path in ROUTES:
        answer = await client.request(method, path, headers=headers)
        assert (path, answer.status_code, answer.json()["code"]) == (path, 401, "unauthorized")
        assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "token",
    ["x", "A" * 100_000, "sc_live_'; DROP TABLE tokens; --", "sc_live_" + "A" * 31 + "\x00", "\xff" * 40, "a b c"],
)
async def test_no_token_however_broken_is_more_than_unauthorized(connect: Connect, token: str):
    authorization = b"Bearer " + token.encode("latin-1")
    answer = await connect().get(f"/batch/{SESSION}/status", headers=[(b"Authorization", authorization)])  # type: ignore[arg-type]
    assert answer.status_code == 401


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "  bearer  "])
async def test_the_scheme_may_be_written_in_any_case(connect: Connect, token: str, scheme: str):
    answer = await connect().post("/batch/start", headers={"Authorization": f"{scheme} {token}"})
    assert answer.status_code == 201


async def test_a_token_is_checked_before_the_body_is_looked_at(connect: Connect):
    answer = await connect(LIVE).post("/add", content=b"\xff" * 1_000_000, headers={"Content-Encoding": "br"})
    assert answer.status_code == 401


async def test_a_revoked_token_ends_with_the_next_request(api: httpx.AsyncClient, ctx: Shelfcast, token: str):
    assert (await api.post("/batch/start")).status_code == 201
    await tokens.revoke(ctx, token)
    assert (await api.post("/batch/start")).status_code == 401


async def test_an_expired_token_ends_with_the_next_request(
    connect: Connect, ctx: Shelfcast, token: str, later: Callable[[float], None]
):
    short = await tokens.issue(ctx, "one", "short", expires_at=ctx.clock() + 60_000)
    assert (await connect(short.token).post("/batch/start")).status_code == 201
    later(61)
    assert (await connect(short.token).post("/batch/start")).status_code == 401
    assert (await connect(token).post("/batch/start")).status_code == 201


async def test_a_token_for_something_else_is_forbidden_the_feed(api: httpx.AsyncClient, ctx: Shelfcast):
    await ctx.db.write(lambda conn: conn.execute(tokens_table.update().values(scopes='["read"]')))
    answer = await api.post("/batch/start")
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


async def test_each_token_sees_its_own_store(
    connect: Connect, token: str, new_store: Callable[[str], Awaitable[str]], product: Callable[..., dict[str, Any]]
):
    other = await new_store("two")
    for each in (token, other):
        assert (await connect(each).post("/add", json=[product()])).json()["created"] == 1


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", None])
async def test_a_token_may_come_in_clear_text_from_the_same_machine(connect: Connect, token: str, peer: str | None):
    assert (await connect(token, peer).post("/batch/start")).status_code == 201


@pytest.mark.parametrize("peer", ["192.0.2.7", "10.0.0.1", "2001:db8::1", "unknown"])
async def test_a_token_in_clear_text_from_elsewhere_is_forbidden(connect: Connect, token: str, peer: str):
    answer = await connect(token, peer).post("/batch/start")
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


async def test_nobody_can_claim_to_be_a_proxy(connect: Connect, token: str):
    headers = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "127.0.0.1", "Forwarded": "proto=https"}
    assert (await connect(token, "192.0.2.7").post("/batch/start", headers=headers)).status_code == 403


@pytest.fixture
def proxied(app: Litestar, ctx: Shelfcast) -> None:
    trusting = replace(ctx.settings, trusted_proxies=("192.0.2.7", "10.0.0.0/8", "2001:db8::/32"))
    app.state.ctx = replace(ctx, settings=trusting)


@pytest.mark.usefixtures("proxied")
class TestTrustedProxies:
    @pytest.mark.parametrize("peer", ["192.0.2.7", "10.1.2.3", "2001:db8::9", "::ffff:10.1.2.3"])
    @pytest.mark.parametrize("proto", ["https", "HTTPS", "https, https"])
    async def test_what_came_over_https_is_taken(self, connect: Connect, token: str, peer: str, proto: str):
        answer = await connect(token, peer).post("/batch/start", headers={"X-Forwarded-Proto": proto})
        assert answer.status_code == 201

    @pytest.mark.parametrize("proto", [None, "", "http", "https, http", "http, https", "httpss"])
    async def test_what_did_not_is_forbidden(self, connect: Connect, token: str, proto: str | None):
        headers = {} if proto is None else {"X-Forwarded-Proto": proto}
        assert (await connect(token, "10.1.2.3").post("/batch/start", headers=headers)).status_code == 403

    async def test_others_are_not_believed(self, connect: Connect, token: str):
        answer = await connect(token, "192.0.2.8").post("/batch/start", headers={"X-Forwarded-Proto": "https"})
        assert answer.status_code == 403


async def test_plain_http_can_be_allowed(app: Litestar, ctx: Shelfcast, connect: Connect, token: str):
    app.state.ctx = replace(ctx, settings=replace(ctx.settings, allow_plain_http=True))
    assert (await connect(token, "192.0.2.7").post("/batch/start")).status_code == 201


async def test_https_of_our_own_is_private(app: Litestar, token: str):
    transport = httpx.ASGITransport(app, client=("192.0.2.7", 1))
    async with httpx.AsyncClient(transport=transport, base_url="https://shelfcast") as client:
        answer = await client.post("/batch/start", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 201


async def test_a_token_is_in_no_log_and_no_answer(api: httpx.AsyncClient, token: str, logged: list[Any]):
    answers = [await api.post("/batch/start"), await api.post("/add", json=5), await api.get("/nowhere")]
    assert len(logged) >= len(answers)
    assert token not in repr(logged)
    assert not any(token in answer.text for answer in answers)
