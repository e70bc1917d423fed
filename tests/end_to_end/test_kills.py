"""Promise 1, at the real processes: whatever is killed, whenever, nothing acknowledged is lost, and every display
ends right, without ever having gone back and without having been called confirmed when it was not."""

import asyncio
import itertools
from asyncio import FIRST_COMPLETED

import pytest
import redis.asyncio as redis

from tests.end_to_end.shelf import assert_right, portions, products
from tests.end_to_end.shelf import on_one_site as on

pytestmark = pytest.mark.timeout(120)

PARTS = ("valkey", "api", "worker")
LAST = "g4"
EACH = pytest.mark.parametrize(
    "victims", [("worker",), ("api",), ("valkey",), PARTS], ids=["worker", "api", "valkey", "all"]
)


async def on_the_way(store, do):
    """Do this while a batch is saved, while it is sent, and while proof is awaited; in the end all is right.

    One gateway has no time until then, so that it is not over before.
    """
    await store.remote.change(LAST, busy=1.0)
    prices = store.prices(1)
    session_id = await store.pos.batch(prices)
    some = len(store.shows) // 4
    moments = (
        lambda status: status["phase"] is not None,
        lambda status: status["tagsSent"] > some,
        lambda status: status["tagsConfirmed"] > some,
    )
    for moment in moments:
        await store.pos.until(session_id, moment)
        await do()
    await store.remote.change(LAST, busy=0.0)
    await store.pos.done(session_id)
    await assert_right(store, session_id, prices)


@EACH
async def test_a_batch_survives_that_it_is_killed_again_and_again(on_sqlite, victims):
    async with on(on_sqlite, displays=1000) as (site, store):

        async def kill():
            await site.kill(*victims)
            await site.start(*victims)

        await on_the_way(store, kill)


@pytest.mark.parametrize("settings", ["postgresql"], indirect=True)
async def test_a_batch_on_postgresql_survives_it_too(settings):
    async with on(settings, displays=600) as (site, store):

        async def kill():
            await site.kill(*PARTS)
            await site.start(*PARTS)

        await on_the_way(store, kill)


async def test_redis_that_forgets_everything_costs_nothing_but_time(on_sqlite):
    async with on(on_sqlite, displays=1000) as (site, store), redis.from_url(site.settings.redis_dsn) as memory:
        await on_the_way(store, memory.flushall)


async def test_a_price_that_changed_while_valkey_was_away_reaches_its_display(on_sqlite):
    async with on(on_sqlite, displays=20) as (site, store):
        await store.pos.done(await store.pos.batch(store.prices(1)))
        await site.kill("valkey")
        await store.pos.told("POST", "/productUpdate", {"products": products(store.prices(2))})
        await site.start("valkey")
        await store.shows_in_the_end(store.prices(2))


async def test_pushes_that_a_killed_api_took_or_did_not_take_may_all_be_repeated(on_sqlite):
    async with on(on_sqlite, displays=400) as (site, store):
        prices = store.prices(1)
        session_id = await store.pos.start()
        pushes = list(enumerate(portions(products(prices), 10)))
        asking = [asyncio.ensure_future(store.pos.push(session_id, number, rows)) for number, rows in pushes]
        await kill_between(site, asking)
        answers = await asyncio.gather(*asking)
        assert store.pos.repeated, "no kill hit a request"
        assert [await store.pos.push(session_id, number, rows) for number, rows in pushes] == answers
        other = {"sessionId": session_id, "products": products({"1": "1.00"})}
        assert (await store.pos.ask("POST", "/batch/push", other, key="push-0")).status_code == 409
        assert (await store.pos.status(session_id))["productsReceived"] == len(prices)
        await store.pos.complete(session_id)
        await store.pos.done(session_id)
        await assert_right(store, session_id, prices)
        assert await store.pos.push(session_id, *pushes[0]) == answers[0]


async def kill_between(site, asking):
    """Kill the API whenever a quarter more of the requests is answered, with the others on their way."""
    for answered in range(1, len(asking), len(asking) // 4):
        while sum(request.done() for request in asking) < answered:
            await asyncio.wait([request for request in asking if not request.done()], return_when=FIRST_COMPLETED)
        await site.kill("api")
        await site.start("api")


async def test_the_supervisor_brings_back_whatever_is_killed(on_sqlite):
    async with on(on_sqlite, parts=["serve"], settings={"log_level": "info"}, displays=1000) as (site, store):
        names = itertools.cycle(["worker-1", "valkey", "api"])

        async def kill():
            site.kill_child(next(names))

        await on_the_way(store, kill)
        assert site.deaths == []
        assert await site.stop("serve") == 0
