"""The shells around the verbs: listening, jobs, and lines that are opened once."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from service import sync
from service.context import opened
from service.settings import Settings
from service.store import tables
from tests.shop import Shop, milk, opened_shop, until
from workers import jobs
from workers.files import Files
from workers.jobs import Bench, contained
from workers.reports import Ear

BARCODE = milk()["barcode"]


@pytest.fixture
async def shop(on_sqlite: Settings) -> AsyncIterator[Shop]:
    async with opened(on_sqlite) as ctx, opened_shop(ctx, displays=2, gateways=2) as shop:
        await shop.bind({"SIM000001": [BARCODE]})
        yield shop


@pytest.fixture
async def listening(shop: Shop) -> AsyncIterator[None]:
    ear = asyncio.create_task(Ear(shop.ctx, shop.lines).run())

    async def all_heard() -> bool:
        return [gateway.traffic.listeners for gateway in (await shop.remote.stats()).gateways] == [1, 1]

    await until(all_heard)
    yield
    ear.cancel()
    await asyncio.gather(ear, return_exceptions=True)


@pytest.mark.usefixtures("listening")
async def test_what_a_gateway_tells_by_itself_is_recorded_without_a_poll(shop: Shop) -> None:
    await shop.add(milk())
    await shop.send()

    async def confirmed() -> bool:
        return [row["phase"] for row in await shop.rows(tables.updates)] == ["CONFIRMED"]

    await until(confirmed)
    assert "polls" not in (await shop.remote.stats()).gateways[0].counts


@pytest.mark.usefixtures("listening")
async def test_a_second_ear_leaves_a_gateway_to_the_first(shop: Shop) -> None:
    second = Ear(shop.ctx, shop.lines)
    await second._attend()
    assert not second._tasks


async def test_an_ear_that_is_stopped_lets_go_of_its_gateways(shop: Shop) -> None:
    ear = Ear(shop.ctx, shop.lines)
    await ear._attend()
    assert all(row["listener"] for row in await shop.rows(tables.gateways))
    for task in ear._tasks:
        task.cancel()
    await asyncio.gather(*ear._tasks, return_exceptions=True)
    assert [row["listener"] for row in await shop.rows(tables.gateways)] == [None, None]


async def test_a_stream_that_breaks_is_taken_up_again(shop: Shop) -> None:
    ear = Ear(shop.ctx, shop.lines)
    await ear._attend()

    async def listeners() -> int:
        return sum(gateway.traffic.listeners for gateway in (await shop.remote.stats()).gateways)

    async def both() -> bool:
        return await listeners() == 2

    async def broken() -> bool:
        return not ear._tasks

    await until(both)
    await shop.remote.reboot()
    await until(broken)
    await ear._attend()
    await until(both)
    for task in ear._tasks:
        task.cancel()
    await asyncio.gather(*ear._tasks, return_exceptions=True)


async def test_a_job_never_lets_an_exception_out(shop: Shop) -> None:
    @contained
    async def broken(bench: Bench) -> None:
        raise RuntimeError(bench)

    await broken({"bench": Bench(shop.ctx, shop.lines, Files(shop.ctx))})


async def test_a_job_that_is_cancelled_is_cancelled(shop: Shop) -> None:
    @contained
    async def waiting(_: Bench) -> None:
        await asyncio.Event().wait()

    task = asyncio.create_task(waiting({"bench": Bench(shop.ctx, shop.lines, Files(shop.ctx))}))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_the_jobs_take_a_batch_all_the_way(shop: Shop) -> None:
    context = {"bench": Bench(shop.ctx, shop.lines, Files(shop.ctx))}
    gateway = (shop.caller.store_id, shop.gateways["g1"])
    session = await shop.batch([milk("1.29")])
    await jobs.save(context, shop.caller.store_id)
    await jobs.push(context, *gateway)
    await shop.settle()
    await jobs.poll(context, *gateway)
    await jobs.audit(context, *gateway)
    await sync.reconcile(shop.ctx)
    status = await shop.status(session)
    assert (status.status, status.tags_confirmed) == ("completed", 1)


async def test_jobs_for_a_gateway_that_is_gone_do_nothing(shop: Shop) -> None:
    context = {"bench": Bench(shop.ctx, shop.lines, Files(shop.ctx))}
    retired = tables.gateways.update().values(retired_at=1)
    await shop.ctx.db.write(lambda connection: connection.execute(retired))
    for job in (jobs.push, jobs.poll, jobs.audit):
        await job(context, shop.caller.store_id, shop.gateways["g1"])
    assert (await shop.remote.stats()).gateways[0].counts == {}


async def test_a_line_is_opened_once_and_shared_and_each_job_has_a_name_of_its_own(shop: Shop) -> None:
    first, second = await asyncio.gather(shop.line(), shop.line())
    assert first.driver is second.driver
    assert first.at.worker != second.at.worker


async def test_a_line_is_opened_anew_when_its_configuration_changes(shop: Shop) -> None:
    first = await shop.line("g1")
    change = tables.gateways.update().where(tables.gateways.c.name == "g1")
    elsewhere = change.values(config=f'{{"url": "{shop.ready.gateways["g2"]}"}}')
    await shop.ctx.db.write(lambda connection: connection.execute(elsewhere))
    second = await shop.line("g1")
    assert second.driver is not first.driver
    assert await second.driver.poll([]) == []


async def test_a_line_that_cannot_be_opened_is_noted_on_its_gateway_and_tried_again_later(shop: Shop) -> None:
    await shop.remote.change("g1", reach="closed")
    at = (shop.caller.store_id, shop.gateways["g1"])
    assert await shop.lines.get(*at) is None
    gateway = next(row for row in await shop.rows(tables.gateways) if row["name"] == "g1")
    assert (gateway["unreachable_since"] is None, "does not answer" in gateway["error"]) == (False, True)
    await shop.remote.change("g1", reach="up")
    assert await shop.lines.get(*at) is None, "left alone for a while"
    shop.clock.advance(5_000)
    assert await shop.lines.get(*at) is not None


async def test_a_gateway_with_an_unknown_driver_is_noted_and_harms_nobody_else(shop: Shop) -> None:
    change = tables.gateways.update().where(tables.gateways.c.name == "g2").values(driver="nonesuch")
    await shop.ctx.db.write(lambda connection: connection.execute(change))
    assert await shop.lines.get(shop.caller.store_id, shop.gateways["g2"]) is None
    errors = {row["name"]: row["error"] for row in await shop.rows(tables.gateways)}
    assert (errors["g1"], "nonesuch" in errors["g2"]) == (None, True)
    assert await shop.line("g1")
