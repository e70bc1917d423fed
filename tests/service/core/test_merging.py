from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.merging import STALE, content_hash, merge
from service.core.product import WHOLE_PRICE, Problem, Product, Row, StoreFacts
from service.core.sales import effective

STORE = StoreFacts()
CHEESE = Product("1", name="Cheese", price=100_000, currency="EUR")

prices = st.none() | st.integers(1, 5)
changes = st.fixed_dictionaries(
    {},
    optional={
        "name": st.sampled_from(["Cheese", "Old cheese"]),
        "price": prices,
        "sale_price": prices,
        "on_sale": st.none() | st.booleans(),
        "sale_start": prices,
        "sale_end": prices,
        "unit_price": prices,
        "alternate_barcodes": st.none() | st.just(["7", "8"]),
        "attributes": st.none() | st.just({"a": 1}),
        "source_updated_at": prices,
    },
)


def row(**fields: Any) -> Row:
    return Row(3, "1", fields)


def whole(**fields: Any) -> Row:
    return row(**(dict.fromkeys(WHOLE_PRICE) | fields))


def test_a_new_product_is_what_its_row_says():
    assert merge(None, whole(name="Cheese", price=100_000), STORE) == CHEESE


def test_absent_keeps_and_null_clears():
    product = msgspec.structs.replace(CHEESE, stock="5", brand="A", alternate_barcodes=("2",), attributes={"a": 1})
    merged = merge(product, row(brand=None, alternate_barcodes=None, attributes=None), STORE)
    assert merged == msgspec.structs.replace(CHEESE, stock="5")


def test_a_whole_row_ends_a_sale_that_it_does_not_name():
    product = msgspec.structs.replace(CHEESE, sale_price=50_000, sale_end=99)
    assert merge(product, whole(name="Cheese", price=100_000), STORE) == CHEESE


@given(changes, changes)
def test_the_same_row_again_changes_nothing(first, second):
    once = merge(merge_or(CHEESE, first), row(**second), STORE)
    if isinstance(once, Product):
        assert merge(once, row(**second), STORE) == once


def merge_or(product: Product, fields: dict[str, Any]) -> Product:
    merged = merge(product, row(**fields), STORE)
    return merged if isinstance(merged, Product) else product


@given(changes)
def test_a_row_means_the_same_after_it_has_been_stored(fields):
    stored = msgspec.json.decode(msgspec.json.encode(row(**fields)), type=Row)
    assert merge(CHEESE, stored, STORE) == merge(CHEESE, row(**fields), STORE)


@given(changes)
def test_whatever_is_merged_has_a_name_and_a_price(fields):
    merged = merge(CHEESE, row(**fields), STORE)
    if isinstance(merged, Product):
        assert merged.name
        assert merged.price is not None or merged.sale_price is not None


@pytest.mark.parametrize(
    ("product", "fields", "field", "code"),
    [
        (None, {"price": 1}, "name", "unknown_product"),
        (None, {"name": "Cheese"}, "price", "unknown_product"),
        (CHEESE, {"price": None}, "price", "required"),
        (CHEESE, {"sale_price": 1, "sale_start": 5, "sale_end": 5}, "saleEnd", "ends_before_start"),
    ],
)
def test_a_product_that_cannot_be_so_is_a_problem_of_the_row(product, fields, field, code):
    merged = merge(product, row(**fields), STORE)
    assert isinstance(merged, Problem)
    assert (merged.index, merged.barcode, merged.field, merged.code) == (3, "1", field, code)


def test_a_row_older_by_its_source_is_stale():
    product = msgspec.structs.replace(CHEESE, source_updated_at=10)
    assert merge(product, row(price=1, source_updated_at=9), STORE) is STALE
    assert merge(product, row(price=1, source_updated_at=10), STORE) is not STALE


def test_a_row_without_a_source_time_keeps_the_known_one():
    product = msgspec.structs.replace(CHEESE, source_updated_at=10)
    for fields in ({"price": 1}, {"price": 1, "source_updated_at": None}):
        assert merge(product, row(**fields), STORE).source_updated_at == 10


def test_a_lower_sale_price_alone_keeps_the_price_to_strike_through():
    merged = merge(CHEESE, whole(name="Cheese", sale_price=80_000), STORE)
    assert (merged.price, merged.sale_price) == (100_000, 80_000)


def test_a_whole_price_stated_by_a_sale_price_alone_is_never_undercut_by_an_older_price():
    merged = merge(CHEESE, whole(name="Cheese", sale_price=120_000), STORE)
    assert effective(merged, now=0).price == 120_000


def test_a_patch_with_a_sale_price_that_is_not_lower_shows_the_price():
    assert effective(merge(CHEESE, row(sale_price=120_000), STORE), now=0).price == 100_000


def test_equal_products_hash_equal_in_any_order_of_fields():
    one = msgspec.structs.replace(CHEESE, attributes={"a": 1, "b": {"c": 2, "d": 3}})
    other = msgspec.structs.replace(CHEESE, attributes={"b": {"d": 3, "c": 2}, "a": 1})
    assert content_hash(one) == content_hash(other)


def test_the_hash_is_the_same_in_every_process():
    assert content_hash(CHEESE) == "88c58f0f3c62ad89d03396fe03630b16"


def test_every_change_but_the_source_time_changes_the_hash():
    other = msgspec.structs.replace(CHEESE, stock="1")
    later = msgspec.structs.replace(CHEESE, source_updated_at=5)
    assert content_hash(CHEESE) == content_hash(later) != content_hash(other)
