"""Tokens over the API; what a token may hand on is in tests/service/test_issuing.py."""

from collections.abc import Callable

import httpx
import pytest

from service.context import Shelfcast
from service.core.scopes import ROLES, Scope
from service.tenants import tokens

Connect = Callable[..., httpx.AsyncClient]


@pytest.fixture
async def admin(connect: Connect, ctx: Shelfcast, token: str) -> httpx.AsyncClient:
    """Of store `one`."""
    return connect((await tokens.issue(ctx, "one", "admin", scopes=[Scope.ADMIN])).token)


async def issued(admin: httpx.AsyncClient, **body: object) -> dict[str, object]:
    answer = await admin.post("/api/v1/tokens", json={"name": "till", "scopes": ["feed"]} | body)
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == f"/api/v1/tokens/{answer.json()['id']}"
    return answer.json()


async def test_a_token_is_shown_when_it_is_issued_and_never_again(connect: Connect, admin: httpx.AsyncClient):
    made = await issued(admin)
    assert (await connect(str(made["token"])).post("/batch/start")).status_code == 201
    shown = await admin.get(f"/api/v1/tokens/{made['id']}")
    assert "token" not in shown.json()
    listed = await admin.get("/api/v1/tokens")
    assert str(made["token"]) not in shown.text + listed.text
    assert [one["name"] for one in listed.json()["data"]] == ["till", "admin", "pos"]


async def test_a_role_becomes_its_scopes(admin: httpx.AsyncClient):
    made = await issued(admin, scopes=None, role="staff")
    assert made["scopes"] == list(ROLES["staff"])


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"scopes": None}, "scopes"),
        ({"role": "staff"}, "scopes"),
        ({"scopes": ["read"]}, "scopes[0]"),
        ({"scopes": []}, "scopes"),
        ({"plan": "best"}, "plan"),
        ({"name": "\x00"}, "name"),
        ({"name": " "}, "name"),
        ({"expiresAt": "2020-01-01T00:00:00Z"}, "expiresAt"),
        ({"expiresAt": "2030-01-01"}, "expiresAt"),
        ({"expiresAt": "9999-12-31T23:59:59-20:00"}, "expiresAt"),
    ],
)
async def test_what_is_wrong_with_a_token_is_named(admin: httpx.AsyncClient, body: dict[str, object], field: str):
    refused = await admin.post("/api/v1/tokens", json={"name": "till", "scopes": ["feed"]} | body)
    assert (refused.status_code, list(refused.json()["fields"])) == (400, [field])


async def test_a_name_is_unique_among_active_tokens(admin: httpx.AsyncClient):
    made = await issued(admin)
    taken = await admin.post("/api/v1/tokens", json={"name": " till ", "scopes": ["feed"]})
    assert (taken.status_code, list(taken.json()["fields"])) == (409, ["name"])
    await admin.post(f"/api/v1/tokens/{made['id']}/revoke")
    await issued(admin)


async def test_more_than_one_has_is_forbidden_with_every_reason(connect: Connect, ctx: Shelfcast, token: str):
    narrow = await tokens.issue(ctx, "one", "narrow", scopes=[Scope.TOKENS_WRITE], plan="growth")
    refused = await connect(narrow.token).post(
        "/api/v1/tokens", json={"name": "more", "scopes": ["feed"], "plan": "pro"}
    )
    assert (refused.status_code, set(refused.json()["fields"])) == (403, {"scopes", "plan"})


async def test_a_token_is_rotated_with_two_active_at_once(connect: Connect, admin: httpx.AsyncClient):
    made = await issued(admin)
    answer = await admin.post(f"/api/v1/tokens/{made['id']}/rotate", json={"overlap": 60})
    assert answer.status_code == 201
    successor = answer.json()
    assert (successor["name"], successor["replaces"]) == ("till", made["id"])
    assert successor["previous"]["expiresAt"] is not None
    for one in (made, successor):
        assert (await connect(one["token"]).post("/batch/start")).status_code == 201
    assert (await admin.post(f"/api/v1/tokens/{successor['id']}/rotate")).status_code == 409


async def test_a_token_is_rotated_without_a_body_and_may_end_at_once(connect: Connect, admin: httpx.AsyncClient):
    first = await issued(admin)
    second = (await admin.post(f"/api/v1/tokens/{first['id']}/rotate")).json()
    assert second["previous"]["active"]
    await admin.post(f"/api/v1/tokens/{first['id']}/revoke")
    third = (await admin.post(f"/api/v1/tokens/{second['id']}/rotate", json={"overlap": 0})).json()
    assert not third["previous"]["active"]
    assert (await connect(second["token"]).post("/batch/start")).status_code == 401


async def test_revoking_ends_a_token_at_the_next_request_and_may_be_repeated(
    connect: Connect, admin: httpx.AsyncClient
):
    made = await issued(admin)
    ended = [(await admin.post(f"/api/v1/tokens/{made['id']}/revoke")).json() for _ in range(2)]
    assert ended[0] == ended[1]
    assert not ended[0]["active"]
    assert (await connect(str(made["token"])).post("/batch/start")).status_code == 401


async def test_a_token_may_revoke_itself(admin: httpx.AsyncClient):
    own = (await admin.get("/api/v1/organisation")).json()["token"]["id"]
    assert (await admin.post(f"/api/v1/tokens/{own}/revoke")).status_code == 200
    assert (await admin.get("/api/v1/organisation")).status_code == 401


@pytest.mark.parametrize("token_id", ["x", "01KAMW5T9E8Z3Q4R5S6T7V8W9X", "%00", "a%20b"])
async def test_a_token_that_is_not_there_is_not_found(admin: httpx.AsyncClient, token_id: str):
    assert (await admin.get(f"/api/v1/tokens/{token_id}")).status_code == 404
