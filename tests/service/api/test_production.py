"""From a sandbox to production: what an integration does over the API is seen, and nothing else is."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import msgspec
import pytest

from service.context import Shelfcast
from service.core.happenings import ProductionPayload
from service.core.onboarding import HURRIED
from service.core.scopes import Scope
from service.errors import ConflictError, NotFoundError, ValidationError
from service.settings import Settings
from service.store import chain_tables
from service.store.tables import batches
from service.tenants import production, stores, tokens
from service.tenants.stores import NewStore
from service.tenants.tokens import Wanted
from tests.hooks import delivery, subscribed, told
from tests.service.api.conftest import MAX_BODY
from tests.shop import milk

Connect = Callable[..., httpx.AsyncClient]
Later = Callable[[float], None]
ASK = {"contact": "integration@pos.example", "note": "Two tills."}
BAD = {"barcode": "5901234123457", "name": "Olive oil", "price": "-1"}


@pytest.fixture
def served(settings: Settings) -> Settings:
    return replace(settings, max_body=MAX_BODY)


@pytest.fixture
async def lab(connect: Connect, ctx: Shelfcast) -> httpx.AsyncClient:
    """The POS of a sandbox; beside it is a live store."""
    await stores.create_store(ctx, NewStore(slug="lab", sandbox=True))
    await stores.create_store(ctx, NewStore(slug="shop"))
    return connect((await tokens.issue(ctx, "lab", "POS")).token)


async def noted(ctx: Shelfcast) -> None:
    """Wait for what is written beside requests."""
    await asyncio.gather(*ctx.db._writes)


async def checklist(lab: httpx.AsyncClient, ctx: Shelfcast) -> dict[str, dict[str, Any]]:
    await noted(ctx)
    return {item["key"]: item for item in (await lab.get("/api/v1/production")).json()["checklist"]}


async def done(lab: httpx.AsyncClient, ctx: Shelfcast) -> set[str]:
    return {key for key, item in (await checklist(lab, ctx)).items() if item["done"]}


async def batch(lab: httpx.AsyncClient, *pushes: list[dict[str, Any]]) -> str:
    session = (await lab.post("/batch/start")).json()["sessionId"]
    for products in pushes:
        await lab.post("/batch/push", json={"sessionId": session, "products": products})
    await lab.post("/batch/complete", json={"sessionId": session})
    return session


async def ended(ctx: Shelfcast) -> None:
    """As if a worker had saved every batch."""
    await ctx.db.write(lambda conn: conn.execute(batches.update().values(status="completed", phase=None)))


async def complete(lab: httpx.AsyncClient, ctx: Shelfcast, later: Later) -> None:
    """Everything that the checklist asks for."""
    await lab.post("/add", json=[milk()])
    await lab.post("/productUpdate", json=[milk("1.19")])
    session = await batch(lab, [milk()], [BAD])
    await ended(ctx)
    for number in range(3):
        later(5 * number)
        await lab.get(f"/batch/{session}/status")
        await noted(ctx)
    await lab.get(f"/batch/{session}/errors")
    await noted(ctx)


async def test_nothing_is_done_at_first_and_the_list_says_how(lab: httpx.AsyncClient, ctx: Shelfcast):
    items = await checklist(lab, ctx)
    assert not any(item["done"] for item in items.values())
    assert all(item["how"] and item["seen"] is None for item in items.values())


async def test_products_that_are_added_and_changed_are_seen(lab: httpx.AsyncClient, ctx: Shelfcast):
    await lab.post("/add", json=[BAD])
    assert await done(lab, ctx) == set()
    await lab.post("/add", json=[milk()])
    assert await done(lab, ctx) == {"productsAdded"}
    await lab.post("/productUpdate", json=[milk("1.19")])
    assert await done(lab, ctx) == {"productsAdded", "productsUpdated"}


async def test_a_batch_of_several_pushes_counts_when_it_is_completed(lab: httpx.AsyncClient, ctx: Shelfcast):
    await batch(lab, [milk()])
    await ended(ctx)
    assert "batchCompleted" not in await done(lab, ctx)
    await batch(lab, [milk()], [milk("2.00")])
    assert "batchCompleted" not in await done(lab, ctx)
    await ended(ctx)
    assert "batchCompleted" in await done(lab, ctx)


async def poll(lab: httpx.AsyncClient, ctx: Shelfcast, later: Later, times: list[float]) -> None:
    session = await batch(lab, [milk()])
    for at in times:
        later(at)
        await lab.get(f"/batch/{session}/status")
        await noted(ctx)


async def test_polling_at_a_sane_rate_is_seen_and_forgives_what_was_before(
    lab: httpx.AsyncClient, ctx: Shelfcast, later: Later
):
    await poll(lab, ctx, later, [0.1 * number for number in range(8)])
    hasty = (await checklist(lab, ctx))["statusPolled"]
    assert (hasty["done"], "less than 2 seconds" in hasty["seen"]) == (False, True)
    await poll(lab, ctx, later, [10, 10 + HURRIED / 1000, 20])
    assert "statusPolled" in await done(lab, ctx)


async def test_hurry_is_seen_across_a_pause(lab: httpx.AsyncClient, ctx: Shelfcast, later: Later):
    await poll(lab, ctx, later, [0, 0.1, 0.2, 0.3, 600, 1200])
    assert "statusPolled" not in await done(lab, ctx)


async def test_following_the_events_counts_as_polling(lab: httpx.AsyncClient, ctx: Shelfcast):
    session = await batch(lab, [milk()])
    await lab.post(f"/batch/{session}/cancel")
    assert (await lab.get(f"/batch/{session}/events")).status_code == 200
    assert "statusPolled" in await done(lab, ctx)


async def test_rejected_rows_are_handled_by_reading_why(lab: httpx.AsyncClient, ctx: Shelfcast):
    session = await batch(lab, [milk(), BAD])
    assert "rejectedRowsHandled" not in await done(lab, ctx)
    clean = await batch(lab, [milk()])
    await lab.get(f"/batch/{clean}/errors")
    assert "rejectedRowsHandled" not in await done(lab, ctx)
    await lab.get(f"/batch/{session}/errors")
    assert "rejectedRowsHandled" in await done(lab, ctx)


async def test_or_by_sending_them_again_mended_soon_afterwards(lab: httpx.AsyncClient, ctx: Shelfcast, later: Later):
    await lab.post("/add", json=[milk(), BAD])
    await noted(ctx)
    await lab.post("/add", json=[milk()])
    assert "rejectedRowsHandled" not in await done(lab, ctx)
    later(3601)
    await lab.post("/add", json=[BAD | {"price": "1"}])
    assert "rejectedRowsHandled" not in await done(lab, ctx)
    await batch(lab, [BAD])
    await noted(ctx)
    await batch(lab, [BAD | {"price": "1", "barcode": f" {BAD['barcode']} "}])
    assert "rejectedRowsHandled" in await done(lab, ctx)


async def test_a_live_store_is_not_watched_and_has_no_checklist(connect: Connect, ctx: Shelfcast, token: str):
    live = connect(token)
    await live.post("/add", json=[milk(), BAD])
    session = await batch(live, [BAD])
    await live.get(f"/batch/{session}/status")
    await live.get(f"/batch/{session}/errors")
    await noted(ctx)
    async with ctx.db.read() as conn:
        assert (await conn.execute(chain_tables.milestones.select())).all() == []
    for answer in (await live.get("/api/v1/production"), await live.post("/api/v1/production", json=ASK)):
        assert answer.status_code == 409


async def test_a_milestone_that_cannot_be_noted_fails_no_request(
    lab: httpx.AsyncClient, ctx: Shelfcast, monkeypatch: pytest.MonkeyPatch, logged: list[Any]
):
    async def full(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("service.store.onboarding.count", full)
    assert (await lab.post("/add", json=[milk()])).status_code == 200
    await asyncio.gather(*ctx.db._writes, return_exceptions=True)
    await asyncio.sleep(0)
    assert "milestone_not_noted" in [line["event"] for line in logged]


async def test_a_request_does_not_wait_for_its_milestone(lab: httpx.AsyncClient, ctx: Shelfcast):
    session = (await lab.post("/batch/start")).json()["sessionId"]
    await noted(ctx)
    release = asyncio.Event()

    async def hold(_: object) -> None:
        await release.wait()

    holding = [asyncio.create_task(ctx.db.write(hold)) for _ in range(8)]
    await asyncio.sleep(0)
    assert (await asyncio.wait_for(lab.get(f"/batch/{session}/status"), 5)).status_code == 200
    release.set()
    await asyncio.gather(*holding)


async def test_who_is_not_complete_is_told_what_is_missing(lab: httpx.AsyncClient, ctx: Shelfcast):
    await lab.post("/add", json=[milk()])
    await noted(ctx)
    refused = await lab.post("/api/v1/production", json=ASK)
    assert refused.status_code == 409
    assert set(refused.json()["fields"]) == {
        "productsUpdated", "batchCompleted", "statusPolled", "rejectedRowsHandled",
    }  # fmt: skip


async def test_a_complete_integration_asks_once_and_the_operator_hears_of_it(
    lab: httpx.AsyncClient, ctx: Shelfcast, later: Later
):
    await complete(lab, ctx, later)
    operator = await subscribed(ctx, store="lab", operator=True)
    assert (await lab.get("/api/v1/production")).json()["complete"]
    asked_for = await lab.post("/api/v1/production", json=ASK)
    assert asked_for.status_code == 201, asked_for.text
    assert (asked_for.json()["state"], asked_for.json()["requestedBy"]) == ("open", "token POS")
    assert (await lab.post("/api/v1/production", json=ASK)).status_code == 409
    (data,) = await told(ctx, "production.requested")
    assert data == {"requestId": asked_for.json()["id"], "store": "lab", **ASK}
    msgspec.convert(data, ProductionPayload)
    assert (await delivery(ctx))["webhook_id"] == operator
    (waiting,) = await production.requests(ctx)
    assert (waiting.row["store"], waiting.missing) == ("lab", ())


async def test_a_granted_token_is_fetched_once(connect: Connect, lab: httpx.AsyncClient, ctx: Shelfcast, later: Later):
    await complete(lab, ctx, later)
    assert (await lab.post("/api/v1/production/token")).status_code == 409
    await lab.post("/api/v1/production", json=ASK)
    assert (await lab.post("/api/v1/production/token")).status_code == 409
    issued = await production.grant(ctx, "lab", "shop", Wanted(name="POS", plan="growth"), by="command line, anna")
    async with ctx.db.read() as conn:
        assert issued.token not in repr((await conn.execute(chain_tables.production_requests.select())).all())
    request = (await lab.get("/api/v1/production")).json()["request"]
    assert (request["state"], request["liveStore"], request["fetchable"]) == ("granted", "shop", True)
    fetched = await lab.post("/api/v1/production/token")
    assert fetched.status_code == 200
    shown = fetched.json()
    assert (shown["token"], shown["store"], shown["plan"]) == (issued.token, "shop", "growth")
    assert (await connect(shown["token"]).post("/add", json=[milk()])).json()["created"] == 1
    again = await lab.post("/api/v1/production/token")
    assert (again.status_code, "shown once" in again.json()["detail"]) == (409, True)
    async with ctx.db.read() as conn:
        (row,) = (await conn.execute(chain_tables.production_requests.select())).mappings().all()
        actions = [one["action"] for one in (await conn.execute(chain_tables.audit.select())).mappings()]
    assert row["token"] is None
    assert [action for action in actions if action.startswith("production")] == [
        "production.requested", "production.granted", "production.fetched",
    ]  # fmt: skip


async def test_of_two_who_fetch_at_once_one_has_it(lab: httpx.AsyncClient, ctx: Shelfcast):
    await production.grant(ctx, "lab", "shop", Wanted(name="POS"), by="anna", override="known from elsewhere")
    both = await asyncio.gather(*(lab.post("/api/v1/production/token") for _ in range(2)))
    assert sorted(answer.status_code for answer in both) == [200, 409]


async def test_a_token_that_the_operator_was_shown_is_not_fetched(lab: httpx.AsyncClient, ctx: Shelfcast):
    await production.grant(ctx, "lab", "shop", Wanted(name="POS"), by="anna", override="by telephone", show=True)
    refused = await lab.post("/api/v1/production/token")
    assert (refused.status_code, "another way" in refused.json()["detail"]) == (409, True)


async def test_a_token_that_was_revoked_before_is_not_fetched(lab: httpx.AsyncClient, ctx: Shelfcast):
    issued = await production.grant(ctx, "lab", "shop", Wanted(name="POS"), by="anna", override="x")
    await tokens.revoke(ctx, issued.id)
    refused = await lab.post("/api/v1/production/token")
    assert (refused.status_code, "revoked" in refused.json()["detail"]) == (409, True)


async def test_an_incomplete_integration_needs_a_reason_that_stays_on_record(lab: httpx.AsyncClient, ctx: Shelfcast):
    with pytest.raises(ConflictError, match="--override"):
        await production.grant(ctx, "lab", "shop", Wanted(name="POS"), by="anna")
    await production.grant(ctx, "lab", "shop", Wanted(name="POS"), by="anna", override="known from elsewhere")
    (found,) = await production.requests(ctx, everything=True)
    assert (found.row["state"], found.row["override"]) == ("granted", "known from elsewhere")
    async with ctx.db.read() as conn:
        rows = (await conn.execute(chain_tables.audit.select())).mappings().all()
    (granted,) = [row["detail"] for row in rows if row["action"] == "production.granted"]
    assert "known from elsewhere" in granted
    assert "productsAdded" in granted


async def test_a_refusal_is_read_with_its_reason_and_may_be_followed_by_another_request(
    lab: httpx.AsyncClient, ctx: Shelfcast, later: Later
):
    await complete(lab, ctx, later)
    await lab.post("/api/v1/production", json=ASK)
    await production.refuse(ctx, "lab", "Names are in capitals.", by="anna")
    request = (await lab.get("/api/v1/production")).json()["request"]
    assert (request["state"], request["reason"]) == ("refused", "Names are in capitals.")
    assert (await lab.post("/api/v1/production", json=ASK)).status_code == 201
    await production.refuse(ctx, "lab", "Still.", by="anna")
    with pytest.raises(ConflictError):
        await production.refuse(ctx, "lab", "Nothing is open.", by="anna")


async def test_production_is_a_live_store_of_the_same_chain(lab: httpx.AsyncClient, ctx: Shelfcast):
    await stores.create_organisation(ctx, "rivals")
    await stores.create_store(ctx, NewStore(slug="rival", organisation="rivals"))
    for sandbox, live in (("lab", "rival"), ("lab", "lab"), ("shop", "lab"), ("shop", "shop")):
        with pytest.raises(ValidationError):
            await production.grant(ctx, sandbox, live, Wanted(name="POS"), by="anna", override="x")
    with pytest.raises(NotFoundError):
        await production.grant(ctx, "lab", "nowhere", Wanted(name="POS"), by="anna", override="x")


async def test_a_viewer_sees_the_checklist_and_does_not_ask(connect: Connect, lab: httpx.AsyncClient, ctx: Shelfcast):
    viewer = connect((await tokens.issue(ctx, "lab", "viewer", scopes=[Scope.STORES_READ])).token)
    assert (await viewer.get("/api/v1/production")).status_code == 200
    assert (await viewer.post("/api/v1/production", json=ASK)).status_code == 403
