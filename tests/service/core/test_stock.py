import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.problems import RefusedError
from service.core.quantities import parse_quantity
from service.core.stock import added

DECIMALS = 18
quantities = st.integers(-(10**29), 10**29).map(
    lambda whole: parse_quantity(
        f"{'-' if whole < 0 else ''}{abs(whole) // 10**DECIMALS}.{abs(whole) % 10**DECIMALS:018}"
    )
)


def scaled(text: str) -> int:
    """In units of the last decimal."""
    whole, _, fraction = text.partition(".")
    return int(whole + fraction.ljust(DECIMALS, "0"))


@given(quantities, quantities)
def test_a_sum_is_exact_and_written_as_quantities_are(stock: str, difference: str):
    total = added(stock, difference)
    assert scaled(total) == scaled(stock) + scaled(difference)
    assert parse_quantity(total) == total


def test_what_is_added_and_taken_away_again_is_as_before():
    assert added(added("0.1", "0.2"), "-0.3") == "0"


def test_a_sum_that_no_quantity_can_be_is_refused():
    with pytest.raises(RefusedError):
        added("999999999999", "1")
