import datetime as dt

import msgspec
import pytest

from service.core.product import StoreFacts
from service.core.rows import parse_rows
from service.demo import feed

TODAY = dt.date(2026, 11, 22)


def _rows(day):
    return [msgspec.json.decode(line) for line in feed(day, TODAY).splitlines()]


def _parsed(day):
    raws = [msgspec.Raw(line) for line in feed(day, TODAY).splitlines()]
    return parse_rows(raws, "whole", StoreFacts())


def test_the_first_day_has_several_hundred_products_each_with_its_own_barcode():
    barcodes = [row["barcode"] for row in _rows(1)]
    assert len(set(barcodes)) == len(barcodes) > 300


def test_the_first_day_has_exactly_the_three_mistakes_it_is_meant_to_have():
    errors = _parsed(1).errors
    assert [(error.field, error.code) for error in errors] == [
        ("price", "negative"),
        ("name", "required"),
        ("price", "not_a_price"),
    ]


@pytest.mark.parametrize("day", [1, 2])
def test_a_day_has_sales_weighed_goods_and_names_from_right_to_left(day):
    rows = _parsed(day).rows
    assert sum(row.fields.get("sale_price") is not None for row in rows) > 30
    assert sum(row.fields.get("unit") == "kg" for row in rows) > 30
    assert sum("א" <= max(row.fields["name"]) <= "ي" for row in rows) > 10


def test_the_second_day_changes_a_few_prices_and_adds_a_few_products():
    first = {row.barcode: row.fields for row in _parsed(1).rows}
    second = {row.barcode: row.fields for row in _parsed(2).rows}
    assert first.keys() <= second.keys()
    assert 2 <= len(second.keys() - first.keys()) <= 10
    changed = [barcode for barcode in first if first[barcode] != second[barcode]]
    assert 0.02 < len(changed) / len(first) < 0.05
    assert any(first[b]["sale_price"] is not None and second[b]["sale_price"] is None for b in changed)


def test_sales_run_on_whatever_day_the_demo_is_shown():
    dates = {row[field] for row in _rows(1) for field in ("saleStart", "saleEnd") if field in row}
    assert {"2026-11-19", "2026-11-28"} <= dates
    assert all(dt.date.fromisoformat(date) for date in dates)
