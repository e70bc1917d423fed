"""Gateways over the API: a real simulated one behind a real socket, on both databases."""

from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from dataclasses import replace
from typing import Any

import httpx
import pytest

from display_drivers.simulator.process import Ready, serving
from display_drivers.simulator.settings import Behaviour
from display_drivers.simulator.store import Options
from service.context import Shelfcast
from service.core.scopes import Scope
from service.gateways import gateway_setup
from service.settings import Settings
from service.shelves import floor
from service.store import tables
from service.tenants import tokens
from tests.shop import authenticate

SECRET = "hush-hush-4711"
NOBODY = "http://127.0.0.1:9"

Store = Callable[[str], Awaitable[str]]
Connect = Callable[..., httpx.AsyncClient]


@pytest.fixture
def served(settings: Settings) -> Settings:
    return replace(settings, gateway_networks=("127.0.0.0/8",))


@pytest.fixture
async def hardware() -> AsyncIterator[Ready]:
    options = Options(displays=2, time_scale=0, secret=SECRET, behaviour=Behaviour(max_displays=4))
    async with serving(options) as ready:
        yield ready


@pytest.fixture
async def api(connect: Connect, ctx: Shelfcast, token: str) -> httpx.AsyncClient:
    """Of a manager of store `one`."""
    assert token
    scopes = [Scope.GATEWAYS_WRITE, Scope.AUDIT_READ]
    return connect((await tokens.issue(ctx, "one", "manager", scopes=scopes)).token)


def wanted(ready: Ready, **more: Any) -> dict[str, Any]:
    return {"name": "ap-1", "driver": "simulator", "config": {"url": ready.gateways["g1"], "secret": SECRET}, **more}


@pytest.fixture
async def gateway(api: httpx.AsyncClient, hardware: Ready) -> str:
    answer = await api.post("/api/v1/gateways", json=wanted(hardware))
    assert answer.status_code == 201
    return answer.json()["id"]


async def test_a_gateway_that_answers_is_saved_and_shown_without_its_secret(api: httpx.AsyncClient, hardware: Ready):
    answer = await api.post("/api/v1/gateways", json=wanted(hardware))
    assert answer.status_code == 201
    made = answer.json()
    assert answer.headers["location"] == f"/api/v1/gateways/{made['id']}"
    assert made["config"] == {"url": hardware.gateways["g1"], "secret": "…"}
    assert (made["state"], made["error"], made["reachedAt"] is None) == ("ok", None, False)
    assert (made["hardware"]["proof"], made["hardware"]["maxBatch"]) == ("displayed", 100)
    assert made["capacity"] == {"displays": 0, "maxDisplays": 4, "percent": 0.0, "pushesPerMinute": 0.0}
    assert (await api.get("/api/v1/gateways/ap-1")).json()["id"] == made["id"]


@pytest.mark.parametrize(
    ("driver", "config", "said"),
    [
        ("simulator", {"url": NOBODY}, "does not answer"),
        ("simulator", {"url": "x"}, "needs `url`"),
        ("telepathy", {}, "no driver named 'telepathy'"),
        ("simulator", {"secret": "x"}, "`url` is required"),
        ("simulator", {"url": NOBODY, "licence": "x"}, "`licence` is no setting of driver simulator"),
        ("simulator", {"url": NOBODY, "secret": "sealed:x"}, "may not begin with sealed:"),
    ],
)
async def test_a_gateway_that_cannot_be_opened_is_refused_with_the_drivers_words(
    api: httpx.AsyncClient, driver: str, config: dict[str, str], said: str
):
    answer = await api.post("/api/v1/gateways", json={"name": "ap-1", "driver": driver, "config": config})
    assert (answer.status_code, answer.json()["code"]) == (422, "driver_refused")
    assert said in answer.json()["detail"]
    assert (await api.get("/api/v1/gateways")).json()["data"] == []


async def test_a_wrong_secret_is_refused_and_not_repeated(api: httpx.AsyncClient, hardware: Ready):
    config = {"url": hardware.gateways["g1"], "secret": "not-the-one"}
    answer = await api.post("/api/v1/gateways", json=wanted(hardware, config=config))
    assert (answer.status_code, "Check its secret" in answer.text, "not-the-one" in answer.text) == (422, True, False)


async def test_a_gateway_is_saved_unopened_where_that_is_asked_for(api: httpx.AsyncClient):
    new = {"name": "ap-1", "driver": "simulator", "config": {"url": NOBODY}, "check": False}
    answer = await api.post("/api/v1/gateways", json=new)
    assert (answer.status_code, answer.json()["hardware"], answer.json()["reachedAt"]) == (201, None, None)


async def test_a_name_is_taken_once_also_by_one_that_is_retired(api: httpx.AsyncClient, gateway: str, hardware: Ready):
    assert (await api.post(f"/api/v1/gateways/{gateway}/retire")).json()["state"] == "retired"
    assert (await api.post("/api/v1/gateways", json=wanted(hardware))).status_code == 409


@pytest.mark.parametrize("name", ["", " ", "a\nb", "x" * 65])
async def test_a_name_that_cannot_be_is_refused(api: httpx.AsyncClient, hardware: Ready, name: str):
    answer = await api.post("/api/v1/gateways", json=wanted(hardware, name=name))
    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["name"])


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:6379", "http://localhost/x", "http://[::1]:80", "http://169.254.169.254", "http://0.0.0.0"],
)
async def test_through_the_api_no_gateway_is_on_this_machine_or_its_link(
    app: Any, api: httpx.AsyncClient, ctx: Shelfcast, url: str
):
    app.state.ctx = replace(ctx, settings=replace(ctx.settings, gateway_networks=()))
    for check in (True, False):
        new = {"name": "ap-1", "driver": "simulator", "config": {"url": url}, "check": check}
        answer = await api.post("/api/v1/gateways", json=new)
        assert (answer.status_code, "SHELFCAST_GATEWAY_NETWORKS" in answer.text) == (422, True)
        assert list(answer.json()["fields"]) == ["config.url"]


async def test_a_gateway_on_a_private_address_may_be_saved(app: Any, api: httpx.AsyncClient, ctx: Shelfcast):
    app.state.ctx = replace(ctx, settings=replace(ctx.settings, gateway_networks=()))
    new = {"name": "ap-1", "driver": "simulator", "config": {"url": "http://192.168.1.20:8080"}, "check": False}
    assert (await api.post("/api/v1/gateways", json=new)).status_code == 201


async def test_a_change_keeps_what_it_does_not_name(
    api: httpx.AsyncClient, ctx: Shelfcast, gateway: str, hardware: Ready
):
    changed = await api.patch(f"/api/v1/gateways/{gateway}", json={"config": {"url": hardware.gateways["g1"] + "/"}})
    assert changed.status_code == 200
    assert changed.json()["config"] == {"url": hardware.gateways["g1"] + "/", "secret": "…"}
    renamed = await api.patch(f"/api/v1/gateways/{gateway}", json={"name": "door", "config": {"secret": "…"}})
    assert (renamed.status_code, renamed.json()["name"]) == (200, "door")
    async with ctx.db.read() as connection:
        kept = (await connection.execute(tables.gateways.select())).mappings().one()["config"]
    assert SECRET not in kept
    assert "sealed:" in kept


async def test_a_change_is_opened_before_it_is_saved(api: httpx.AsyncClient, gateway: str, hardware: Ready):
    answer = await api.patch(f"/api/v1/gateways/{gateway}", json={"config": {"secret": None}})
    assert (answer.status_code, "Check its secret" in answer.json()["detail"]) == (422, True)
    unopened = await api.patch(f"/api/v1/gateways/{gateway}", json={"config": {"secret": None}, "check": False})
    assert unopened.json()["config"] == {"url": hardware.gateways["g1"]}


async def test_a_gateway_is_retired_once_no_display_is_on_it(
    api: httpx.AsyncClient, ctx: Shelfcast, token: str, gateway: str
):
    lines = [
        (n, {"address": address, "gateway": "ap-1", "panel": "296x128-BWR"})
        for n, address in enumerate(("SIM000001", "SIM000002"))
    ]
    await floor.import_displays(ctx, "one", lines, by="test")
    answer = await api.post(f"/api/v1/gateways/{gateway}/retire")
    assert (answer.status_code, "2 displays are on gateway ap-1" in answer.json()["detail"]) == (409, True)
    status = (await api.get(f"/api/v1/gateways/{gateway}")).json()
    assert (status["displays"]["total"], status["capacity"]["percent"]) == (2, 50.0)
    assert await authenticate(ctx, token)
    await ctx.db.write(lambda connection: connection.execute(tables.displays.update().values(retired_at=1)))
    assert (await api.post(f"/api/v1/gateways/{gateway}/retire")).json()["state"] == "retired"
    again = await api.post(f"/api/v1/gateways/{gateway}/retire")
    assert (again.status_code, again.json()["state"]) == (200, "retired")
    assert (await api.patch(f"/api/v1/gateways/{gateway}", json={"name": "x"})).status_code == 409
    assert (await api.post(f"/api/v1/gateways/{gateway}/maintenance", json={"reason": "x"})).status_code == 409


async def test_maintenance_says_since_when_by_whom_and_why(api: httpx.AsyncClient, gateway: str):
    begun = await api.post(f"/api/v1/gateways/{gateway}/maintenance", json={"reason": "New firmware"})
    assert (begun.status_code, begun.json()["state"]) == (200, "maintenance")
    first = begun.json()["maintenance"]
    assert (first["by"], first["reason"]) == ("token manager", "New firmware")
    again = await api.post(f"/api/v1/gateways/{gateway}/maintenance", json={"reason": "New roof"})
    assert again.json()["maintenance"] == {**first, "reason": "New roof"}
    for _ in range(2):
        ended = await api.delete(f"/api/v1/gateways/{gateway}/maintenance")
        assert (ended.status_code, ended.json()["state"], ended.json()["maintenance"]) == (200, "ok", None)
    log = (await api.get("/api/v1/audit", params={"subject": gateway})).json()["data"]
    actions = ["maintenance.ended", "maintenance.begun", "maintenance.begun", "gateway.created"]
    assert [entry["action"] for entry in log] == actions


@pytest.mark.parametrize("reason", ["", "  ", "a\x00b", "x" * 201])
async def test_a_reason_that_cannot_be_is_refused(api: httpx.AsyncClient, gateway: str, reason: str):
    answer = await api.post(f"/api/v1/gateways/{gateway}/maintenance", json={"reason": reason})
    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["reason"])


async def test_gateways_are_listed_by_name_and_state_page_after_page(api: httpx.AsyncClient, ctx: Shelfcast):
    for name in ("c", "a", "b", "Ü"):
        await gateway_setup.add_to(ctx, "one", name, "simulator", {"url": NOBODY}, check=False)
    await api.post("/api/v1/gateways/c/maintenance", json={"reason": "x"})
    away = tables.gateways.update().where(tables.gateways.c.name == "b").values(unreachable_since=1, error="gone")
    await ctx.db.write(lambda connection: connection.execute(away))
    await api.post("/api/v1/gateways/a/retire")
    by_state = {
        state: [one["name"] for one in (await api.get("/api/v1/gateways", params={"state": state})).json()["data"]]
        for state in ("ok", "unreachable", "maintenance", "retired")
    }
    assert by_state == {"ok": ["Ü"], "unreachable": ["b"], "maintenance": ["c"], "retired": ["a"]}
    names, cursor = [], {}
    while True:
        page = (await api.get("/api/v1/gateways", params={"perPage": 1, **cursor})).json()
        names += [one["name"] for one in page["data"]]
        assert page["meta"]["total"] == 4
        if page["meta"]["next"] is None:
            break
        cursor = {"cursor": page["meta"]["next"]}
    assert (len(names), set(names)) == (4, {"a", "b", "c", "Ü"})


@pytest.mark.parametrize("cursor", ["x", "bnVsbA==", "IgAi", "MQ=="])
async def test_a_cursor_that_nobody_handed_out_is_refused(api: httpx.AsyncClient, cursor: str):
    answer = await api.get("/api/v1/gateways", params={"cursor": cursor})
    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["cursor"])


@pytest.mark.parametrize("name", ["nobody", "01KAMW6B2M4N5P6Q7R8S9T0V1W", "%00", "a%00b"])
async def test_a_gateway_that_the_store_does_not_have_is_not_found(api: httpx.AsyncClient, name: str):
    assert (await api.get(f"/api/v1/gateways/{name}")).status_code == 404


async def test_a_chains_token_names_the_store_and_gets_its_gateways(connect: Connect, ctx: Shelfcast, gateway: str):
    issued = await tokens.issue(ctx, "one", "chain", scopes=[Scope.ADMIN])
    chain = tables.tokens.update().where(tables.tokens.c.id == issued.id).values(store_id=None)
    await ctx.db.write(lambda connection: connection.execute(chain))
    client = connect(issued.token)
    assert (await client.get("/api/v1/gateways")).status_code == 400
    listed = await client.get("/api/v1/gateways", params={"store": "one"})
    assert [one["id"] for one in listed.json()["data"]] == [gateway]


async def test_no_secret_is_in_an_answer_a_log_or_the_database(
    api: httpx.AsyncClient, ctx: Shelfcast, hardware: Ready, logged: list[MutableMapping[str, Any]]
):
    answers = [await api.post("/api/v1/gateways", json=wanted(hardware))]
    made = answers[0].json()["id"]
    answers.append(await api.patch(f"/api/v1/gateways/{made}", json={"config": {"secret": SECRET}}))
    answers.append(await api.patch(f"/api/v1/gateways/{made}", json={"config": {"secret": SECRET + "-wrong"}}))
    answers += [await api.get("/api/v1/gateways"), await api.get(f"/api/v1/gateways/{made}")]
    answers.append(await api.get("/api/v1/audit"))
    assert [answer.status_code for answer in answers] == [201, 200, 422, 200, 200, 200]
    assert not any(SECRET in answer.text for answer in answers)
    assert SECRET not in repr(logged)
    if ctx.db.is_sqlite:
        files = list(ctx.settings.data_dir.glob("shelfcast.db*"))
        assert files
        assert not any(SECRET.encode() in file.read_bytes() for file in files)
        assert any(b"sealed:" in file.read_bytes() for file in files)
