"""Promises 2, 3, 5 and 8 where they are hardest to keep: in flight, with several workers, and beside a dead gateway."""

import pytest

from tests.end_to_end.shelf import (
    assert_never_back,
    assert_right,
    assert_truly_confirmed,
    on_one_site,
    products,
)

pytestmark = pytest.mark.timeout(120)


async def test_there_and_back_again_while_it_is_in_flight_ends_where_it_began(on_sqlite):
    async with on_one_site(on_sqlite, displays=400, time_scale=30) as (_site, store):
        first, other = store.prices(1), store.prices(2)
        there = await store.pos.batch(first)
        await store.pos.done(there)
        await assert_right(store, there, first)
        await store.remote.change("g4", drop=1.0)  # of these it is not known where they are, however slow we are
        away = await store.pos.batch(other)
        await store.pos.until(away, lambda status: status["tagsSent"] > len(first) // 2)
        await store.remote.change("g4", drop=0.0)
        back = await store.pos.batch(first)
        ended = await store.pos.done(away)
        assert ended["tagsSuperseded"], "no display was on its way when it was called back"
        assert ended["tagsConfirmed"] + ended["tagsSuperseded"] == ended["tagsTotal"] == len(first)
        await store.pos.done(back)
        await store.remote.settled()
        assert await store.glass_prices() == first
        await assert_never_back(store)
        await assert_truly_confirmed(store, back, first)
        await assert_truly_confirmed(store, away, other, last=False)


async def test_two_workers_never_push_to_a_display_twice_at_once_and_never_more_than_a_gateway_takes(on_sqlite):
    parts = ("valkey", "api", "worker", "worker-2")
    async with on_one_site(on_sqlite, parts=parts, displays=600, gateways=2, max_in_flight=2, max_batch=25) as (
        _,
        store,
    ):
        session_id = await store.pos.batch(store.prices(1))
        for number in range(2, 6):
            await store.until_hardware(lambda stats, least=200 * (number - 1): accepted(stats) >= least)
            prices = store.prices(number)
            await store.pos.told("POST", "/productUpdate", {"products": products(prices)})
        status = await store.pos.done(session_id)
        assert status["tagsConfirmed"] + status["tagsSuperseded"] == status["tagsTotal"]
        await store.shows_in_the_end(prices)
        await assert_never_back(store)
        stats = await store.remote.stats()
        assert [gateway.traffic.max_in_flight for gateway in stats.gateways] == [2, 2], "nothing was ever in parallel"
        assert not sum(gateway.counts.get("stale", 0) for gateway in stats.gateways)


def accepted(stats):
    return sum(gateway.counts.get("accepted", 0) for gateway in stats.gateways)


@pytest.mark.parametrize("reach", ["closed", "silent"])
async def test_a_dead_gateway_delays_its_own_displays_and_nobody_elses(on_sqlite, reach):
    swift = {"verify_for": 4, "unreachable_after": 1}
    async with on_one_site(on_sqlite, settings=swift, displays=400, send_timeout=1) as (_, store):
        await store.until_hardware(lambda stats: all(gateway.traffic.listeners for gateway in stats.gateways))
        await store.remote.change("g2", reach=reach)
        prices = store.prices(1)
        session_id = await store.pos.batch(prices)
        others = await store.pos.until(session_id, lambda status: status["tagsConfirmed"] == 300)
        assert others["status"] == "processing", "the other gateways had to wait for the dead one"
        status = await store.pos.done(session_id)
        assert (status["tagsConfirmed"], status["tagsPending"], status["tagsFailed"]) == (300, 100, 0)
        pending = await store.pos.displays(session_id, "pending")
        assert {(display["gateway"], display["reason"]) for display in pending} == {("g2", "gateway_unreachable")}
        assert all("g2" in display["detail"] for display in pending)
        await store.remote.change("g2", reach="up")
        await store.pos.until(session_id, lambda status: status["tagsConfirmed"] == 400)
        await assert_right(store, session_id, prices)
