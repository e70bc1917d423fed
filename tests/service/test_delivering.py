"""Posting from the database: at least once under one id, for a day, and one endpoint holds up no other."""

import asyncio
import base64
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from service.context import Shelfcast, opened
from service.errors import ConflictError
from service.messages import Window
from service.messages.webhooks import NewWebhook, WebhookChange
from service.settings import Settings
from service.store import chain_tables, tenants
from service.store import deliveries as store_deliveries
from service.tenants import stores
from service.tenants.stores import NewStore
from service.webhooks import deliveries, delivering, happenings, webhooks
from service.webhooks.posting import Poster
from tests.hooks import LOCAL, SECRET, delivery, rows, side, subscribed
from tests.receiver import OK, Receiver, answering, receiving
from tests.shop import Clock, until
from workers.courier import Courier

DAY = 86_400_000
KIND = "gateway.online"


@pytest.fixture
async def ctx(settings: Settings) -> AsyncIterator[Shelfcast]:
    """With a store `shop` and a clock that only the test moves."""
    allowing = replace(settings, webhook_networks=LOCAL, webhook_timeout=2.0)
    async with opened(allowing) as context:
        clocked = replace(context, clock=Clock())
        await stores.create_store(clocked, NewStore(slug="shop"))
        yield clocked


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


def clock(ctx: Shelfcast) -> Clock:
    assert isinstance(ctx.clock, Clock)
    return ctx.clock


async def happen(ctx: Shelfcast, count: int = 1, kind: str = KIND) -> None:
    async with ctx.db.read() as connection:
        store = await tenants.find_store(connection, "shop")
    assert store is not None
    happened = [{"number": number} for number in range(count)]
    await ctx.db.write(happenings.tell_all, store.id, ctx.clock(), kind, happened)


async def work(ctx: Shelfcast, worker: str = "worker") -> None:
    """Post what is due now to whom it is due."""
    for webhook_id in await delivering.due(ctx):
        await delivering.serve(ctx, Poster.of(ctx.settings), webhook_id, worker)


async def endpoint(ctx: Shelfcast) -> dict[str, Any]:
    [only] = await rows(ctx, chain_tables.webhooks)
    return only


async def audited(ctx: Shelfcast) -> list[str]:
    actions = [row["action"] for row in await rows(ctx, chain_tables.audit)]
    return [action for action in actions if action.startswith(("webhook.", "delivery."))]


async def test_an_event_is_posted_signed_and_as_it_is_documented(ctx: Shelfcast) -> None:
    async with receiving(secrets=[SECRET]) as receiver:
        await subscribed(ctx, url=receiver.url)
        await happen(ctx)
        await work(ctx)
        [got] = receiver.got
        [event] = await rows(ctx, chain_tables.events)
        assert got.id == event["id"]
        assert set(got.message) == {"type", "timestamp", "store", "data"}
        assert (got.message["type"], got.message["store"], got.message["data"]) == (KIND, "shop", {"number": 0})
        row = await delivery(ctx)
        assert (row["state"], row["attempts"], row["status"], row["error"]) == ("delivered", 1, 204, None)
        assert await delivering.due(ctx) == []


async def test_what_fails_is_posted_again_under_the_same_id_and_in_the_same_words(
    ctx: Shelfcast, receiver: Receiver
) -> None:
    receiver.script = [answering(500, body=b"oops"), answering(302, "Location: http://169.254.169.254/")]
    await subscribed(ctx, url=receiver.url)
    await happen(ctx)
    for _ in range(3):
        await work(ctx)
        clock(ctx).advance(60_000)
    assert len({(got.id, got.body) for got in receiver.got}) == 1
    assert len({got.headers["webhook-timestamp"] for got in receiver.got}) == 3
    row = await delivery(ctx)
    attempts = msgspec.json.decode(row["log"])
    assert [attempt["status"] for attempt in attempts] == [500, 302, 204]
    assert (attempts[0]["answer"], row["state"], row["attempts"]) == ("oops", "delivered", 3)


async def test_nothing_is_posted_again_before_its_time(ctx: Shelfcast, receiver: Receiver) -> None:
    receiver.script = [answering(503, "Retry-After: 300")]
    await subscribed(ctx, url=receiver.url)
    await happen(ctx)
    await work(ctx)
    clock(ctx).advance(299_000)
    await work(ctx)
    assert len(receiver.got) == 1
    clock(ctx).advance(2_000)
    await work(ctx)
    assert len(receiver.got) == 2


async def test_after_a_day_of_failures_it_is_given_up_and_says_why(ctx: Shelfcast, receiver: Receiver) -> None:
    receiver.answer = answering(500)
    await subscribed(ctx, url=receiver.url)
    await happen(ctx)
    while (await delivery(ctx))["state"] == "pending":
        clock(ctx).at = max(clock(ctx).at, (await delivery(ctx))["due_at"])
        await work(ctx)
    row = await delivery(ctx)
    assert (row["state"], row["status"]) == ("failed", 500)
    assert row["error"] == f"Given up after {row['attempts']} attempts. The receiver answered 500."
    assert row["closed_at"] - row["created_at"] < DAY + 60_000
    assert 10 <= len(receiver.got) == row["attempts"] <= 12


async def test_a_receiver_that_is_gone_is_disabled_and_keeps_what_is_pending(
    ctx: Shelfcast, receiver: Receiver
) -> None:
    receiver.script = [answering(410)]
    webhook_id = await subscribed(ctx, url=receiver.url)
    await happen(ctx)
    await work(ctx)
    assert (await delivery(ctx))["state"] == "failed"
    assert "410" in (await endpoint(ctx))["disabled_reason"]
    assert await audited(ctx) == ["webhook.disabled"]
    await happen(ctx)
    assert len(await rows(ctx, chain_tables.deliveries)) == 1
    again = await webhooks.change(ctx, await side(ctx), webhook_id, WebhookChange(enabled=True))
    assert (again.enabled, again.disabled_reason) == (True, None)
    await happen(ctx)
    await work(ctx)
    assert len(receiver.got) == 2


async def test_what_is_pending_waits_while_the_endpoint_is_disabled(ctx: Shelfcast, receiver: Receiver) -> None:
    webhook_id = await subscribed(ctx, url=receiver.url)
    await happen(ctx)
    await webhooks.change(ctx, await side(ctx), webhook_id, WebhookChange(enabled=False))
    clock(ctx).advance(2 * DAY)
    await work(ctx)
    assert receiver.got == []
    await webhooks.change(ctx, await side(ctx), webhook_id, WebhookChange(enabled=True))
    await work(ctx)
    assert (await delivery(ctx))["state"] == "delivered"


async def test_an_endpoint_that_fails_for_days_is_disabled_once_with_a_reason_on_record(
    ctx: Shelfcast, receiver: Receiver
) -> None:
    receiver.answer = answering(500)
    await subscribed(ctx, url=receiver.url)
    for _ in range(12):
        await happen(ctx)
        await work(ctx)
        clock(ctx).advance(DAY // 2)
    row = await endpoint(ctx)
    assert row["disabled_reason"] == "Nothing was delivered for 5 days. The receiver answered 500."
    assert await audited(ctx) == ["webhook.disabled"]
    before = len(receiver.got)
    await work(ctx)
    assert len(receiver.got) == before


async def test_one_success_makes_an_endpoint_well_again(ctx: Shelfcast, receiver: Receiver) -> None:
    receiver.script = [answering(500)]
    await subscribed(ctx, url=receiver.url)
    await happen(ctx)
    await work(ctx)
    assert (await endpoint(ctx))["failing_since"]
    clock(ctx).advance(10_000)
    await work(ctx)
    assert (await endpoint(ctx))["failing_since"] is None


async def test_an_endpoint_that_does_not_answer_is_left_alone_for_a_while(ctx: Shelfcast) -> None:
    async with receiving() as gone:
        pass
    await subscribed(ctx, url=gone.url)
    await happen(ctx)
    await work(ctx)
    await happen(ctx)
    assert await delivering.due(ctx) == []
    clock(ctx).advance(10_000)
    assert len(await delivering.due(ctx)) == 1


async def test_during_a_rotation_both_secrets_verify_and_after_it_the_new_one_alone(
    ctx: Shelfcast, receiver: Receiver
) -> None:
    whole = await side(ctx)
    made = await webhooks.create(ctx, whole, NewWebhook(url=receiver.url))
    rotated = await webhooks.rotate(ctx, whole, made.id)
    assert len(base64.b64decode(rotated.secret.removeprefix("whsec_"))) == 32
    receiver.secrets = [made.secret, rotated.secret]
    await happen(ctx)
    await work(ctx)
    assert (await delivery(ctx))["state"] == "delivered"
    assert [len(got.headers["webhook-signature"].split(" ")) for got in receiver.got] == [2]
    clock(ctx).advance(int(ctx.settings.webhook_overlap * 1000) + 1)
    receiver.secrets = []
    await happen(ctx)
    await work(ctx)
    assert len(receiver.got[1].headers["webhook-signature"].split(" ")) == 1


async def test_a_secret_whose_key_is_lost_is_told_and_nothing_unsigned_is_posted(
    ctx: Shelfcast, receiver: Receiver
) -> None:
    strange = "sealed:gAAAAABnAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    await subscribed(ctx, url=receiver.url, secret=strange)
    await happen(ctx)
    await work(ctx)
    assert "SHELFCAST_SECRET_KEY" in (await delivery(ctx))["error"]
    assert receiver.got == []


async def claim(ctx: Shelfcast, worker: str) -> list[delivering.Claimed]:
    now = ctx.clock()
    return await ctx.db.write(delivering.claim, (await endpoint(ctx))["id"], worker, now, now + 10_000)


async def test_what_a_dead_worker_held_is_posted_again_under_the_same_id(ctx: Shelfcast, receiver: Receiver) -> None:
    await subscribed(ctx, url=receiver.url)
    await happen(ctx)
    [held] = await claim(ctx, "dead")
    await delivering.post(ctx, Poster.of(ctx.settings), held)
    await work(ctx)
    assert len(receiver.got) == 1
    clock(ctx).advance(10_001)
    await work(ctx)
    assert [got.id for got in receiver.got] == [held.event_id] * 2
    assert (await delivery(ctx))["state"] == "delivered"


async def test_two_workers_never_post_the_same_at_once(ctx: Shelfcast) -> None:
    await subscribed(ctx)
    await happen(ctx, 10)
    found = await asyncio.gather(*(claim(ctx, str(number)) for number in range(4)))
    ids = [one.id for claimed in found for one in claimed]
    assert len(ids) == len(set(ids)) == delivering.AT_ONCE


async def test_who_comes_back_after_its_lease_decides_nothing(ctx: Shelfcast) -> None:
    from service.core.webhooks import Answer  # noqa: PLC0415 - of this test alone

    webhook_id = await subscribed(ctx)
    await happen(ctx)
    late = await claim(ctx, "late")
    clock(ctx).advance(10_001)
    mine = await claim(ctx, "mine")
    now = ctx.clock()
    await ctx.db.write(delivering.record, ctx.settings, webhook_id, "late", late, [Answer(410)], now)
    assert (await delivery(ctx))["state"] == "pending"
    await ctx.db.write(delivering.record, ctx.settings, webhook_id, "mine", mine, [Answer(200)], now)
    assert (await delivery(ctx))["state"] == "delivered"
    assert (await endpoint(ctx))["disabled_at"] is None


async def test_a_removed_endpoint_gets_nothing_more(ctx: Shelfcast, receiver: Receiver) -> None:
    webhook_id = await subscribed(ctx, url=receiver.url)
    await happen(ctx)
    [held] = await claim(ctx, "worker")
    await webhooks.remove(ctx, await side(ctx), webhook_id)
    await ctx.db.write(
        delivering.record, ctx.settings, webhook_id, "worker", [held], [await _posted(ctx, held)], ctx.clock()
    )
    await happen(ctx)
    await work(ctx)
    assert len(receiver.got) == 1


async def _posted(ctx: Shelfcast, held: delivering.Claimed) -> Any:
    return await delivering.post(ctx, Poster.of(ctx.settings), held)


async def test_it_is_delivered_again_by_hand_under_the_same_id(ctx: Shelfcast, receiver: Receiver) -> None:
    webhook_id = await subscribed(ctx, url=receiver.url)
    await happen(ctx)
    whole = await side(ctx)
    first = await delivery(ctx)
    with pytest.raises(ConflictError, match="still tried"):
        await deliveries.redeliver(ctx, whole, first["id"])
    await work(ctx)
    again = await deliveries.redeliver(ctx, whole, first["id"])
    assert (again.state, again.event_id) == ("pending", first["event_id"])
    await work(ctx)
    assert receiver.got[0].id == receiver.got[1].id
    assert receiver.got[0].body == receiver.got[1].body
    page = await deliveries.of_webhook(ctx, whole, webhook_id, "delivered", None, Window())
    assert [one.id for one in page.data] == [again.id, first["id"]]
    assert (await deliveries.get(ctx, whole, again.id)).body.encode() == receiver.got[0].body
    assert await audited(ctx) == ["delivery.repeated"]


async def test_what_is_old_is_forgotten_and_what_is_kept_still_has_its_event(ctx: Shelfcast) -> None:
    async with receiving() as receiver:
        await subscribed(ctx, url=receiver.url)
        await happen(ctx, 3)
        await work(ctx)
        clock(ctx).advance(20 * DAY)
        repeated = (await rows(ctx, chain_tables.deliveries))[0]
        await deliveries.redeliver(ctx, await side(ctx), repeated["id"])
        await happen(ctx)
        await work(ctx)
        clock(ctx).advance(15 * DAY)
        await delivering.forget_old(ctx, ctx.clock())
        kept = {row["event_id"] for row in await rows(ctx, chain_tables.deliveries)}
        events = {row["id"] for row in await rows(ctx, chain_tables.events)}
        assert len(kept) == 2
        assert kept == events
        assert repeated["event_id"] in kept
        clock(ctx).advance(30 * DAY)
        await delivering.forget_old(ctx, ctx.clock())
        assert await rows(ctx, chain_tables.events) == await rows(ctx, chain_tables.deliveries) == []


@pytest.fixture
async def courier(ctx: Shelfcast) -> AsyncIterator[Courier]:
    """Running, as in a worker, and looking all the time."""
    courier = Courier(ctx)
    running = asyncio.create_task(courier.run())
    yield courier
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def hang(_writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def test_an_endpoint_that_hangs_holds_up_nobody_else_and_is_not_crowded(
    ctx: Shelfcast, receiver: Receiver, courier: Courier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.courier._LOOK_EVERY", 0.01)
    async with receiving(hang) as dead:
        await subscribed(ctx, url=dead.url)
        await subscribed(ctx, url=receiver.url)
        await happen(ctx, 30)
        await receiver.wait(30, 10)
        assert dead.most_at_once <= delivering.AT_ONCE
        assert receiver.most_at_once <= delivering.AT_ONCE
        assert len({got.id for got in receiver.got}) == 30


async def test_the_courier_finds_by_itself_what_is_due_again(
    ctx: Shelfcast, receiver: Receiver, courier: Courier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.courier._LOOK_EVERY", 0.01)
    receiver.script = [answering(500), OK]
    await subscribed(ctx, url=receiver.url)
    await happen(ctx)
    await receiver.wait(1)
    await until(lambda: _is(ctx, attempts=1))
    clock(ctx).advance(10_000)
    await receiver.wait(2)
    await until(lambda: _is(ctx, state="delivered"))


async def _is(ctx: Shelfcast, **columns: Any) -> bool:
    row = await delivery(ctx)
    return {name: row[name] for name in columns} == columns


async def test_finding_what_is_due_is_cheap_where_much_is_pending_elsewhere(ctx: Shelfcast) -> None:
    """A dead endpoint's thousands are not read to find another's one."""
    await subscribed(ctx, paused_until=ctx.clock() + DAY)
    await happen(ctx, 3000)
    alive = await subscribed(ctx, KIND)
    await happen(ctx)
    async with ctx.db.read() as connection:
        assert await store_deliveries.endpoints_due(connection, ctx.clock()) == [alive]
        assert len(await store_deliveries.due(connection, alive, ctx.clock(), 8)) == 1
