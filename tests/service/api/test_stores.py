"""Organisations and stores over the API."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest
from litestar import Litestar

from display_drivers.simulator.process import Ready, serving
from display_drivers.simulator.store import Options
from service.context import Shelfcast
from service.core.scopes import ROLES, Scope
from service.settings import Settings
from service.store import templates
from service.tenants import simulated, stores, tokens
from service.tenants.stores import NewStore
from tests.service.api.conftest import MAX_BODY
from tests.shop import milk

Connect = Callable[..., httpx.AsyncClient]


@pytest.fixture
def served(settings: Settings) -> Settings:
    """Stores matter on both databases."""
    return replace(settings, max_body=MAX_BODY)


@pytest.fixture
async def chain(connect: Connect, ctx: Shelfcast) -> httpx.AsyncClient:
    """Who may do everything in a chain."""
    await stores.create_organisation(ctx, "corner", "Corner shops")
    issued = await tokens.issue(ctx, None, "head office", organisation="corner", scopes=[Scope.ADMIN])
    return connect(issued.token)


async def made(chain: httpx.AsyncClient, slug: str, environment: str = "live", **more: Any) -> dict[str, Any]:
    answer = await chain.post("/api/v1/stores", json={"slug": slug, "environment": environment, **more})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_a_token_says_whose_it_is_and_what_it_may(connect: Connect, chain: httpx.AsyncClient, ctx: Shelfcast):
    whole = (await chain.get("/api/v1/organisation")).json()
    assert (whole["slug"], whole["name"], whole["token"]["store"]) == ("corner", "Corner shops", None)
    assert set(whole["allowed"]) == set(Scope)
    await made(chain, "zagreb")
    till = await tokens.issue(ctx, "zagreb", "till", expires_at=4_000_000_000_000)
    own = (await connect(till.token).get("/api/v1/organisation")).json()
    assert (own["token"]["store"], own["allowed"]) == ("zagreb", ["feed"])
    assert own["token"]["expiresAt"] == "2096-10-02T07:06:40.000Z"


async def test_a_chain_makes_sandboxes_and_live_stores(chain: httpx.AsyncClient):
    store = await made(chain, "zagreb", name="Zagreb, Ilica 1", timezone="Europe/Zagreb", locale="hr_HR")
    assert store["organisation"] == "corner"
    assert (store["name"], store["environment"], store["locale"]) == ("Zagreb, Ilica 1", "live", "hr-HR")
    assert (await made(chain, "lab", "sandbox"))["name"] == "lab"
    for named in ("zagreb", store["id"]):
        assert (await chain.get(f"/api/v1/stores/{named}")).json() == store


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"slug": "A b"}, "slug"),
        ({"environment": "prod"}, "environment"),
        ({"timezone": "Mars/Base"}, "timezone"),
        ({"locale": "croatian"}, "locale"),
        ({"name": "\x00"}, "name"),
        ({"name": "   "}, "name"),
        ({"currency": "euro"}, "currency"),
    ],
)
async def test_a_store_that_cannot_be_is_refused_by_its_field(
    chain: httpx.AsyncClient, body: dict[str, str], field: str
):
    refused = await chain.post("/api/v1/stores", json={"slug": "a", "environment": "live"} | body)
    assert (refused.status_code, list(refused.json()["fields"])) == (400, [field])


async def test_a_slug_is_taken_in_the_whole_installation(chain: httpx.AsyncClient, ctx: Shelfcast):
    await stores.create_store(ctx, NewStore(slug="elsewhere"))
    refused = await chain.post("/api/v1/stores", json={"slug": "elsewhere", "environment": "live"})
    assert (refused.status_code, refused.json()["code"]) == (409, "conflict")


async def test_the_token_of_a_store_makes_none_and_sees_its_own(
    connect: Connect, chain: httpx.AsyncClient, ctx: Shelfcast
):
    for slug in ("zagreb", "split"):
        await made(chain, slug)
    own = connect((await tokens.issue(ctx, "split", "admin", scopes=[Scope.ADMIN])).token)
    assert (await own.post("/api/v1/stores", json={"slug": "x", "environment": "sandbox"})).status_code == 403
    assert [store["slug"] for store in (await own.get("/api/v1/stores")).json()["data"]] == ["split"]
    assert (await own.get("/api/v1/stores/zagreb")).status_code == 404


@pytest.mark.parametrize(
    ("query", "slugs"),
    [
        ({}, ["lab", "split", "zagreb"]),
        ({"environment": "sandbox"}, ["lab"]),
        ({"search": "SPL"}, ["split"]),
        ({"search": "črnomerec"}, ["zagreb"]),
        ({"search": "z%"}, []),
        ({"search": "a", "environment": "live"}, ["zagreb"]),
    ],
)
async def test_stores_are_found_by_environment_and_words(
    chain: httpx.AsyncClient, query: dict[str, str], slugs: list[str]
):
    await made(chain, "zagreb", name="ČRNOMEREC")
    await made(chain, "split")
    await made(chain, "lab", "sandbox")
    found = (await chain.get("/api/v1/stores", params=query)).json()
    assert [store["slug"] for store in found["data"]] == slugs
    assert found["meta"]["total"] == len(slugs)


async def test_the_list_of_stores_goes_on_by_its_cursor(chain: httpx.AsyncClient):
    for slug in "abd":
        await made(chain, slug)
    first = (await chain.get("/api/v1/stores", params={"perPage": 2})).json()
    await made(chain, "c")
    second = (await chain.get("/api/v1/stores", params={"perPage": 2, "cursor": first["meta"]["next"]})).json()
    assert [store["slug"] for store in first["data"] + second["data"]] == ["a", "b", "c", "d"]
    assert (await chain.get("/api/v1/stores", params={"cursor": "ImEAYiI="})).status_code == 400


async def test_a_store_is_changed_and_its_labels_planned_anew(chain: httpx.AsyncClient, ctx: Shelfcast):
    await made(chain, "zagreb")

    async def redrawing() -> list[int]:
        async with ctx.db.read() as conn:
            return await templates.redrawing(conn)

    named = await chain.patch("/api/v1/stores/zagreb", json={"name": "Ilica"})
    assert (named.json()["name"], await redrawing()) == ("Ilica", [])
    changed = await chain.patch("/api/v1/stores/zagreb", json={"locale": "hr", "timezone": "Europe/Zagreb"})
    assert (changed.json()["locale"], changed.json()["timezone"]) == ("hr", "Europe/Zagreb")
    assert len(await redrawing()) == 1
    unnamed = await chain.patch("/api/v1/stores/zagreb", json={"name": None})
    assert unnamed.json()["name"] == "zagreb"
    refused = await chain.patch("/api/v1/stores/zagreb", json={"timezone": "Mars/Base"})
    assert (refused.status_code, list(refused.json()["fields"])) == (400, ["timezone"])


async def test_a_currency_changes_only_while_there_is_no_product(
    connect: Connect, chain: httpx.AsyncClient, ctx: Shelfcast
):
    await made(chain, "zagreb")
    assert (await chain.patch("/api/v1/stores/zagreb", json={"currency": "CHF"})).json()["currency"] == "CHF"
    till = connect((await tokens.issue(ctx, "zagreb", "till")).token)
    assert (await till.post("/add", json=[milk()])).json()["created"] == 1
    refused = await chain.patch("/api/v1/stores/zagreb", json={"currency": "EUR"})
    assert (refused.status_code, list(refused.json()["fields"])) == (409, ["currency"])
    assert (await chain.patch("/api/v1/stores/zagreb", json={"currency": "CHF"})).status_code == 200


@pytest.fixture
async def simulator(app: Litestar, ctx: Shelfcast) -> AsyncIterator[Ready]:
    """A simulated store that the settings name."""
    async with serving(Options(displays=0, time_scale=0)) as ready:
        app.state.ctx = replace(ctx, settings=replace(ctx.settings, simulator_url=ready.url))
        yield ready


async def test_a_sandbox_gets_simulated_displays_once(
    chain: httpx.AsyncClient, simulator: Ready, new_store: Callable[[str], Awaitable[str]]
):
    await made(chain, "lab", "sandbox")
    body = {"displays": 4, "barcodes": ["4006381333931"]}
    for _ in range(2):
        given = await chain.post("/api/v1/stores/lab/simulator", json=body)
        assert given.status_code == 200, given.text
    displays = given.json()["displays"]
    assert [display["address"] for display in displays] == ["lab-001", "lab-002", "lab-003", "lab-004"]
    assert [display["barcode"] for display in displays] == ["4006381333931", None, None, None]
    assert {display["panel"] for display in displays} == {"296x128-BWR", "400x300-BWR"}
    async with httpx.AsyncClient(trust_env=False) as client:
        seen = (await client.get(f"{simulator.control}/glass")).json()["displays"]
    assert {(one["address"], one["gateway"]) for one in seen} == {(one["address"], "lab") for one in displays}


async def test_a_live_store_gets_no_simulated_displays(chain: httpx.AsyncClient, simulator: Ready):
    await made(chain, "zagreb")
    refused = await chain.post("/api/v1/stores/zagreb/simulator")
    assert (refused.status_code, "sandbox" in refused.json()["detail"]) == (409, True)


async def test_more_products_than_displays_are_refused(chain: httpx.AsyncClient, simulator: Ready):
    await made(chain, "lab", "sandbox")
    refused = await chain.post("/api/v1/stores/lab/simulator", json={"displays": 1, "barcodes": ["1", "2"]})
    assert (refused.status_code, list(refused.json()["fields"])) == (400, ["barcodes"])


async def test_an_installation_without_simulated_displays_says_how_to_have_them(
    chain: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(simulated, "ANSWERS_WITHIN", 0.0)
    await made(chain, "lab", "sandbox")
    away = await chain.post("/api/v1/stores/lab/simulator")
    assert away.status_code == 503
    assert "SHELFCAST_SIMULATOR_URL" in away.json()["detail"]
    assert away.headers["retry-after"]


async def test_a_role_may_do_what_its_scopes_say(connect: Connect, chain: httpx.AsyncClient, ctx: Shelfcast):
    await made(chain, "zagreb")
    viewer = connect((await tokens.issue(ctx, "zagreb", "viewer", scopes=ROLES["viewer"])).token)
    assert (await viewer.get("/api/v1/stores/zagreb")).status_code == 200
    assert (await viewer.patch("/api/v1/stores/zagreb", json={"name": "x"})).status_code == 403
