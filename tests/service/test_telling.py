"""What happens is told of once, in the transaction that causes it, and only where somebody wants to hear of it."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from display_drivers.base import Report
from service import sync
from service.batch_saving import Saver
from service.context import Shelfcast
from service.core.guards import Guards
from service.core.happenings import ABOUT, BATTERY_LOW, Kind
from service.store import chain_tables, tables
from service.store.database import Connection
from service.store.tables import LOW_BATTERY
from service.tenants import stores
from service.tenants.stores import NewStore
from service.webhooks import happenings
from tests.hooks import rows, subscribed, told
from tests.shop import MINUTE, Shop, milk, opened_shop

MILK = milk()["barcode"]
FIRST = "SIM000001"
EXAMPLES = {about.kind: type(about.example) for about in ABOUT}


@pytest.fixture
async def shop(ctx: Shelfcast) -> AsyncIterator[Shop]:
    async with opened_shop(ctx, displays=3) as shop:
        await shop.bind({FIRST: [MILK]})
        yield shop


def checked(kind: str, data: Any) -> Any:
    """The data, if it is as its kind documents it."""
    msgspec.convert(data, EXAMPLES[Kind(kind)])
    return data


async def test_where_nobody_wants_to_hear_nothing_is_written(shop: Shop) -> None:
    await shop.batch([milk(), milk(barcode="")])
    await shop.work()
    assert await rows(shop.ctx, chain_tables.events) == []


async def test_a_completed_batch_is_told_of_once_as_its_status_has_it(shop: Shop) -> None:
    await subscribed(shop.ctx, "batch.completed")
    session = await shop.batch([milk(), milk(barcode="2"), milk(barcode="")])
    await shop.work(2)
    status = await shop.status(session)
    [data] = [checked("batch.completed", data) for data in await told(shop.ctx)]
    assert status.status == "completed"
    members = {name: value for name, value in msgspec.to_builtins(status).items() if name in data}
    assert data == members
    assert (data["tagsConfirmed"], data["productsSaved"], data["productsRejected"]) == (1, 2, 1)


async def test_a_batch_that_a_guard_holds_is_told_of_with_its_reason(shop: Shop) -> None:
    await subscribed(shop.ctx, "batch.held", "batch.completed")
    await shop.add(*(milk(barcode=str(number)) for number in range(9)))
    limits = msgspec.json.encode(Guards(archive_percent=10, archive_at_least=0)).decode()
    await shop.ctx.db.write(lambda connection: connection.execute(tables.stores.update().values(guards=limits)))
    await shop.batch([milk(barcode="0")], mode="full")
    await shop.save()
    [data] = await told(shop.ctx)
    assert (checked("batch.held", data)["status"], data["completedAt"]) == ("held", None)
    assert "off sale" in data["reason"]


async def test_a_batch_that_cannot_be_saved_is_told_of_once(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    await subscribed(shop.ctx, "batch.failed")

    async def fail(_self: Saver, _batch_id: str) -> bool:
        raise ZeroDivisionError

    monkeypatch.setattr(Saver, "save", fail)
    await shop.batch([milk()])
    for _ in range(7):
        with pytest.raises(ZeroDivisionError):
            await shop.save()
        shop.clock.advance(MINUTE)
    [data] = await told(shop.ctx)
    assert checked("batch.failed", data)["status"] == "failed"
    assert "ZeroDivisionError" in data["reason"]


async def test_rows_that_a_batch_refuses_are_one_event_whoever_refused_them(shop: Shop) -> None:
    await subscribed(shop.ctx, "product.rejected")
    bad = [milk(barcode="", price=str(number)) for number in range(12)]
    session = await shop.batch([milk(), *bad[:3]], bad[3:])
    assert await told(shop.ctx) == []
    await shop.work()
    [data] = await told(shop.ctx)
    assert (checked("product.rejected", data)["source"], data["sessionId"]) == ("batch", session)
    assert (data["received"], data["rejected"], len(data["rows"])) == (13, 12, 10)
    assert [(row["push"], row["index"]) for row in data["rows"]][:4] == [(0, 1), (0, 2), (0, 3), (1, 0)]


async def test_rows_that_an_add_refuses_are_one_event_even_where_all_are(shop: Shop) -> None:
    await subscribed(shop.ctx, "product.rejected")
    await shop.add(milk(price="a lot"), milk(barcode="", price="2"))
    await shop.update({"barcode": "unknown", "stock": "1"})
    await shop.add(milk())
    first, second = [checked("product.rejected", data) for data in await told(shop.ctx)]
    assert (first["source"], first["received"], first["rejected"]) == ("add", 2, 2)
    assert (second["source"], second["rows"][0]["code"]) == ("update", "unknown_product")


async def test_displays_that_are_proven_together_are_one_event(shop: Shop) -> None:
    await subscribed(shop.ctx, "display.confirmed")
    await shop.bind({"SIM000002": [MILK]})
    await shop.add(milk())
    await shop.work(2)
    [data] = await told(shop.ctx)
    shown = {one["address"]: one for one in checked("display.confirmed", data)["displays"]}
    assert set(shown) == {FIRST, "SIM000002"}
    display = await shop.display()
    one = shown[FIRST]
    assert (one["displayId"], one["shows"], one["proof"]) == (display["id"], display["shown_digest"], "displayed")


async def test_a_hundred_displays_are_one_event_and_the_next_another(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.webhooks.telling.MOST_DISPLAYS", 2)
    await subscribed(shop.ctx, "display.confirmed")
    await shop.bind({"SIM000002": [MILK], "SIM000003": [MILK]})
    await shop.add(milk())
    await shop.work()
    assert [len(data["displays"]) for data in await told(shop.ctx)] == [2, 1]


async def reported(shop: Shop, battery: int | None) -> None:
    await sync.hear(shop.ctx, await shop.line(), [Report(FIRST, shop.clock(), battery=battery)])


async def test_a_battery_is_told_of_each_time_that_it_becomes_low(shop: Shop) -> None:
    await subscribed(shop.ctx, "display.battery_low")
    for battery in (None, 20, 19, 18, None, 25, 7):
        await reported(shop, battery)
    events = [checked("display.battery_low", data) for data in await told(shop.ctx)]
    assert [data["displays"][0]["battery"] for data in events] == [19, 7]
    assert events[0]["displays"][0]["address"] == FIRST


async def test_a_battery_that_is_low_when_it_is_first_heard_of_is_told_of(shop: Shop) -> None:
    await subscribed(shop.ctx, "display.battery_low")
    await reported(shop, 3)
    assert len(await told(shop.ctx)) == 1


def test_low_is_the_same_for_lists_and_for_webhooks() -> None:
    assert BATTERY_LOW == LOW_BATTERY


async def away(shop: Shop, polls: int) -> None:
    """The gateway does not answer so many polls."""
    await shop.line()
    await shop.remote.change("g1", reach="closed")
    for _ in range(polls):
        await shop.poll(audit=True)


async def test_a_gateway_that_stays_away_is_told_of_once_and_so_is_its_return(shop: Shop) -> None:
    await subscribed(shop.ctx, "gateway.offline", "gateway.online")
    await away(shop, 5)
    await shop.remote.change("g1", reach="up")
    await shop.ask(audit=True)
    await shop.ask(audit=True)
    offline, online = await told(shop.ctx)
    assert checked("gateway.offline", offline)["gateway"] == "g1"
    assert checked("gateway.online", online)["since"] == offline["since"]
    assert online["awaySeconds"] > 300


async def test_a_gateway_that_is_back_soon_is_not_told_of(shop: Shop) -> None:
    await subscribed(shop.ctx, "gateway.offline", "gateway.online")
    await away(shop, 1)
    assert (await shop.rows(tables.gateways))[0]["unreachable_since"]
    await shop.remote.change("g1", reach="up")
    await shop.ask(audit=True)
    assert await told(shop.ctx) == []


async def test_a_gateway_that_is_maintained_is_not_told_of(shop: Shop) -> None:
    await subscribed(shop.ctx, "gateway.offline", "gateway.online")
    line = await shop.line()
    change = tables.gateways.update().values(maintenance_since=shop.clock())
    await shop.ctx.db.write(lambda connection: connection.execute(change))
    await shop.remote.change("g1", reach="closed")
    for _ in range(5):
        shop.clock.advance(16 * MINUTE)
        await sync.ask(shop.ctx, line, audit=True)
    await shop.remote.change("g1", reach="up")
    shop.clock.advance(16 * MINUTE)
    await sync.ask(shop.ctx, line, audit=True)
    assert await told(shop.ctx) == []


async def rounds(shop: Shop, count: int) -> None:
    """Rounds of workers, ten minutes after each other."""
    for _ in range(count):
        shop.clock.advance(10 * MINUTE)
        await shop.send()
        await shop.poll()
        await sync.reconcile(shop.ctx)


async def test_a_display_that_never_shows_its_face_is_told_of_once_for_each_face(shop: Shop) -> None:
    await subscribed(shop.ctx, "display.overdue")
    await shop.remote.change("g1", drop=1.0)
    await shop.add(milk())
    await rounds(shop, 2)
    assert await told(shop.ctx) == []
    await rounds(shop, 3)
    await shop.add(milk("1.39"))
    await rounds(shop, 5)
    first, second = [checked("display.overdue", data)["displays"] for data in await told(shop.ctx)]
    assert [one["address"] for one in first + second] == [FIRST, FIRST]
    assert first[0]["attempts"] > 1
    assert (first[0]["reason"], second[0]["wants"]) == ("no_proof", (await shop.display())["desired_digest"])
    assert first[0]["wants"] != second[0]["wants"]


async def test_a_display_that_waits_for_its_gateway_is_told_of_once_the_gateway_is_back(shop: Shop) -> None:
    await subscribed(shop.ctx, "display.overdue")
    await shop.line()
    await shop.remote.change("g1", reach="closed", drop=1.0)
    await shop.add(milk())
    await rounds(shop, 5)
    assert await told(shop.ctx) == []
    await shop.remote.change("g1", reach="up")
    await rounds(shop, 1)
    assert len(await told(shop.ctx)) == 1


async def test_who_asks_later_is_told_what_is_overdue_by_then(shop: Shop) -> None:
    await shop.remote.change("g1", drop=1.0)
    await shop.add(milk())
    await rounds(shop, 5)
    await subscribed(shop.ctx, "display.overdue")
    await rounds(shop, 2)
    assert len(await told(shop.ctx)) == 1


async def test_a_display_that_is_right_is_not_told_of(shop: Shop) -> None:
    await subscribed(shop.ctx, "display.overdue")
    await shop.add(milk())
    await rounds(shop, 6)
    assert await told(shop.ctx) == []


async def test_what_is_rolled_back_was_never_told(shop: Shop) -> None:
    await subscribed(shop.ctx, "batch.completed")

    async def work(connection: Connection) -> None:
        await happenings.tell(connection, shop.caller.store_id, 1, "batch.completed", {})
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await shop.ctx.db.write(work)
    assert await rows(shop.ctx, chain_tables.events) == []


async def test_an_event_goes_to_each_endpoint_that_wants_it_and_to_no_other(shop: Shop) -> None:
    ctx = shop.ctx
    await stores.create_store(ctx, NewStore(slug="other"))
    wanted = {
        await subscribed(ctx),
        await subscribed(ctx, "batch.held", "gateway.online"),
        await subscribed(ctx, "gateway.online", store="shop"),
    }
    await subscribed(ctx, "gateway.online", store="other")
    await subscribed(ctx, "batch.held")
    await subscribed(ctx, operator=True)
    await subscribed(ctx, disabled_at=1)
    await ctx.db.write(happenings.tell, shop.caller.store_id, 1, "gateway.online", {"some": "data"})
    [event] = await rows(ctx, chain_tables.events)
    deliveries = await rows(ctx, chain_tables.deliveries)
    assert {one["webhook_id"] for one in deliveries} == wanted
    assert {one["event_id"] for one in deliveries} == {event["id"]}
    assert (event["organisation_id"], event["data"]) == (shop.caller.organisation_id, '{"some":"data"}')


async def test_the_operator_hears_of_requests_for_production_of_every_chain(shop: Shop) -> None:
    operator = await subscribed(shop.ctx, operator=True)
    await shop.ctx.db.write(happenings.tell, shop.caller.store_id, 1, "production.requested", {})
    [one] = await rows(shop.ctx, chain_tables.deliveries)
    assert one["webhook_id"] == operator
