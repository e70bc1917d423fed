"""The API of displays; every answer is checked against the document."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from service.context import Shelfcast
from service.core.scopes import Scope
from service.gateways import gateway_setup
from service.shelves import floor
from service.store import tables
from service.store.tables import tokens as tokens_table
from service.tenants import tokens
from tests.shop import milk

MILK = str(milk()["barcode"])
PANEL = "296x128-BWR"


@pytest.fixture
async def staff(connect: Callable[..., httpx.AsyncClient], ctx: Shelfcast, token: str) -> httpx.AsyncClient:
    """Of store one, which has a gateway ap-1 and three displays, milk on the first."""
    await gateway_setup.add_to(ctx, "one", "ap-1", "simulator", {"url": "http://127.0.0.1:9"}, check=False)
    lines = [(n, {"address": f"D{n}", "gateway": "ap-1", "panel": PANEL}) for n in range(1, 4)]
    await floor.import_displays(ctx, "one", lines, by="test")
    issued = await tokens.issue(ctx, "one", "staff", scopes=[Scope.DISPLAYS_WRITE, Scope.FEED])
    client = connect(issued.token)
    client.base_url = httpx.URL("http://shelfcast/api/v1")
    assert (await client.post("/add", json=[milk()])).status_code == 200
    assert (await client.post("/displays/D1/bind", json={"barcode": MILK})).status_code == 200
    return client


@pytest.fixture
async def chain(connect: Callable[..., httpx.AsyncClient], ctx: Shelfcast, token: str) -> httpx.AsyncClient:
    issued = await tokens.issue(ctx, "one", "chain", scopes=[Scope.ADMIN])
    whole = tokens_table.update().where(tokens_table.c.id == issued.id).values(store_id=None)
    await ctx.db.write(lambda connection: connection.execute(whole))
    client = connect(issued.token)
    client.base_url = httpx.URL("http://shelfcast/api/v1")
    return client


async def addresses(client: httpx.AsyncClient, **query: Any) -> list[str]:
    answer = await client.get("/displays", params=query)
    assert answer.status_code == 200, answer.text
    return [one["address"] for one in answer.json()["data"]]


async def test_a_display_is_registered_listed_moved_and_retired(staff: httpx.AsyncClient):
    made = await staff.post("/displays", json={"address": "NEW", "gateway": "ap-1", "panel": PANEL})
    assert (made.status_code, made.headers["location"]) == (201, f"/api/v1/displays/{made.json()['displayId']}")
    assert await addresses(staff, sort="address") == ["D1", "D2", "D3", "NEW"]
    changed = await staff.patch("/displays/NEW", json={"template": "minimal"})
    assert changed.json()["template"] == "minimal"
    assert (await staff.patch("/displays/NEW", json={"template": None})).json()["template"] is None
    assert (await staff.post("/displays/NEW/retire")).status_code == 200
    assert await addresses(staff, retired="true") == ["NEW"]
    assert (await staff.post("/displays/NEW/restore")).json()["retiredAt"] is None


async def test_lists_say_how_many_there_are_and_go_on_with_a_cursor(staff: httpx.AsyncClient):
    first = (await staff.get("/displays", params={"perPage": 2})).json()
    assert (first["meta"]["total"], first["meta"]["count"]) == (3, 2)
    assert await addresses(staff, perPage=2, cursor=first["meta"]["next"]) == ["D3"]
    assert await addresses(staff, page=2, perPage=2) == ["D3"]
    assert await addresses(staff, wrong="true") == ["D1"]
    assert await addresses(staff, unbound="true") == ["D2", "D3"]
    assert await addresses(staff, barcode=MILK, gateway="ap-1") == ["D1"]
    for wrong in ({"sort": "address", "wrong": "true"}, {"cursor": "x"}, {"gateway": "\x00"}, {"wrong": "maybe"}):
        assert (await staff.get("/displays", params=wrong)).status_code == 400
    deep = await staff.get("/displays", params={"page": 1001, "perPage": 100})
    assert "cursor" in deep.json()["detail"]
    assert (await staff.get("/displays", params={"gateway": "ap-9"})).status_code == 404


async def test_a_conflict_says_what_is_bound_since_when_and_by_whom(staff: httpx.AsyncClient):
    taken = await staff.post("/displays/D1/bind", json={"barcode": "OTHER"})
    assert taken.status_code == 409
    assert (taken.json()["bound"]["barcode"], taken.json()["bound"]["by"]) == (MILK, "token staff")
    over = await staff.post("/displays/D1/bind", json={"barcode": "OTHER", "takeover": True})
    assert over.json()["barcodes"] == ["OTHER"]
    assert (await staff.post("/displays/D1/unbind")).json()["bound"] == []


async def test_a_display_of_another_store_is_told_of_to_the_chain_only(
    staff: httpx.AsyncClient,
    chain: httpx.AsyncClient,
    ctx: Shelfcast,
    new_store: Callable[[str], Awaitable[str]],
):
    await new_store("two")
    await gateway_setup.add_to(ctx, "two", "ap-2", "simulator", {"url": "http://127.0.0.1:9"}, check=False)
    line = {"address": "ELSEWHERE", "gateway": "ap-2", "panel": PANEL}
    await floor.import_displays(ctx, "two", [(1, line)], by="test")
    asked = {"barcode": MILK}
    hidden = await staff.post("/displays/ELSEWHERE/bind", json=asked)
    assert (hidden.status_code, "two" in hidden.text) == (404, False)
    told = await chain.post("/displays/ELSEWHERE/bind", json=asked, params={"store": "one"})
    assert (told.status_code, told.json()["store"]) == (409, "two")
    unknown = await chain.post("/displays/NOWHERE/bind", json=asked, params={"store": "one"})
    assert unknown.status_code == 404
    new = {"address": "ELSEWHERE", "gateway": "ap-1", "panel": PANEL}
    secret, told = await staff.post("/displays", json=new), await chain.post("/displays?store=one", json=new)
    assert (secret.status_code, "two" in secret.text) == (409, False)
    assert (told.status_code, told.json()["store"]) == (409, "two")


async def test_good_rows_of_an_import_are_taken_and_bad_ones_are_named(staff: httpx.AsyncClient):
    rows = [
        {"address": "I1", "gateway": "ap-1", "panel": PANEL, "barcode": MILK, "slot": 1, "template": None},
        {"address": "I2", "gateway": "nowhere", "panel": PANEL},
        "no object",
        {"address": ["I4"], "gateway": "ap-1", "panel": PANEL},
        {"address": "I5", "gateway": "ap-1", "panel": PANEL, "slot": True},
        {"address": "I6", "gateway": "ap-1", "panel": PANEL},
    ]
    done = (await staff.post("/displays/import", json={"displays": rows})).json()
    assert (done["created"], done["bound"]) == (2, 1)
    assert [row["line"] for row in done["refused"]] == [2, 3, 4, 5]


async def test_a_csv_file_is_imported_as_it_is(staff: httpx.AsyncClient):
    file = f"\ufeffaddress;gateway;panel;barcode\nC1;ap-1;{PANEL};{MILK}\nC2;ap-9;{PANEL};\nD1;ap-1;{PANEL};OTHER\n"
    headers = {"content-type": "text/csv; charset=utf-8"}
    done = (await staff.post("/displays/import", content=file.encode(), headers=headers)).json()
    assert (done["created"], done["bound"], [row["line"] for row in done["refused"]]) == (1, 1, [3, 4])
    over = await staff.post("/displays/import?takeover=true", content=file.encode(), headers=headers)
    assert (over.json()["bound"], over.json()["kept"]) == (1, 1)
    for bad, status in ((b"address\nX", 400), (b"\xff", 400)):
        assert (await staff.post("/displays/import", content=bad, headers=headers)).status_code == status


async def test_more_rows_than_one_request_may_have_are_refused(staff: httpx.AsyncClient):
    answer = await staff.post("/displays/import", json={"displays": [{}] * 10_001})
    assert answer.status_code == 413


async def test_a_swap_answers_the_replacement(staff: httpx.AsyncClient):
    new = await staff.post("/displays/D1/swap", json={"replacement": "D2"})
    assert (new.json()["address"], new.json()["barcodes"]) == ("D2", [MILK])
    assert (await staff.get("/displays/D1")).json()["replacedBy"] == new.json()["displayId"]
    assert (await staff.post("/displays/D1/swap", json={"replacement": "D3"})).status_code == 409
    assert (await staff.post("/displays/D2/swap", json={"replacement": "D9"})).status_code == 404


async def test_a_blink_can_be_asked_after(staff: httpx.AsyncClient):
    asked = await staff.post("/displays/D1/blink", json={"seconds": 5})
    assert asked.status_code == 202
    state = await staff.get(asked.headers["location"].removeprefix("/api/v1"))
    assert (state.json()["state"], state.json()["seconds"]) == ("waiting", 5)
    assert (await staff.get("/displays/D1/blinks/nonsense")).status_code == 404
    assert (await staff.post("/displays/D1/blink", json={"seconds": 0})).status_code == 400


async def test_a_driver_without_a_light_is_a_conflict(staff: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("display_drivers.registry.create", lambda *_: object())
    assert (await staff.post("/displays/D1/blink")).status_code == 409


async def test_resending_answers_a_display_that_is_wrong(staff: httpx.AsyncClient):
    sent = await staff.post("/displays/D1/resend")
    assert (sent.status_code, sent.json()["right"], sent.json()["unconfirmed"]) == (202, False, True)
    assert (await staff.post("/displays/D2/resend")).status_code == 409


async def test_history_and_events_are_lists_by_time(staff: httpx.AsyncClient):
    history = (await staff.get("/displays/D1/history")).json()["data"]
    assert {entry["kind"] for entry in history} == {"update", "bound"}
    assert (await staff.get("/displays/D1/history", params={"to": "2020-01-01T00:00:00Z"})).json()["data"] == []
    assert (await staff.get("/displays/D1/history", params={"from": "yesterday"})).status_code == 400
    assert (await staff.get("/display-events", params={"kind": "button"})).json()["data"] == []
    assert (await staff.get("/displays/D9/history")).status_code == 404


async def test_what_a_display_and_a_shelf_showed_is_told_or_is_said_not_to_be_known(
    staff: httpx.AsyncClient, ctx: Shelfcast
):
    unknown = (await staff.get("/displays/D1/at")).json()
    assert (unknown["known"], unknown["reason"]) == (False, "never_proven")
    assert (await staff.get("/displays/D1/at.png")).status_code == 404
    await prove(ctx)
    now = datetime.now(UTC).isoformat()
    known = (await staff.get("/displays/D1/at", params={"time": now})).json()
    assert (known["known"], known["face"]["content"]["slots"][0]["price"]) == (True, "1.29")
    seen = await staff.get(known["picture"].removeprefix("/api/v1"))
    assert seen.headers["content-type"] == "image/png"
    shelf = (await staff.get("/products/at", params={"barcode": MILK, "time": now})).json()
    assert [(one["address"], one["known"]) for one in shelf["data"]] == [("D1", True)]
    for time in ("2999-01-01T00:00:00Z", "2026-01-01T00:00:00", "0001-01-01T00:00:00+14:00"):
        assert (await staff.get("/displays/D1/at", params={"time": time})).status_code in {200, 400}


async def prove(ctx: Shelfcast) -> None:
    """As if every display had been sent its face and had reported it."""
    desired = tables.displays.c.desired_digest
    now = ctx.clock()

    async def work(connection: Any) -> None:
        for row in (await connection.execute(tables.updates.select())).mappings().all():
            shown = {
                "digest": row["digest"],
                "update_id": row["id"],
                "revision": row["revision"],
                "proof": 3,
                "at": now,
            }
            key = {"store_id": row["store_id"], "display_id": row["display_id"], "id": row["id"]}
            await connection.execute(tables.showings.insert().values(**key, **shown))
        await connection.execute(tables.updates.update().values(pushed_at=now, phase="CONFIRMED"))
        await connection.execute(tables.displays.update().where(desired.is_not(None)).values(shown_digest=desired))

    await ctx.db.write(work)
