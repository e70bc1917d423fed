import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.fields import FIELDS
from service.core.product import WHOLE_PRICE, Product, StoreFacts
from service.core.rows import MAX_PROBLEMS, MAX_ROW, parse_rows

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
plausible = st.sampled_from(["1", "46.50", "0", "-1", "2026-08-22", "EUR", "kg", 0, 12, 1.5, True, [], ["1"], {}])
feed_rows = st.dictionaries(
    st.sampled_from(["barcode", *FIELDS]) | st.text(max_size=8), plausible | json_values, max_size=12
)


def found(problems):
    return [(problem.index, problem.field, problem.code) for problem in problems]


@given(st.lists(json_values | feed_rows, max_size=5), st.sampled_from(["whole", "patch"]))
def test_any_json_becomes_rows_and_errors_that_make_the_received(parse, values, kind):
    parsed = parse(*values, kind=kind)
    refused = {problem.index for problem in parsed.errors}
    assert {row.index for row in parsed.rows} | refused == set(range(len(values)))
    assert len(parsed.rows) + len(refused) == len(values)
    for row in parsed.rows:
        assert "\\u0000" not in msgspec.json.encode(row).decode()
    assert msgspec.json.encode(parsed)


@given(st.lists(st.binary(max_size=40), max_size=3))
def test_any_bytes_become_rows_or_errors(parse, values):
    parsed = parse(*values)
    assert len(parsed.rows) + len({problem.index for problem in parsed.errors}) == len(values)


def test_a_whole_row_states_the_whole_price(parse, milk):
    assert parse(milk).rows[0].fields == {"name": "Mlijeko 1 l", "price": 10_200} | dict.fromkeys(WHOLE_PRICE)


def test_a_patch_keeps_what_it_does_not_name_and_clears_null(parse):
    parsed = parse({"barcode": "1", "salePrice": None, "stock": -2.5}, kind="patch")
    assert parsed.rows[0].fields == {"sale_price": None, "stock": "-2.5"}


def test_every_field_of_a_product_can_be_sent(parse, store):
    sent = {
        "barcode": " 3850108020908 ", "name": " Mlijeko\u00a0 1 l ", "price": 1.02, "salePrice": "0.94", "onSale": True,
        "saleStart": "2026-08-01", "saleEnd": "2026-08-31", "currency": "EUR", "promotionText": "2 za 1",
        "promotionUntil": "2026-08-31", "memberPrice": {"amount": 0.9, "currency": "EUR"}, "deposit": 0,
        "stock": 12, "unit": "kom", "netContent": 1.00, "netContentUnit": "l", "unitPrice": "1.02",
        "referencePrice": "1.10", "category": "Hrana", "brand": "Z bregov", "sku": "90381469",
        "alternateBarcodes": ["1", "2"], "description": "Svježe", "attributes": {"origin": "HR", "fat": 2.80},
        "sourceUpdatedAt": "2026-08-22T08:00:00Z",
    }  # fmt: skip
    parsed = parse(sent)
    assert (parsed.errors, parsed.warnings) == ([], [])
    fields = parsed.rows[0].fields
    assert fields["name"] == "Mlijeko 1 l"
    assert fields["deposit"] == 0
    assert fields["attributes"] == {"origin": "HR", "fat": 2.8}
    assert fields.keys() == set(Product.__struct_fields__) - {"barcode", "currency"}


def test_numbers_are_exact_and_never_pass_through_float(parse, split, store):
    raws = split(b'[{"barcode":"1","name":"a","price":1234567.0001}, {"barcode":"2","name":"b","price":46.500}]')
    assert [row.fields["price"] for row in parse_rows(raws, "whole", store).rows] == [12_345_670_001, 465_000]


def test_one_bad_row_fails_none_of_its_neighbours(parse, milk):
    broken = [
        5, None, [], "x", {}, {**milk, "price": -1}, b'{"barcode":"1","name":"\xff","price":1}', b'{"a":1',
        b'{"\xff":1}', b"[" * 5000 + b"]" * 5000, b'{"barcode":"1","attributes":' + b"[" * 5000 + b"]" * 5000 + b"}",
        b'{"barcode":"1","name":"\\ud800","price":1}', b'{"price":' + b"9" * 5000 + b"}",
    ]  # fmt: skip
    parsed = parse(milk, *broken, milk)
    assert [row.index for row in parsed.rows] == [0, len(broken) + 1]
    assert {problem.index for problem in parsed.errors} == set(range(1, len(broken) + 1))


def test_a_field_that_cannot_be_decoded_is_named_with_its_row(parse):
    parsed = parse(b'{"barcode":"42","name":"\xff","price":-1}')
    assert found(parsed.errors) == [(0, "name", "not_json"), (0, "price", "negative")]
    assert parsed.errors[0].barcode == "42"


def test_every_reason_of_a_row_is_told_at_once(parse):
    parsed = parse({"barcode": 5, "name": "", "price": "x", "salePrice": 0, "onSale": "yes", "saleEnd": "soon"})
    assert {problem.field: problem.code for problem in parsed.errors} == {
        "barcode": "wrong_type",
        "name": "required",
        "price": "not_a_price",
        "salePrice": "zero_price",
        "onSale": "wrong_type",
        "saleEnd": "not_a_time",
    }


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("barcode", "12\x00", "control_characters"),
        ("name", None, "required"),
        ("name", " \u00a0", "required"),
        ("name", "x" * 256, "too_long"),
        ("name", 5, "wrong_type"),
        ("name", 1.5, "wrong_type"),
        ("price", "NaN", "not_a_price"),
        ("price", {"amount": 1, "currency": "USD"}, "foreign_currency"),
        ("salePrice", 0, "zero_price"),
        ("currency", "HRK", "foreign_currency"),
        ("unit", "x" * 33, "too_long"),
        ("description", "x" * 4001, "too_long"),
        ("description", "e\u0301" * 9000, "too_long"),
        ("stock", "many", "not_a_number"),
        ("netContent", -1, "negative"),
        ("alternateBarcodes", ["a b"], "not_ascii"),
        ("attributes", [], "wrong_type"),
        ("attributes", {"a": {"b": {"c": {"d": {"e": {}}}}}}, "too_deep"),
        ("attributes", {"a": "x" * 16_384}, "too_long"),
        ("attributes", {"x" * 65: 1}, "too_long"),
        ("attributes", {"a": 2**63}, "too_large"),
        ("sourceUpdatedAt", 5, "wrong_type"),
    ],
)
def test_a_bad_value_is_refused_with_field_and_reason(parse, milk, field, value, code):
    parsed = parse(milk | {field: value})
    assert found(parsed.errors) == [(0, field, code)]
    assert parsed.rows == []


@pytest.mark.parametrize(
    ("field", "value", "code", "kept"),
    [
        ("price", 0, "zero_price", ("price", 0)),
        ("price", "4.589", "rounded_on_the_shelf", ("price", 45_890)),
        ("salePrice", "1.02", "sale_not_lower", ("sale_price", 10_200)),
        ("onSale", True, "sale_price_missing", ("on_sale", True)),
        ("unitPrice", "0.00", "zero_price", ("unit_price", None)),
        ("netContent", "0", "zero_quantity", ("net_content", None)),
        ("name", "Mli\x00jeko", "text_cleaned", ("name", "Mlijeko")),
        ("attributes", {"a\x00": ["b\x1f"]}, "text_cleaned", ("attributes", {"a": ["b"]})),
        ("colour", "red", "unknown_field", ("colour", None)),
    ],
)
def test_a_doubtful_value_is_taken_with_a_warning(parse, milk, field, value, code, kept):
    parsed = parse(milk | {field: value})
    assert found(parsed.warnings) == [(0, field, code)]
    assert parsed.rows[0].fields.get(kept[0]) == kept[1]


def test_a_wrong_check_digit_is_a_warning(parse, milk):
    parsed = parse(milk | {"barcode": "3850108020909"})
    assert found(parsed.warnings) == [(0, "barcode", "check_digit")]
    assert parsed.rows[0].barcode == "3850108020909"


def test_a_number_beyond_float_in_the_attributes_is_refused(parse):
    parsed = parse(b'{"barcode":"1","name":"a","price":1,"attributes":{"a":1e999}}')
    assert found(parsed.errors) == [(0, "attributes", "too_large")]


def test_a_sale_price_alone_is_enough(parse):
    parsed = parse({"barcode": "1", "name": "a", "price": None, "salePrice": "2.85"})
    assert parsed.errors == []
    assert "price" not in parsed.rows[0].fields


def test_a_row_without_any_price_is_refused(parse):
    parsed = parse({"barcode": "1", "name": "a", "price": None, "salePrice": None})
    assert found(parsed.errors) == [(0, "price", "required")]


def test_a_patch_needs_a_barcode_only(parse):
    assert parse({"barcode": "1"}, kind="patch").rows[0].fields == {}
    assert found(parse({"stock": 1}, kind="patch").errors) == [(0, "barcode", "required")]


def test_a_patch_cannot_clear_the_name(parse):
    assert found(parse({"barcode": "1", "name": None}, kind="patch").errors) == [(0, "name", "required")]


def test_a_sale_that_ends_before_it_starts_is_refused(parse, milk):
    parsed = parse(milk | {"salePrice": 1, "saleStart": "2026-08-22", "saleEnd": "2026-08-21"})
    assert found(parsed.errors) == [(0, "saleEnd", "ends_before_start")]


def test_a_sale_of_one_day_is_a_sale(parse, milk):
    assert parse(milk | {"salePrice": 1, "saleStart": "2026-08-22", "saleEnd": "2026-08-22"}).errors == []


def test_problems_can_be_stored_whatever_was_sent(parse):
    parsed = parse({"barcode": "1\x00" * 99, "a\x00\u202e" * 99: 1, "price": "\x00"})
    for problem in parsed.errors + parsed.warnings:
        assert problem.barcode == "1\ufffd" * 32
        assert len(problem.field) <= 64
        assert (problem.field + problem.detail).isprintable()


def test_the_problems_of_one_row_are_bounded(parse, milk):
    parsed = parse(milk | {f"field{n}": n for n in range(1000)})
    assert len(parsed.warnings) == MAX_PROBLEMS
    assert len(parsed.rows) == 1


def test_a_row_beyond_reason_is_refused(parse, milk):
    assert found(parse(milk | {"x": "y" * MAX_ROW}).errors) == [(0, None, "too_long")]


def test_a_row_with_every_field_at_its_limit_is_taken(parse):
    row: dict[str, Any] = {"barcode": "x" * 64, "name": "š" * 255, "price": "9999999.99", "unit": "š" * 32}
    row |= dict.fromkeys(("category", "brand", "sku"), "š" * 128) | {"description": "š" * 4000}
    row |= {"alternateBarcodes": [f"{n:064}" for n in range(32)], "attributes": {"a": "x" * 16_000}}
    assert len(json.dumps(row)) < MAX_ROW
    assert parse(row).errors == []


def test_an_empty_push_is_fine(parse):
    assert (parse().rows, parse().errors) == ([], [])


@pytest.mark.parametrize("currency", ["EUR", "JPY", "KWD"])
def test_a_price_is_rounded_by_the_digits_of_its_currency(currency):
    row = msgspec.Raw(b'{"barcode":"1","name":"a","price":"1.005"}')
    codes = [problem.code for problem in parse_rows([row], "whole", StoreFacts(currency)).warnings]
    assert codes == ([] if currency == "KWD" else ["rounded_on_the_shelf"])
