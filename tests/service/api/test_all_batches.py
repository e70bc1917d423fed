"""All batches of a store, its guards, and the audit log, over the API, on both databases."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from service import sync
from service.context import Shelfcast
from service.core.scopes import Scope
from service.ids import new_id
from service.settings import Settings
from service.store import tables
from service.tenants import tokens
from tests.shop import authenticate

Store = Callable[[str], Awaitable[str]]
Connect = Callable[..., httpx.AsyncClient]


@pytest.fixture
def served(settings: Settings) -> Settings:
    return settings


@pytest.fixture
async def api(connect: Connect, ctx: Shelfcast, token: str) -> httpx.AsyncClient:
    """Of a manager of store `one`, who pushes as well."""
    assert token
    scopes = [Scope.FEED, Scope.BATCHES_WRITE, Scope.AUDIT_READ]
    return connect((await tokens.issue(ctx, "one", "manager", scopes=scopes)).token)


def goods(count: int, price: str = "1.99") -> list[dict[str, Any]]:
    return [{"barcode": f"P{n:03}", "name": f"Thing {n}", "price": price} for n in range(count)]


async def batch(api: httpx.AsyncClient, products: list[dict[str, Any]], **start: Any) -> str:
    """A completed batch, not saved yet; its id."""
    session = (await api.post("/batch/start", json=start)).json()["sessionId"]
    await api.post("/batch/push", json={"sessionId": session, "products": products})
    await api.post("/batch/complete", json={"sessionId": session})
    return session


async def save(ctx: Shelfcast, token: str) -> None:
    caller = await authenticate(ctx, token)
    assert not await sync.save_due(ctx, caller.store_id, new_id(), ctx.clock() + 60_000)


@pytest.fixture
async def held(api: httpx.AsyncClient, ctx: Shelfcast, token: str) -> str:
    """A batch whose prices are cents where they were units."""
    await api.post("/add", json=goods(30))
    session = await batch(api, goods(30, "199"), reference="nightly")
    await save(ctx, token)
    return session


async def test_what_holds_a_batch_is_told_with_figures_and_examples(api: httpx.AsyncClient, held: str):
    found = (await api.get(f"/api/v1/batches/{held}")).json()
    assert (found["status"], found["guard"], found["productsSaved"]) == ("held", "price", 0)
    hold = found["hold"]
    assert (hold["guard"], hold["affected"], hold["of"], len(hold["examples"])) == ("price", 30, 30, 20)
    assert hold["examples"][0] == {"barcode": "P000", "name": "Thing 0", "before": "1.99", "after": "199.00"}
    assert hold["reason"] == found["reason"]
    assert "30 of 30 products" in found["reason"]


async def test_a_full_batch_that_is_held_names_products_that_would_go(
    api: httpx.AsyncClient, ctx: Shelfcast, token: str
):
    await api.post("/add", json=goods(40))
    session = await batch(api, goods(1), mode="full")
    await save(ctx, token)
    hold = (await api.get(f"/api/v1/batches/{session}")).json()["hold"]
    assert (hold["guard"], hold["affected"], hold["of"], len(hold["examples"])) == ("archive", 39, 40, 20)
    assert hold["examples"][0] == {"barcode": "P001", "name": "Thing 1", "before": "1.99", "after": None}


async def test_a_held_batch_is_released_by_somebody_and_saved(
    api: httpx.AsyncClient, ctx: Shelfcast, token: str, held: str
):
    released = (await api.post(f"/api/v1/batches/{held}/release")).json()
    assert (released["status"], released["releasedBy"]) == ("processing", "token manager")
    await save(ctx, token)
    found = (await api.get(f"/api/v1/batches/{held}")).json()
    assert (found["status"], found["productsUpdated"], found["hold"]["affected"]) == ("completed", 30, 30)
    assert (await api.post(f"/api/v1/batches/{held}/release")).status_code == 409
    log = (await api.get("/api/v1/audit", params={"subject": held})).json()["data"]
    assert [(one["action"], one["subject"], one["name"]) for one in log] == [("batch.released", held, "nightly")]
    assert (log[0]["store"], log[0]["actor"], log[0]["detail"]["guard"]) == ("one", "token manager", "price")


async def test_a_held_batch_is_cancelled_by_somebody_and_never_saved(
    api: httpx.AsyncClient, ctx: Shelfcast, token: str, held: str
):
    cancelled = (await api.post(f"/api/v1/batches/{held}/cancel")).json()
    assert (cancelled["status"], cancelled["cancelledBy"]) == ("cancelled", "token manager")
    assert "Cancelled by token manager. It was held: " in cancelled["reason"]
    await save(ctx, token)
    found = (await api.get(f"/api/v1/batches/{held}")).json()
    assert (found["productsSaved"], found["completedAt"] is None) == (0, False)
    assert (await api.post(f"/api/v1/batches/{held}/cancel")).status_code == 409
    assert (await api.get("/api/v1/audit", params={"action": "batch.cancelled"})).json()["meta"]["count"] == 1


async def test_only_what_is_held_is_released_or_cancelled_here(api: httpx.AsyncClient, session: str):
    for verb in ("release", "cancel"):
        answer = await api.post(f"/api/v1/batches/{session}/{verb}")
        assert (answer.status_code, "only one that is held" in answer.json()["detail"]) == (409, True)
    assert (await api.post(f"/api/v1/batches/{session}/retry")).status_code == 409


async def test_the_feed_still_cancels_what_is_held(api: httpx.AsyncClient, held: str):
    assert (await api.post(f"/batch/{held}/cancel")).json()["status"] == "cancelled"
    assert (await api.get(f"/api/v1/batches/{held}")).json()["cancelledBy"] == "token manager"


async def test_refused_rows_are_summed_up_by_code_with_an_example(api: httpx.AsyncClient, ctx: Shelfcast, token: str):
    rows = [*goods(3), *[{"barcode": f"N{n}", "name": "x", "price": "-1"} for n in range(3)], {"barcode": "M"}]
    session = await batch(api, rows)
    await save(ctx, token)
    refusals = (await api.get(f"/api/v1/batches/{session}")).json()["refusals"]
    assert [(one["code"], one["rows"]) for one in refusals] == [("negative", 3), ("required", 1)]
    assert {name: refusals[0]["example"][name] for name in ("push", "index", "barcode", "field")} == {
        "push": 0, "index": 3, "barcode": "N0", "field": "price",
    }  # fmt: skip
    assert refusals[1]["example"]["barcode"] == "M"


@pytest.fixture
async def several(api: httpx.AsyncClient, ctx: Shelfcast, token: str) -> list[str]:
    """Six batches, the oldest first: two completed, one of them full, one cancelled, three open."""
    ids = [await batch(api, goods(1), reference="a"), await batch(api, goods(1), reference="b", mode="full")]
    await save(ctx, token)
    ids += [(await api.post("/batch/start", json={"reference": name})).json()["sessionId"] for name in "abcc"]
    await api.post(f"/batch/{ids[2]}/cancel")
    return ids


async def found(api: httpx.AsyncClient, **query: Any) -> list[str]:
    answer = await api.get("/api/v1/batches", params=query)
    assert answer.status_code == 200, answer.text
    return [one["sessionId"] for one in answer.json()["data"]]


async def test_batches_are_listed_newest_first_by_status_reference_and_mode(api: httpx.AsyncClient, several: list[str]):
    assert await found(api) == several[::-1]
    assert await found(api, status="completed") == [several[1], several[0]]
    assert await found(api, status="cancelled") == [several[2]]
    assert await found(api, reference="a") == [several[2], several[0]]
    assert await found(api, mode="full") == [several[1]]
    assert await found(api, status="open", reference="c") == [several[5], several[4]]
    assert await found(api, reference="nobody's") == []


async def test_a_batch_that_was_not_completed_in_time_is_not_among_the_open(
    api: httpx.AsyncClient, several: list[str], later: Callable[[float], None]
):
    later(3600)
    assert await found(api, status="open") == []
    assert (await api.get("/api/v1/batches")).json()["data"][0]["status"] == "expired"
    assert len(several) == 6


async def test_batches_are_listed_by_the_time_they_were_started(api: httpx.AsyncClient, several: list[str]):
    now = datetime.now(UTC)
    before, after = (now - timedelta(minutes=5)).isoformat(), (now + timedelta(minutes=5)).isoformat()
    assert await found(api, **{"from": before, "to": after}) == several[::-1]
    assert await found(api, **{"from": after}) == await found(api, to=before) == []
    middle = (await api.get(f"/api/v1/batches/{several[3]}")).json()["startedAt"]
    assert (several[3] in await found(api, **{"from": middle}), several[3] in await found(api, to=middle)) == (
        True,
        False,
    )


@pytest.mark.parametrize(
    "query",
    [
        {"from": "yesterday"}, {"from": "2026-11-22T00:00:00"}, {"status": "lost"}, {"mode": "x"}, {"reference": "\0"},
        {"cursor": "x"}, {"cursor": "ImEi"}, {"page": 0}, {"page": 10**6, "perPage": 1000},
    ],
)  # fmt: skip
async def test_a_query_that_cannot_be_is_refused(api: httpx.AsyncClient, query: dict[str, Any]):
    assert (await api.get("/api/v1/batches", params=query)).status_code == 400


@pytest.mark.parametrize(
    "moment", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "1969-12-31T23:59:59Z", "2026-11-22T00:00:00Z"]
)
async def test_any_time_at_all_may_be_asked_for(api: httpx.AsyncClient, moment: str):
    for path in ("/api/v1/batches", "/api/v1/audit"):
        assert (await api.get(path, params={"from": moment, "to": moment})).json()["data"] == []


async def test_a_cursor_stays_right_while_batches_come(api: httpx.AsyncClient, several: list[str]):
    first = (await api.get("/api/v1/batches", params={"perPage": 2})).json()
    assert first["meta"]["total"] == 6
    await api.post("/batch/start")
    second = (await api.get("/api/v1/batches", params={"perPage": 2, "cursor": first["meta"]["next"]})).json()
    assert [one["sessionId"] for one in first["data"] + second["data"]] == several[:1:-1]
    assert await found(api, perPage=2, page=2) == [several[4], several[3]]


async def test_the_guards_of_a_store_are_changed_one_by_one(api: httpx.AsyncClient):
    usual = {
        "archivePercent": 30.0, "archiveAtLeast": 20, "pricePercent": 50.0, "priceChange": 50.0, "priceAtLeast": 20,
    }  # fmt: skip
    assert (await api.get("/api/v1/guards")).json() == usual
    answer = await api.patch("/api/v1/guards", json={"pricePercent": 12.5, "archiveAtLeast": 5})
    assert answer.json() == (await api.get("/api/v1/guards")).json() == usual | {
        "pricePercent": 12.5, "archiveAtLeast": 5,
    }  # fmt: skip
    assert (await api.patch("/api/v1/guards", json={})).status_code == 200
    log = (await api.get("/api/v1/audit", params={"action": "guards.changed"})).json()["data"]
    assert [(one["action"], one["detail"]) for one in log] == [
        (
            "guards.changed",
            {
                "before": {"archive_at_least": 20, "price_percent": 50.0},
                "after": {"archive_at_least": 5, "price_percent": 12.5},
            },
        )
    ]


@pytest.mark.parametrize(
    "limits", [{"pricePercent": 101}, {"priceChange": -1}, {"archiveAtLeast": 1.5}, {"pricePercent": None}, []]
)
async def test_limits_that_cannot_be_are_refused(api: httpx.AsyncClient, limits: Any):
    assert (await api.patch("/api/v1/guards", json=limits)).status_code == 400


async def test_a_guard_that_is_switched_off_holds_nothing(api: httpx.AsyncClient, ctx: Shelfcast, token: str):
    await api.patch("/api/v1/guards", json={"pricePercent": 100})
    await api.post("/add", json=goods(30))
    session = await batch(api, goods(30, "199"))
    await save(ctx, token)
    assert (await api.get(f"/api/v1/batches/{session}")).json()["status"] == "completed"


async def entries(client: httpx.AsyncClient, **query: Any) -> list[tuple[str | None, str]]:
    answer = await client.get("/api/v1/audit", params={"action": "guards.changed"} | query)
    assert answer.status_code == 200, answer.text
    return [(one["store"], one["action"]) for one in answer.json()["data"]]


async def test_a_store_sees_its_own_changes_and_a_chain_all_of_them(
    api: httpx.AsyncClient, ctx: Shelfcast, connect: Connect, new_store: Store
):
    await new_store("two")
    two = connect((await tokens.issue(ctx, "two", "m", scopes=[Scope.ADMIN])).token)
    issued = await tokens.issue(ctx, "two", "chain", scopes=[Scope.ADMIN])
    of_chain = tables.tokens.update().where(tables.tokens.c.id == issued.id).values(store_id=None)
    await ctx.db.write(lambda connection: connection.execute(of_chain))
    chain = connect(issued.token)
    await api.patch("/api/v1/guards", json={"pricePercent": 1})
    await two.patch("/api/v1/guards", json={"pricePercent": 2})
    mine, theirs = ("one", "guards.changed"), ("two", "guards.changed")
    assert await entries(api) == await entries(api, store="one") == [mine]
    assert await entries(two) == [theirs]
    assert await entries(chain) == [theirs, mine]
    assert await entries(chain, store="one") == [mine]
    assert await entries(chain, perPage=1, page=2) == [mine]
    assert (await api.get("/api/v1/audit", params={"store": "two"})).status_code == 404
    assert (await chain.get("/api/v1/audit", params={"store": "three"})).status_code == 404


async def test_the_audit_log_is_filtered_and_paged(api: httpx.AsyncClient):
    for percent in (1, 2, 3):
        await api.patch("/api/v1/guards", json={"pricePercent": percent})
    assert len(await entries(api, action="guards.changed")) == 3
    assert await entries(api, action="gateway.changed") == await entries(api, subject="nobody") == []
    guards = {"action": "guards.changed"}
    first = (await api.get("/api/v1/audit", params=guards | {"perPage": 2})).json()
    assert [one["detail"]["after"]["price_percent"] for one in first["data"]] == [3.0, 2.0]
    rest = (await api.get("/api/v1/audit", params=guards | {"cursor": first["meta"]["next"]})).json()
    assert [one["detail"]["after"]["price_percent"] for one in rest["data"]] == [1.0]
    assert first["data"][0]["requestId"] is not None
    for wrong in ({"action": "Guards"}, {"subject": "\0"}, {"from": "x"}, {"store": "a b"}):
        assert (await api.get("/api/v1/audit", params=wrong)).status_code == 400
