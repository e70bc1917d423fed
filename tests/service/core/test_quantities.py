from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.money import Number
from service.core.problems import Code, RefusedError
from service.core.quantities import base_unit, parse_quantity, price_per_base_unit


@given(st.decimals(min_value=-(10**11), max_value=10**11, places=6))
def test_a_quantity_is_exact_and_canonical(amount):
    text = parse_quantity(f"{amount:f}")
    assert Decimal(text) == amount
    assert parse_quantity(text) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(12, "12"), (-23, "-23"), ("0012.50", "12.5"), (Number("12.5"), "12.5"), ("-0.0", "0"), ("-0.5", "-0.5")],
)
def test_one_quantity_has_one_text(value, text):
    assert parse_quantity(value) == text


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("12,5", Code.NOT_A_NUMBER),
        ("NaN", Code.NOT_A_NUMBER),
        ("1e3", Code.NOT_A_NUMBER),
        ("٣", Code.NOT_A_NUMBER),
        (10**12, Code.TOO_LARGE),
        (-(10**12), Code.TOO_LARGE),
        ("9" * 13, Code.TOO_LARGE),
        ("9" * 5000, Code.TOO_LARGE),
        ("0." + "1" * 19, Code.TOO_MANY_DECIMALS),
        (True, Code.WRONG_TYPE),
        (None, Code.WRONG_TYPE),
    ],
)
def test_what_is_no_quantity_is_refused_with_its_reason(value, code):
    with pytest.raises(RefusedError) as refused:
        parse_quantity(value)
    assert refused.value.code is code


@pytest.mark.parametrize(
    ("price", "content", "unit", "per_base"),
    [
        (28_500, "0.25", "kg", 114_000),
        (28_500, "250", "g", 114_000),
        (10_000, "330", "ml", 30_303),
        (10_000, "33", "cl", 30_303),
        (19_900, "6", "kom", 3_316),
        (19_900, "1", "pcs", None),
        (19_900, "1", "L", 19_900),
        (19_900, "3", "rolls", None),
        (19_900, None, "kg", None),
        (19_900, "2", None, None),
        (19_900, "0", "kg", None),
        (10_000_000, "0.000001", "g", None),
    ],
)
def test_the_price_of_a_base_unit_is_computed_where_it_can_be(price, content, unit, per_base):
    assert price_per_base_unit(price, content, unit) == per_base


def test_units_are_named_as_a_shelf_names_them():
    assert [base_unit(unit) for unit in ("g", "ML", "Kom.", "box", None)] == ["kg", "l", "pcs", None, None]
