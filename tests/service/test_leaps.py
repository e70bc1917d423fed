"""A machine's clock that is set ahead: nobody takes over what its holder is in the middle of."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import pytest

from service import sending, sync
from service.context import Shelfcast
from service.leaps import Leaps
from tests.shop import MINUTE, Shop, milk, opened_shop

BARCODE = milk()["barcode"]
HOUR = 60 * MINUTE


class Watch:
    """A steady clock and that of the wall, in milliseconds."""

    def __init__(self) -> None:
        self.steady, self.wall = 5_000, 1_000_000

    def pass_(self, milliseconds: int) -> None:
        self.steady += milliseconds
        self.wall += milliseconds


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def leaps(watch: Watch) -> Leaps:
    made = Leaps(15, lambda: watch.steady / 1000)
    assert made.lately(watch.wall) == 0
    return made


def test_time_that_passes_is_no_leap(watch: Watch, leaps: Leaps) -> None:
    for step in (1, 200, 20_000, HOUR):
        watch.pass_(step)
        assert leaps.lately(watch.wall) == 0


def test_a_leap_counts_for_the_length_of_a_lease(watch: Watch, leaps: Leaps) -> None:
    watch.wall += HOUR
    assert leaps.lately(watch.wall) == HOUR
    watch.pass_(14_000)
    assert leaps.lately(watch.wall) == HOUR
    watch.pass_(1_000)
    assert leaps.lately(watch.wall) == 0


def test_leaps_add_up(watch: Watch, leaps: Leaps) -> None:
    watch.wall += 1_000
    leaps.lately(watch.wall)
    watch.pass_(5_000)
    watch.wall += 2_000
    assert leaps.lately(watch.wall) == 3_000


@pytest.mark.parametrize("step", [200, -500, -HOUR])
def test_a_correction_and_a_clock_that_is_turned_back_are_none(watch: Watch, leaps: Leaps, step: int) -> None:
    watch.wall += step
    assert leaps.lately(watch.wall) == 0


@dataclass
class Set:
    """By how many seconds the shop's clock was set ahead in all."""

    ahead: float = 0.0


@pytest.fixture
def clock() -> Set:
    return Set()


@pytest.fixture
async def shop(ctx: Shelfcast, clock: Set) -> AsyncIterator[Shop]:
    async with opened_shop(ctx, displays=1) as shop:
        await shop.bind({"SIM000001": [BARCODE]})
        shop.ctx = replace(shop.ctx, leaps=Leaps(shop.ctx.settings.lease, lambda: shop.clock.at / 1000 - clock.ahead))
        yield shop


async def claimed(shop: Shop) -> bool:
    """Whether another worker would push now."""
    now = shop.clock()
    line = await shop.line()
    return bool(await shop.ctx.db.write(sending.claim, line.at, 10, now, now + 15_000, shop.ctx.leaps.lately(now)))


async def test_a_push_under_way_is_not_joined_by_another_when_the_clock_is_set_ahead(shop: Shop, clock: Set) -> None:
    await sync.reconcile(shop.ctx)
    await shop.add(milk("1.00"))
    assert await claimed(shop), "by a worker that is in the middle of it"
    shop.clock.advance(MINUTE)
    clock.ahead += 60
    assert not await claimed(shop)
    shop.clock.advance(14_000)
    assert not await claimed(shop)
    shop.clock.advance(2_000)
    assert await claimed(shop), "as its lease has ended"
