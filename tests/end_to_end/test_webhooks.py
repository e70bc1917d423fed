"""Webhooks at the real processes: none is lost with a worker, with Redis, or with both."""

import asyncio

import pytest
import redis.asyncio as redis

from service.context import Shelfcast
from service.tenants import stores
from service.tenants.stores import NewStore
from service.webhooks import happenings
from tests.end_to_end.shelf import on_one_site as on
from tests.hooks import SECRET, delivery, rows, subscribed
from tests.processes import SWIFT, Site, installed
from tests.receiver import OK, receiving
from tests.shop import until

pytestmark = pytest.mark.timeout(120)

SETTINGS = {
    "webhook_networks": "127.0.0.0/8",
    "webhook_timeout": 1,
    "webhook_retry_first": 0.2,
    "webhook_retry_most": 1,
}


async def happen(ctx: Shelfcast, count: int = 1) -> None:
    happened = [{"number": number} for number in range(count)]
    await ctx.db.write(happenings.tell_all, 1, ctx.clock(), "gateway.online", happened)


async def delivered(ctx: Shelfcast) -> bool:
    from service.store.chain_tables import deliveries  # noqa: PLC0415 - as `rows` takes it

    return {row["state"] for row in await rows(ctx, deliveries)} == {"delivered"}


async def furnish(ctx: Shelfcast, url: str) -> None:
    await stores.create_store(ctx, NewStore(slug="shop"))
    await subscribed(ctx, url=url)


async def test_a_worker_that_is_killed_between_post_and_note_posts_again_under_the_same_id(settings) -> None:
    site_settings = SWIFT | SETTINGS
    async with (
        receiving(secrets=[SECRET]) as receiver,
        installed(settings.data_dir, database_url=settings.database_url, settings=site_settings) as site,
        site.opened() as ctx,
    ):
        await furnish(ctx, receiver.url)
        await happen(ctx)
        receiver.script = [lambda writer: kill_before_answering(site, writer)]
        await site.start("valkey", "worker")
        await receiver.wait(1, 30)
        await until(lambda: _gone(site), 10)
        assert (await delivery(ctx))["attempts"] == 0
        await site.start("worker")
        await receiver.wait(2, 30)
        await until(lambda: delivered(ctx), 10)
        assert receiver.got[0].id == receiver.got[1].id
        assert receiver.got[0].body == receiver.got[1].body
        assert (await delivery(ctx))["attempts"] == 1


async def kill_before_answering(site: Site, writer: asyncio.StreamWriter) -> None:
    await site.kill("worker")
    writer.write(OK)


async def _gone(site: Site) -> bool:
    return "worker" not in site.running


async def test_what_happens_while_redis_is_away_is_posted_all_the_same(on_sqlite) -> None:
    async with (
        receiving(secrets=[SECRET]) as receiver,
        installed(on_sqlite.data_dir, settings=SWIFT | SETTINGS) as site,
        site.opened() as ctx,
    ):
        await furnish(ctx, receiver.url)
        await site.start("valkey", "worker")
        await happen(ctx)
        await receiver.wait(1, 30)
        await site.kill("valkey")
        await happen(ctx, 20)
        await receiver.wait(21, 30)
        await site.start("valkey")


async def test_a_batch_is_told_of_although_redis_forgets_everything(on_sqlite) -> None:
    async with (
        receiving(secrets=[SECRET]) as receiver,
        on(on_sqlite, displays=200, settings=SETTINGS) as (site, store),
        redis.from_url(site.settings.redis_dsn) as memory,
        site.opened() as ctx,
    ):
        await subscribed(ctx, "batch.completed", "display.confirmed", url=receiver.url, store=store.slug)
        session_id = await store.pos.batch(store.prices(1))
        await memory.flushall()
        await store.pos.done(session_id)
        await memory.flushall()
        await until(lambda: delivered(ctx), 20)
        told = [got.message for got in receiver.got]
        [completed] = [message["data"] for message in told if message["type"] == "batch.completed"]
        assert (completed["sessionId"], completed["tagsConfirmed"]) == (session_id, 200)
        shown = {one["address"] for message in told for one in message["data"].get("displays", ())}
        assert shown == set(store.shows)
