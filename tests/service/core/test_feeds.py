"""The core on the real feeds in the folder that SHELFCAST_FEEDS names."""

import csv
import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from service.core.merging import content_hash, merge
from service.core.money import exact_text
from service.core.sales import effective

pytestmark = pytest.mark.feeds

COLUMNS = {
    "barcode": "Barcode",
    "name": "Product",
    "brand": "Brand",
    "category": "Category",
    "unit": "Unit",
    "price": "Price",
    "salePrice": "SpecialPrice",
    "unitPrice": "UnitPrice",
    "referencePrice": "AnchorPrice",
}


@pytest.fixture(scope="module", params=["0204", "0901", "1601"])
def feed(request) -> list[dict[str, Any]]:
    path = Path(os.environ["SHELFCAST_FEEDS"]) / "konzum" / f"{request.param}-2025-07-03.csv"
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [
            {field: line[column] for field, column in COLUMNS.items() if line[column]} for line in csv.DictReader(file)
        ]


def test_every_row_with_a_barcode_is_taken(parse, feed):
    parsed = parse(*feed)
    assert {problem.field for problem in parsed.errors} == {"barcode"}
    assert len(parsed.rows) == sum("barcode" in line for line in feed)
    assert "check_digit" not in {problem.code for problem in parsed.warnings}


def test_every_product_costs_what_the_feed_says(parse, feed, store):
    for row in parse(*feed).rows:
        sent = feed[row.index]
        product = merge(None, row, store)
        price = effective(product, now=0).price
        assert Decimal(exact_text(price)) == Decimal(sent.get("salePrice") or sent["price"])


def test_the_same_file_again_changes_nothing(parse, feed, store):
    rows = parse(*feed).rows
    first = {row.barcode: merge(None, row, store) for row in rows}
    second = {row.barcode: merge(first[row.barcode], row, store) for row in rows}
    assert {code: content_hash(product) for code, product in first.items()} == {
        code: content_hash(product) for code, product in second.items()
    }
