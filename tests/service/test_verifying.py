"""How a batch comes to its end: phases, progress, and what it says on the way."""

from collections.abc import AsyncIterator

import pytest

from service import sync
from service.batch_saving import LostLeaseError, Saver
from service.batches.price_guard import Choice
from service.context import Shelfcast
from service.ids import new_id
from service.store import batches, tables
from tests.shop import MINUTE, Shop, opened_shop


@pytest.fixture
async def shop(ctx: Shelfcast) -> AsyncIterator[Shop]:
    async with opened_shop(ctx, displays=4) as shop:
        await shop.bind({f"SIM00000{n}": [str(n)] for n in range(1, 5)})
        yield shop


def goods(price: str) -> list[dict[str, str]]:
    return [{"barcode": str(n), "name": f"Thing {n}", "price": price} for n in range(1, 5)]


async def test_progress_goes_through_the_phases_and_never_down(shop: Shop) -> None:
    session = await shop.batch(goods("1.00")[:2], goods("1.00")[2:])
    seen = [await shop.status(session)]
    await shop.remote.change_displays(["SIM000004"], absent=True)
    for step in (shop.save, shop.send, shop.poll, shop.poll):
        await step()
        seen.append(await shop.status(session))
    assert [status.phase for status in seen] == ["saving", "syncing", "verifying", "verifying", "verifying"]
    assert [status.progress for status in seen] == [0, 30, 80, 95, 95]
    assert [status.tags_sent for status in seen] == [0, 0, 4, 4, 4]


async def test_verification_ends_after_six_minutes_with_what_is_proven(shop: Shop) -> None:
    await shop.remote.change_displays(["SIM000004"], absent=True)
    session = await shop.batch(goods("1.00"))
    await shop.save()
    await shop.send()
    await shop.poll()
    shop.clock.advance(5 * MINUTE)
    await sync.reconcile(shop.ctx)
    assert (await shop.status(session)).status == "processing"
    shop.clock.advance(MINUTE)
    await sync.reconcile(shop.ctx)
    status = await shop.status(session)
    assert (status.status, status.tags_confirmed, status.tags_pending) == ("completed", 3, 1)
    assert (await shop.tags(session))["SIM000004"].reason == "no_proof"


async def test_verification_ends_as_soon_as_nothing_is_left_to_prove(shop: Shop) -> None:
    session = await shop.batch(goods("1.00"))
    await shop.save()
    await shop.send()
    await shop.poll()
    status = await shop.status(session)
    assert (status.status, status.phase, status.progress, status.tags_confirmed) == ("completed", None, 100, 4)


async def test_a_newer_batch_takes_the_displays_of_an_older_one_which_is_then_over(shop: Shop) -> None:
    older = await shop.batch(goods("1.00"))
    await shop.save()
    await shop.add(*goods("2.00"))
    status = await shop.status(older)
    assert (status.status, status.tags_total, status.tags_superseded, status.tags_sent) == ("completed", 4, 4, 0)


async def test_a_superseded_face_that_its_own_update_proves_after_all_is_confirmed(shop: Shop) -> None:
    """It was in the air already: shown and reported before the newer one came."""
    older = await shop.batch(goods("1.00"))
    await shop.save()
    await shop.send()
    await shop.add(*goods("2.00"))
    await shop.poll()
    status = await shop.status(older)
    assert (status.tags_confirmed, status.tags_superseded) == (4, 0)


async def test_batches_of_a_store_are_saved_in_the_order_in_which_they_were_completed(shop: Shop) -> None:
    first, second = await shop.batch(goods("1.00")), await shop.batch(goods("2.00"))
    await shop.save()
    assert (await shop.status(first)).products_created == 4
    assert (await shop.status(second)).products_updated == 4


async def test_saving_stops_when_its_time_is_over_and_goes_on_from_there(shop: Shop) -> None:
    session = await shop.batch(goods("1.00")[:2], goods("1.00")[2:])
    assert await sync.save_due(shop.ctx, shop.caller.store_id, "first", shop.clock.at + 4)
    status = await shop.status(session)
    assert (status.products_saved, status.phase, status.progress) == (2, "saving", 15)
    await shop.work()
    status = await shop.status(session)
    assert (status.products_created, status.tags_confirmed) == (4, 4)


async def test_a_saver_that_dies_between_saving_and_planning_is_followed_by_another(shop: Shop) -> None:
    await shop.bind({"SIM000001": ["1", "2"], "SIM000002": ["2", "3"]})
    session = await shop.batch(goods("1.00"))
    saver = Saver(shop.ctx, shop.caller.store_id, "dead", shop.clock.at + MINUTE)
    async with shop.ctx.db.read() as connection:
        batch = await batches.get(connection, shop.caller.store_id, session)
        pushes = await batches.pushes(connection, shop.caller.store_id, session)
    assert batch is not None
    winners = await saver._winners(session, pushes, Choice(batch))
    await shop.ctx.db.write(saver._save_some, batch, pushes, 0, winners)
    await shop.save()
    assert (await shop.status(session)).phase == "saving", "the dead saver's lease holds"
    shop.clock.advance(15_000)
    await shop.work()
    status = await shop.status(session)
    assert (status.products_created, status.products_unchanged, status.tags_confirmed) == (4, 0, 4)


async def test_one_saver_at_a_time_works_for_a_store(shop: Shop) -> None:
    session = await shop.batch(goods("1.00"))
    now = shop.clock()
    assert await shop.ctx.db.write(batches.lease_saver, shop.caller.store_id, "other", now, now + 15_000)
    await shop.save()
    assert await shop.rows(tables.products) == []
    with pytest.raises(LostLeaseError):
        await Saver(shop.ctx, shop.caller.store_id, "mine", now + MINUTE).save(session)


async def test_a_batch_whose_saving_fails_again_and_again_is_given_up_and_says_so(shop: Shop) -> None:
    broken = await shop.batch(goods("1.00"))
    damage = tables.batch_pushes.update().values(rows=b"[[0]]")
    await shop.ctx.db.write(lambda connection: connection.execute(damage))
    after = await shop.batch(goods("2.00"))
    for _ in range(5):
        with pytest.raises(Exception, match="array"):
            await sync.save_due(shop.ctx, shop.caller.store_id, new_id(), shop.clock.at + MINUTE)
        shop.clock.advance(15_000)
    status = await shop.status(broken)
    assert (status.status, status.reason is not None) == ("failed", True)
    await shop.work()
    assert (await shop.status(after)).tags_confirmed == 4


async def test_displays_of_what_was_saved_before_saving_failed_for_good_still_get_their_faces(shop: Shop) -> None:
    session = await shop.batch(goods("1.00")[:2], goods("1.00")[2:])
    await sync.save_due(shop.ctx, shop.caller.store_id, "first", shop.clock.at + 4)
    given_up = tables.batches.update().values(failures=4)
    damage = tables.batch_pushes.update().where(tables.batch_pushes.c.number == 1).values(rows=b"[[0]]")
    await shop.ctx.db.write(lambda connection: connection.execute(given_up))
    await shop.ctx.db.write(lambda connection: connection.execute(damage))
    with pytest.raises(Exception, match="array"):
        await shop.save()
    assert (await shop.status(session)).status == "failed"
    shop.clock.advance(15_000)
    await shop.work()
    assert sorted(price for price in (await shop.prices()).values() if price) == ["1.00", "1.00"]
