import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.guards import ENOUGH, MOST_EXAMPLES, Example, Guards, Prices, archiving, may_be_too_many, prices


def test_the_real_case_of_a_file_that_lost_half_its_rows_overnight_is_held() -> None:
    held = archiving(Guards(), 8464 - 4894, 8464)
    assert held is not None
    assert (held.guard, held.affected, held.of) == ("archive", 3570, 8464)
    assert all(words in held.reason for words in ("3570 of 8464", "42 %", "30 %"))


@pytest.mark.parametrize(("archived", "held"), [(300, False), (301, True)])
def test_the_limit_itself_is_allowed(archived: int, held: bool) -> None:
    assert (archiving(Guards(), archived, 1000) is not None) is held


@pytest.mark.parametrize(("archived", "held"), [(20, False), (21, True)])
def test_a_few_products_may_always_go(archived: int, held: bool) -> None:
    assert (archiving(Guards(), archived, 21) is not None) is held


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_a_hundred_percent_switches_the_guard_off(archived: int, more: int) -> None:
    assert archiving(Guards(archive_percent=100), archived, archived + more) is None


def test_a_guard_that_nobody_knows_is_no_guard() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode('{"archivePercent": 5}', type=Guards)


def seen(changed: int, of: int, before: int | None = 10_000, after: int | None = 1_000_000) -> Prices:
    """Products that cost a hundred times as much, among others that stay."""
    found = Prices()
    for number in range(of):
        new = after if number < changed else before
        found.note(Guards(), Example(str(number), "Thing", before, new))
    return found


def test_prices_in_cents_are_held_with_some_of_them_as_examples() -> None:
    held = prices(Guards(), seen(100, 100))
    assert held is not None
    assert (held.guard, held.affected, held.of, len(held.examples)) == ("price", 100, 100, MOST_EXAMPLES)
    assert held.examples[0] == Example("0", "Thing", 10_000, 1_000_000)
    assert all(words in held.reason for words in ("100 of 100", "by more than 50 %", "limit is 50 %"))


@pytest.mark.parametrize(("before", "after"), [(1_000_000, 10_000), (10_000, 1_000_000), (0, 1)])
def test_a_price_that_falls_or_rises_beyond_the_limit_counts(before: int, after: int) -> None:
    assert seen(1, 1, before, after).changed == 1


@pytest.mark.parametrize(("before", "after"), [(10_000, 15_000), (10_000, 5_000), (0, 0), (10_000, 10_000)])
def test_a_price_that_changes_by_the_limit_itself_does_not(before: int, after: int) -> None:
    assert seen(1, 1, before, after).changed == 0


@pytest.mark.parametrize(("before", "after"), [(None, 10_000), (10_000, None)])
def test_a_product_without_a_price_before_or_after_is_not_compared(before: int | None, after: int | None) -> None:
    assert seen(1, 1, before, after).compared == 0


@pytest.mark.parametrize(
    ("changed", "of", "held"), [(50, 100, False), (51, 100, True), (19, 19, False), (20, 20, True)]
)
def test_half_of_them_may_change_and_a_few_always(changed: int, of: int, held: bool) -> None:
    assert (prices(Guards(), seen(changed, of)) is not None) is held


def test_a_hundred_percent_switches_the_guard_over_prices_off() -> None:
    assert prices(Guards(price_percent=100), seen(100, 100)) is None


@given(st.integers(1, ENOUGH), st.integers(0, ENOUGH))
def test_a_look_at_some_never_lets_go_what_is_over_the_limit_there(of: int, changed: int) -> None:
    looked = Prices(of, min(changed, of))
    if looked.changed * 2 > of:
        assert may_be_too_many(Guards(), looked)


@pytest.mark.parametrize(("changed", "doubt"), [(0, False), (150, False), (200, True), (500, True)])
def test_a_night_on_which_most_prices_stay_leaves_no_doubt(changed: int, doubt: bool) -> None:
    assert may_be_too_many(Guards(), Prices(ENOUGH, changed)) is doubt


def test_nothing_seen_is_no_reason_to_let_a_batch_go() -> None:
    assert may_be_too_many(Guards(), Prices())
