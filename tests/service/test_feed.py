"""The POS's verbs: what is answered, what is repeated, and whose data it is."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from service import feed
from service.context import Shelfcast, opened
from service.errors import ConflictError, NotFoundError, TooLargeError, ValidationError
from service.gateways import gateway_setup
from service.ids import new_id
from service.messages import Window
from service.settings import Settings
from service.shelves import floor
from service.store import tables
from service.tenants import stores, tokens
from service.tenants.stores import NewStore
from service.tenants.tokens import Caller
from tests.shop import Shop, authenticate, milk, opened_shop, raw


@pytest.fixture
async def shop(on_sqlite: Settings) -> AsyncIterator[Shop]:
    async with opened(on_sqlite) as ctx, opened_shop(ctx, displays=1) as shop:
        await shop.bind({"SIM000001": [milk()["barcode"]]})
        yield shop


async def started(shop: Shop, expected: int | None = None) -> str:
    return (await feed.start(shop.ctx, shop.caller, "night", "merge", expected)).session_id


# Repeating


@pytest.mark.parametrize("how", [{"key": "k1"}, {"sequence": 7}, {"key": "k1", "sequence": 7}])
async def test_a_repeated_push_is_answered_as_the_first_time_and_counted_once(shop: Shop, how: dict) -> None:
    session = await started(shop)
    first = await shop.push(session, milk(), {"barcode": "bad"}, **how)
    assert await shop.push(session, milk(), {"barcode": "bad"}, **how) == first
    status = await shop.status(session)
    assert (status.pushes, status.products_received, status.products_rejected) == (1, 2, 1)


@pytest.mark.parametrize("end", [feed.complete, feed.cancel])
async def test_a_repeated_push_is_answered_after_the_session_has_ended_too(
    shop: Shop, end: Callable[..., Awaitable[object]]
) -> None:
    session = await started(shop)
    first = await shop.push(session, milk(), key="k1")
    await end(shop.ctx, shop.caller, session)
    await shop.work()
    assert await shop.push(session, milk(), key="k1") == first
    with pytest.raises(ConflictError):
        await shop.push(session, milk(), key="k2")


@pytest.mark.parametrize("how", [{"key": "k1"}, {"sequence": 7}])
async def test_the_same_key_or_sequence_with_another_body_is_a_conflict(shop: Shop, how: dict) -> None:
    session = await started(shop)
    await shop.push(session, milk("1.00"), **how)
    with pytest.raises(ConflictError):
        await shop.push(session, milk("2.00"), **how)
    assert (await shop.status(session)).pushes == 1


async def test_a_key_is_the_sessions_own(shop: Shop) -> None:
    for session in (await started(shop), await started(shop)):
        await shop.push(session, milk(), key="k1")
        assert (await shop.status(session)).pushes == 1


async def test_completing_again_gives_the_same_answer_at_any_time(shop: Shop) -> None:
    session = await started(shop)
    await shop.push(session, milk())
    first = await feed.complete(shop.ctx, shop.caller, session)
    assert await feed.complete(shop.ctx, shop.caller, session) == first
    await shop.work()
    assert await feed.complete(shop.ctx, shop.caller, session) == first


async def test_a_batch_that_lacks_expected_products_stays_open(shop: Shop) -> None:
    session = await started(shop, expected=2)
    await shop.push(session, milk())
    with pytest.raises(ConflictError, match="1 of 2"):
        await feed.complete(shop.ctx, shop.caller, session)
    await shop.push(session, {"barcode": "bad"})
    assert (await feed.complete(shop.ctx, shop.caller, session)).status == "processing"


async def test_a_push_may_be_empty_and_an_add_may_not(shop: Shop) -> None:
    session = await started(shop)
    assert (await shop.push(session)).received == 0
    with pytest.raises(ValidationError):
        await shop.add()


async def test_more_than_a_thousand_products_are_too_large(shop: Shop) -> None:
    session = await started(shop)
    many = [milk()] * 1001
    for verb in (shop.push(session, *many), shop.add(*many), shop.update(*many)):
        with pytest.raises(TooLargeError):
            await verb


async def test_refused_rows_are_listed_by_push_and_row_and_paged(shop: Shop) -> None:
    session = await started(shop)
    await shop.push(session, {"barcode": "a"}, milk(), {"barcode": "b"})
    await shop.push(session, {"barcode": "c"})
    first = await feed.errors(shop.ctx, shop.caller, session, Window(per_page=3))
    rest = await feed.errors(shop.ctx, shop.caller, session, Window(per_page=3, cursor=first.meta.next))
    rows = [(row.push, row.index, row.barcode, row.field) for row in first.data + rest.data]
    expected = [(0, 0, "a"), (0, 2, "b"), (1, 0, "c")]
    assert sorted(rows) == [(*place, field) for place in expected for field in ("name", "price")]
    assert (first.meta.total, rest.meta.next) == (6, None)


# Whose data it is: promise 6


@pytest.fixture
async def neighbour(shop: Shop) -> Caller:
    """Another store of the same organisation."""
    return await caller_of(shop.ctx, "neighbour")


async def caller_of(ctx: Shelfcast, slug: str) -> Caller:
    await stores.create_store(ctx, NewStore(slug=slug, sandbox=True))
    return await authenticate(ctx, (await tokens.issue(ctx, slug, "pos")).token)


@pytest.mark.parametrize("session", ["theirs", "unknown", "malformed"])
async def test_a_session_of_another_store_is_as_unknown_as_one_that_never_was(
    shop: Shop, neighbour: Caller, session: str
) -> None:
    known = {"theirs": await started(shop), "unknown": new_id(), "malformed": "../../etc"}[session]
    ctx, window = shop.ctx, Window()
    verbs = [
        feed.push(ctx, neighbour, known, [raw(milk())], body_hash="h"),
        feed.complete(ctx, neighbour, known),
        feed.cancel(ctx, neighbour, known),
        feed.status(ctx, neighbour, known),
        feed.errors(ctx, neighbour, known, window),
        feed.displays_of(ctx, neighbour, known, None, window),
    ]
    for verb in verbs:
        with pytest.raises(NotFoundError):
            await verb
    assert [row["status"] for row in await shop.rows(tables.batches)] in (["open"], [])


async def test_the_same_barcode_in_two_stores_is_two_products(shop: Shop, neighbour: Caller) -> None:
    await shop.add(milk("1.00"))
    answer = await feed.change(shop.ctx, neighbour, "whole", [raw(milk("9.99"))])
    assert (answer.created, answer.tags) == (1, 0)
    await shop.work()
    assert (await shop.prices())["SIM000001"] == "1.00"


async def test_a_full_batch_archives_nothing_of_another_store(shop: Shop, neighbour: Caller) -> None:
    await shop.add(milk("1.00"))
    session = await feed.start(shop.ctx, neighbour, None, "full", None)
    await feed.complete(shop.ctx, neighbour, session.session_id)
    await shop.work()
    assert [row["archived_at"] for row in await shop.rows(tables.products)] == [None]


async def test_a_display_of_another_store_can_be_neither_taken_nor_bound(shop: Shop, neighbour: Caller) -> None:
    await gateway_setup.add_to(shop.ctx, "neighbour", "g1", "simulator", {"url": shop.ready.gateways["g1"]})
    line = (1, {"address": "SIM000001", "gateway": "g1", "panel": "296x128-BWR"})
    taken = await floor.import_displays(shop.ctx, "neighbour", [line], by="test")
    bound = await floor.bind(shop.ctx, "neighbour", [(1, {"address": "SIM000001", "barcode": "2"})], by="test")
    assert (len(taken.refused), len(bound.refused)) == (1, 1)


async def test_numbers_of_one_stores_rows_do_not_move_with_anothers(shop: Shop, neighbour: Caller) -> None:
    await feed.change(shop.ctx, neighbour, "whole", [raw(milk())] * 50)
    await shop.add(milk())
    assert [row["received_seq"] for row in await shop.rows(tables.products)] == [1]
