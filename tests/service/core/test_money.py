from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.money import (
    MAX_PRICE,
    Number,
    decimal_text,
    digits,
    exact_text,
    parse_price,
    shown,
)
from service.core.problems import Code, RefusedError

prices = st.integers(min_value=0, max_value=MAX_PRICE)


def refusal(value: object, currency: str = "EUR") -> Code:
    with pytest.raises(RefusedError) as refused:
        parse_price(value, currency)
    assert refused.value.detail.endswith(".")
    return refused.value.code


@pytest.mark.parametrize(
    "value", ["46.50", "46.5", "46.500", "46.500000", "046.5", " 46.50 ", Number("46.5"), {"amount": "46.5"}]
)
def test_one_price_written_in_many_ways_is_one_price(value):
    assert parse_price(value, "EUR") == 465_000


def test_an_integer_is_a_price():
    assert parse_price(12, "EUR") == parse_price({"amount": 12, "currency": "eur"}, "EUR") == 120_000


@given(prices)
def test_what_is_written_exactly_is_read_back(units):
    assert parse_price(exact_text(units), "EUR") == parse_price(Number(exact_text(units)), "EUR") == units


@given(st.decimals(min_value=0, max_value=9_999_999, places=4))
def test_a_price_is_what_decimal_arithmetic_says(amount):
    assert parse_price(f"{amount:f}", "EUR") == int(amount * 10_000)


@given(st.text(max_size=60))
def test_any_text_is_a_price_or_refused(text):
    try:
        units = parse_price(text, "EUR")
    except RefusedError:
        return
    assert units == Decimal(text.strip(" ")) * 10_000


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("-1", Code.NEGATIVE),
        (-1, Code.NEGATIVE),
        (Number("-0.01"), Code.NEGATIVE),
        ("NaN", Code.NOT_A_PRICE),
        ("Infinity", Code.NOT_A_PRICE),
        ("1_000", Code.NOT_A_PRICE),
        ("٤٦", Code.NOT_A_PRICE),
        ("٤٦.٤", Code.NOT_A_PRICE),
        ("²", Code.NOT_A_PRICE),
        ("1e3", Code.NOT_A_PRICE),
        (Number("1e3"), Code.NOT_A_PRICE),
        ("1 000", Code.NOT_A_PRICE),
        ("46,50", Code.NOT_A_PRICE),
        ("", Code.NOT_A_PRICE),
        (".", Code.NOT_A_PRICE),
        ("5.", Code.NOT_A_PRICE),
        (".5", Code.NOT_A_PRICE),
        ("+5", Code.NOT_A_PRICE),
        ("1.2.3", Code.NOT_A_PRICE),
        ("5\n", Code.NOT_A_PRICE),
        ("\x005", Code.NOT_A_PRICE),
        ({"currency": "EUR"}, Code.NOT_A_PRICE),
        ({"amount": 1, "value": 2}, Code.NOT_A_PRICE),
        ("1.00001", Code.TOO_MANY_DECIMALS),
        ("9" * 30, Code.TOO_LARGE),
        (int("9" * 30), Code.TOO_LARGE),
        ("9" * 5000, Code.TOO_LARGE),
        ("9999999.9901", Code.TOO_LARGE),
        ("10000000", Code.TOO_LARGE),
        (10_000_000, Code.TOO_LARGE),
        (True, Code.WRONG_TYPE),
        ([1], Code.WRONG_TYPE),
        ({"amount": None}, Code.WRONG_TYPE),
        ({"amount": True}, Code.WRONG_TYPE),
        ({"amount": {"amount": 1}}, Code.WRONG_TYPE),
        ({"amount": 1, "currency": 978}, Code.WRONG_TYPE),
        ({"amount": 1, "currency": "HRK"}, Code.FOREIGN_CURRENCY),
    ],
)
def test_what_is_no_price_is_refused_with_its_reason(value, code):
    assert refusal(value) is code


def test_the_highest_price_is_taken():
    assert parse_price("9999999.99", "EUR") == MAX_PRICE


def test_a_negative_zero_is_zero():
    assert parse_price(Number("-0.0"), "EUR") == 0


@given(prices, st.sampled_from(["EUR", "JPY", "KWD", "CLF"]))
def test_a_shelf_shows_prices_rounded_half_up(units, currency):
    places = Decimal(1).scaleb(-digits(currency))
    rounded = (Decimal(units) / 10_000).quantize(places, rounding=ROUND_HALF_UP)
    assert decimal_text(units, currency) == f"{rounded:f}"
    assert shown(units, currency) == int(rounded.scaleb(digits(currency)))


def test_4_589_euro_are_kept_exactly_and_shown_as_4_59():
    assert (exact_text(45_890), decimal_text(45_890, "EUR")) == ("4.589", "4.59")
