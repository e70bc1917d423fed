"""Webhooks over HTTP."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest

from service.context import Shelfcast
from service.core.happenings import SUBSCRIBABLE
from service.core.scopes import Scope
from service.ids import new_id
from service.messages.webhooks import Kind
from service.settings import Settings
from service.store import chain_tables, tenants
from service.tenants import stores, tokens
from service.webhooks import delivering, happenings
from service.webhooks.posting import Poster
from tests.hooks import LOCAL, rows, subscribed
from tests.receiver import Receiver, answering, receiving

Connect = Callable[..., httpx.AsyncClient]
URL = "https://127.0.0.1/hook"
API = "/api/v1"


@pytest.fixture
def served(served: Settings) -> Settings:
    return replace(served, webhook_networks=LOCAL, webhook_timeout=2.0)


@pytest.fixture
async def api(connect: Connect, ctx: Shelfcast, token: str) -> httpx.AsyncClient:
    """Of the whole chain, which has the store `one`."""
    return connect(await chain_token(ctx))


async def chain_token(ctx: Shelfcast, organisation: str = "default") -> str:
    return (await tokens.issue(ctx, None, new_id(), organisation=organisation, scopes=[Scope.ADMIN])).token


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


async def made(api: httpx.AsyncClient, **more: Any) -> dict[str, Any]:
    answer = await api.post(f"{API}/webhooks", json={"url": URL, **more})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def happen(ctx: Shelfcast, *kinds: str, store: str = "one") -> None:
    async with ctx.db.read() as connection:
        found = await tenants.find_store(connection, store)
    assert found is not None
    for kind in kinds:
        await ctx.db.write(happenings.tell, found.id, ctx.clock(), kind, {"is": kind})


def test_kinds_of_the_api_are_those_that_happen() -> None:
    assert Kind.__args__ == tuple(map(str, SUBSCRIBABLE))  # type: ignore[attr-defined] - of every Literal


async def test_a_secret_is_shown_once_and_sealed_at_rest(api: httpx.AsyncClient, ctx: Shelfcast) -> None:
    answer = await api.post(f"{API}/webhooks", json={"url": URL, "description": "The ERP"})
    webhook = answer.json()
    assert answer.headers["location"] == f"{API}/webhooks/{webhook['id']}"
    secret = webhook.pop("secret")
    assert (await api.get(answer.headers["location"])).json() == webhook
    assert (await api.get(f"{API}/webhooks")).json()["data"] == [webhook]
    [row] = await rows(ctx, chain_tables.webhooks)
    assert row["secret"].startswith("sealed:")
    assert secret not in str(row)
    assert ctx.sealer.opened(row["secret"]) == secret
    assert (webhook["kinds"], webhook["store"], webhook["enabled"]) == (None, None, True)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("https://10.0.0.1/", "private"),
        ("https://169.254.169.254/latest/meta-data", "link-local"),
        ("https://[::ffff:10.0.0.1]/", "private"),
        ("https://0x0a000001/", "private"),
        ("http://93.184.215.14/", "https://"),
        ("https://user:word@example.com/", "user name"),
        ("https://example.com/#x", "fragment"),
        ("gopher://example.com/", "https://"),
        ("", "https://"),
    ],
)
async def test_a_url_that_nothing_may_be_sent_to_is_refused_with_the_reason(
    api: httpx.AsyncClient, url: str, reason: str
) -> None:
    webhook = await made(api)
    created = await api.post(f"{API}/webhooks", json={"url": url})
    changed = await api.patch(f"{API}/webhooks/{webhook['id']}", json={"url": url})
    for answer in (created, changed):
        assert (answer.status_code, answer.json()["code"]) == (422, "unprocessable")
        assert reason in answer.json()["fields"]["url"]
    assert (await api.get(f"{API}/webhooks/{webhook['id']}")).json()["url"] == URL


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"url": None},
        {"url": URL, "kinds": []},
        {"url": URL, "kinds": ["batch.everything"]},
        {"url": URL, "kinds": ["webhook.test"]},
        {"url": URL, "description": "a\u0000b"},
        {"url": URL, "description": "x" * 201},
        {"url": "https://127.0.0.1/" + "x" * 2000},
        {"url": URL, "store": "x" * 64},
        {"url": URL, "enabled": "yes"},
    ],
)
async def test_a_body_that_is_wrong_says_where(api: httpx.AsyncClient, body: dict[str, Any]) -> None:
    answer = await api.post(f"{API}/webhooks", json=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")
    assert answer.json()["fields"]


async def audited(ctx: Shelfcast) -> list[dict[str, Any]]:
    return [row for row in await rows(ctx, chain_tables.audit) if row["action"].startswith("webhook.")]


async def test_what_a_change_leaves_out_stays(api: httpx.AsyncClient, ctx: Shelfcast) -> None:
    webhook = await made(api, kinds=["batch.held", "batch.completed", "batch.held"], description="The ERP")
    assert webhook["kinds"] == ["batch.completed", "batch.held"]
    path = f"{API}/webhooks/{webhook['id']}"
    del webhook["secret"]
    assert (await api.patch(path, json={})).json() == webhook
    assert (await api.patch(path, json={"kinds": None})).json() == webhook | {"kinds": None}
    changed = (await api.patch(path, json={"description": None, "enabled": False, "store": "one"})).json()
    assert (changed["description"], changed["enabled"], changed["store"]) == (None, False, "one")
    assert changed["disabledReason"] == "Disabled by hand."
    actions = [(row["action"], row["subject"]) for row in await audited(ctx)]
    assert actions == [("webhook.created", webhook["id"])] + [("webhook.changed", webhook["id"])] * 2


async def test_a_rotation_shows_a_new_secret_and_until_when_the_old_one_signs(api: httpx.AsyncClient) -> None:
    webhook = await made(api)
    rotated = (await api.post(f"{API}/webhooks/{webhook['id']}/rotate")).json()
    assert rotated["secret"] != webhook["secret"]
    assert rotated["oldSecretUntil"] > rotated["createdAt"]


async def test_a_webhook_that_is_removed_is_gone(api: httpx.AsyncClient) -> None:
    path = f"{API}/webhooks/{(await made(api))['id']}"
    answer = await api.delete(path)
    assert (answer.status_code, answer.content) == (204, b"")
    for method in ("GET", "DELETE"):
        assert (await api.request(method, path)).status_code == 404


async def test_a_test_says_what_came_of_it(api: httpx.AsyncClient, receiver: Receiver) -> None:
    webhook = await made(api, url=receiver.url, kinds=["batch.held"], enabled=False)
    receiver.secrets = [webhook["secret"]]
    path = f"{API}/webhooks/{webhook['id']}/test"
    came = (await api.post(path)).json()
    assert (came["delivered"], came["status"], came["eventId"]) == (True, 204, receiver.got[0].id)
    assert receiver.got[0].message["type"] == "webhook.test"
    receiver.answer = answering(401, body=b"Who are you?")
    came = (await api.post(path)).json()
    assert (came["delivered"], came["status"], came["answer"]) == (False, 401, "Who are you?")
    assert came["error"] == "The receiver answered 401."


async def test_there_is_an_end_to_the_webhooks_of_a_chain(
    api: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.webhooks.webhooks.MOST", 2)
    await made(api)
    await made(api)
    assert (await api.post(f"{API}/webhooks", json={"url": URL})).status_code == 409


async def store_client(connect: Connect, ctx: Shelfcast, slug: str) -> httpx.AsyncClient:
    return connect((await tokens.issue(ctx, slug, new_id(), scopes=[Scope.WEBHOOKS_WRITE])).token)


async def test_a_stores_token_reaches_the_webhooks_of_its_store_alone(
    api: httpx.AsyncClient, connect: Connect, ctx: Shelfcast, new_store: Any
) -> None:
    await new_store("two")
    one, two = await store_client(connect, ctx, "one"), await store_client(connect, ctx, "two")
    everywhere, mine = await made(api), await made(one)
    assert (everywhere["store"], mine["store"]) == (None, "one")
    assert [row["id"] for row in (await api.get(f"{API}/webhooks")).json()["data"]] == [everywhere["id"], mine["id"]]
    assert [row["id"] for row in (await one.get(f"{API}/webhooks")).json()["data"]] == [mine["id"]]
    assert (await two.get(f"{API}/webhooks")).json()["data"] == []
    assert (await one.get(f"{API}/webhooks/{everywhere['id']}")).status_code == 404
    assert (await one.post(f"{API}/webhooks", json={"url": URL, "store": "two"})).status_code == 404
    assert (await one.patch(f"{API}/webhooks/{mine['id']}", json={"store": "two"})).status_code == 404
    assert (await one.patch(f"{API}/webhooks/{mine['id']}", json={"store": None})).json()["store"] == "one"
    await happen(ctx, "batch.completed", store="two")
    await happen(ctx, "batch.held", store="one")
    assert [event["store"] for event in (await api.get(f"{API}/events")).json()["data"]] == ["one", "two"]
    assert [event["store"] for event in (await one.get(f"{API}/events")).json()["data"]] == ["one"]
    assert (await one.get(f"{API}/events", params={"store": "two"})).status_code == 404
    [delivery] = (await one.get(f"{API}/webhooks/{mine['id']}/deliveries")).json()["data"]
    assert (await one.get(f"{API}/deliveries/{delivery['id']}")).status_code == 200
    assert (await two.get(f"{API}/deliveries/{delivery['id']}")).status_code == 404


async def test_another_chain_reaches_nothing(api: httpx.AsyncClient, connect: Connect, ctx: Shelfcast) -> None:
    await stores.create_organisation(ctx, "other")
    other = connect(await chain_token(ctx, "other"))
    webhook = await made(api)
    await happen(ctx, "batch.held")
    [delivery] = (await api.get(f"{API}/webhooks/{webhook['id']}/deliveries")).json()["data"]
    for method, path in (
        ("GET", f"/webhooks/{webhook['id']}"),
        ("DELETE", f"/webhooks/{webhook['id']}"),
        ("POST", f"/webhooks/{webhook['id']}/rotate"),
        ("POST", f"/webhooks/{webhook['id']}/test"),
        ("GET", f"/webhooks/{webhook['id']}/deliveries"),
        ("GET", f"/deliveries/{delivery['id']}"),
        ("POST", f"/deliveries/{delivery['id']}/redeliver"),
        ("GET", "/events?store=one"),
    ):
        assert (path, (await other.request(method, API + path)).status_code) == (path, 404)
    assert (await other.get(f"{API}/events")).json()["data"] == []
    assert (await other.get(f"{API}/webhooks")).json()["data"] == []


async def test_the_operators_own_is_no_chains(api: httpx.AsyncClient, ctx: Shelfcast) -> None:
    webhook_id = await subscribed(ctx, store="one", operator=True)
    assert (await api.get(f"{API}/webhooks/{webhook_id}")).status_code == 404
    assert (await api.get(f"{API}/webhooks")).json()["data"] == []


async def deliver(ctx: Shelfcast) -> None:
    for webhook_id in await delivering.due(ctx):
        while await delivering.serve(ctx, Poster.of(ctx.settings), webhook_id, new_id()):
            pass


async def test_deliveries_are_listed_by_state_and_kind_the_newest_first(
    api: httpx.AsyncClient, ctx: Shelfcast, receiver: Receiver
) -> None:
    receiver.script = [answering(204), answering(410)]
    path = f"{API}/webhooks/{(await made(api, url=receiver.url))['id']}/deliveries"
    await happen(ctx, "batch.held")
    await deliver(ctx)
    await happen(ctx, "batch.completed")
    await deliver(ctx)
    every = (await api.get(path)).json()
    assert [one["state"] for one in every["data"]] == ["failed", "delivered"]
    assert every["meta"]["total"] == 2
    [failed] = (await api.get(path, params={"state": "failed"})).json()["data"]
    assert (failed["kind"], failed["status"], failed["attempts"]) == ("batch.completed", 410, 1)
    assert (await api.get(path, params={"state": "failed", "kind": "batch.held"})).json()["data"] == []
    assert (await api.get(path, params={"state": "lost"})).status_code == 400


async def test_a_delivery_tells_every_attempt_and_what_was_posted(
    api: httpx.AsyncClient, ctx: Shelfcast, receiver: Receiver
) -> None:
    receiver.script = [answering(503, body=b"Busy")]
    path = f"{API}/webhooks/{(await made(api, url=receiver.url))['id']}/deliveries"
    await happen(ctx, "batch.held")
    await deliver(ctx)
    [one] = (await api.get(path)).json()["data"]
    detail = (await api.get(f"{API}/deliveries/{one['id']}")).json()
    assert (detail["state"], detail["body"].encode()) == ("pending", receiver.got[0].body)
    assert [(each["status"], each["answer"]) for each in detail["log"]] == [(503, "Busy")]
    assert detail["nextAttemptAt"] > detail["createdAt"]
    assert (await api.post(f"{API}/deliveries/{one['id']}/redeliver")).status_code == 409


async def test_a_delivery_is_repeated_as_a_new_one(api: httpx.AsyncClient, ctx: Shelfcast, receiver: Receiver) -> None:
    webhook = await made(api, url=receiver.url)
    await happen(ctx, "batch.held")
    await deliver(ctx)
    [first] = (await api.get(f"{API}/webhooks/{webhook['id']}/deliveries")).json()["data"]
    answer = await api.post(f"{API}/deliveries/{first['id']}/redeliver")
    assert (answer.status_code, answer.json()["eventId"]) == (201, first["eventId"])
    await deliver(ctx)
    assert (await api.get(answer.headers["location"])).json()["state"] == "delivered"
    assert receiver.got[0].id == receiver.got[1].id
    await api.patch(f"{API}/webhooks/{webhook['id']}", json={"enabled": False})
    assert (await api.post(f"{API}/deliveries/{first['id']}/redeliver")).status_code == 409


@pytest.mark.parametrize("list_", ["/events", "deliveries"])
async def test_a_cursor_stays_right_while_more_happens(api: httpx.AsyncClient, ctx: Shelfcast, list_: str) -> None:
    webhook = await made(api)
    await happen(ctx, *["batch.held"] * 5)
    path = API + (list_ if list_ == "/events" else f"/webhooks/{webhook['id']}/deliveries")
    before = [row["id"] for row in (await api.get(path)).json()["data"]]
    found, cursor = [], None
    while cursor or not found:
        page = (await api.get(path, params={"perPage": "2"} | ({"cursor": cursor} if cursor else {}))).json()
        found += [row["id"] for row in page["data"]]
        cursor = page["meta"]["next"]
        await happen(ctx, "batch.completed")
    assert found == before


async def test_events_are_found_by_kind_time_and_store(api: httpx.AsyncClient, ctx: Shelfcast, new_store: Any) -> None:
    await new_store("two")
    await made(api)
    await happen(ctx, "batch.held")
    await happen(ctx, "gateway.offline", store="two")
    newest, oldest = (await api.get(f"{API}/events")).json()["data"]
    assert (oldest["kind"], oldest["store"], oldest["data"]) == ("batch.held", "one", {"is": "batch.held"})
    for asked in ({"kind": "batch.held"}, {"store": "one"}, {"until": newest["at"]}):
        assert (await api.get(f"{API}/events", params=asked)).json()["data"] == [oldest]
    assert newest in (await api.get(f"{API}/events", params={"since": newest["at"]})).json()["data"]
    for wrong in ({"since": "yesterday"}, {"since": "2026-11-22T06:30:00"}, {"kind": "webhook.test"}):
        assert (await api.get(f"{API}/events", params=wrong)).status_code == 400


async def test_page_numbers_end_where_only_a_cursor_is_fast(api: httpx.AsyncClient) -> None:
    answer = await api.get(f"{API}/events", params={"page": "1001", "perPage": "100"})
    assert (answer.status_code, "cursor" in answer.json()["detail"]) == (400, True)


async def test_no_secret_is_in_the_audit_log(api: httpx.AsyncClient, ctx: Shelfcast) -> None:
    webhook = await made(api)
    rotated = (await api.post(f"{API}/webhooks/{webhook['id']}/rotate")).json()
    written = list(map(str, await audited(ctx)))
    assert not any(webhook["secret"] in line or rotated["secret"] in line for line in written)
    assert len(written) == 2
