import contextlib
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.importing.numbers import decided, plain
from service.importing.outcomes import Fault, RowError


@pytest.mark.parametrize(
    ("written", "meant", "currency"),
    [
        ("1.234,50 €", "1234.50", "EUR"),
        ("£4,250.00", "4250.00", "GBP"),
        ("$25.00", "25.00", None),
        ("0,123", "0.123", None),
        ("12,5", "12.5", None),
        ("1'234.50", "1234.50", None),
        ("1\u00a0234,50 kn", "1234.50", None),
        ("999.00 EUR", "999.00", "EUR"),
        ("EUR 12.99", "12.99", "EUR"),
        ("12,-", "12", None),
        ("CHF 4.-", "4", "CHF"),
        ("3,20 zł", "3.20", "PLN"),
        ("-1,5", "-1.5", None),
        ("\u22123", "-3", None),
        ("1,234,567", "1234567", None),
        ("1,00,000.00", "100000.00", None),
        ("1.234.567", "1234567", None),
    ],
)
def test_what_can_be_read_in_one_way_is_read_so_whatever_the_column_says(written, meant, currency):
    assert {plain(written, decimal, "price") for decimal in (None, ".", ",")} == {(meant, currency)}


def test_a_group_of_three_is_read_as_the_column_says_and_refused_where_it_says_nothing():
    assert plain("1,234", ".", "price") == ("1234", None)
    assert plain("1,234", ",", "price") == ("1.234", None)
    assert plain("4.589", ".", "price") == ("4.589", None)
    with pytest.raises(RowError) as caught:
        plain("1,234", None, "price")
    assert (caught.value.field, caught.value.code) == ("price", Fault.AMBIGUOUS_NUMBER)


@pytest.mark.parametrize("text", ["variable", "1.2.3", "12.50/kg", "5 %", "1 2", "1e5", "٣", "", "1,2,3", "x" * 99])
def test_what_is_no_number_stays_as_it_is_written(text):
    assert plain(text, ".", "price") == (text.strip(), None)


@pytest.mark.parametrize(
    ("column", "sign"),
    [
        (["1,234", "12,5"], ","),
        (["1,234", "1.5"], "."),
        (["1,234", "2,000"], None),
        (["12", "abc", ""], None),
        (["1,5", "1.5"], None),
        (["1,5"] * 20 + ["1.5"], ","),
        (["1.234.567"], ","),
    ],
)
def test_a_column_is_decided_by_its_numbers_that_can_be_read_in_one_way(column, sign):
    assert decided(column) == sign


amounts = st.decimals(min_value=0, max_value=9_999_999, places=2)


@given(
    amounts, st.sampled_from([(",", "."), (".", ","), (" ", ","), ("'", "."), ("\u00a0", ","), ("", ","), ("", ".")])
)
def test_every_amount_of_two_decimals_is_read_exactly(amount: Decimal, marks: tuple[str, str]):
    thousands, mark = marks
    whole, _, fraction = f"{amount:,}".partition(".")
    written = whole.replace(",", thousands) + mark + fraction
    assert plain(f"{written} €", None, "price") == (str(amount), "EUR")


@given(st.text(max_size=70), st.sampled_from([None, ".", ","]))
def test_no_text_is_too_strange(text, decimal):
    with contextlib.suppress(RowError):  # ambiguous
        assert plain(text, decimal, "price")[0] == plain(text, decimal, "price")[0].strip()
