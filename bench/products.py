"""Rows to push: real ones where there are any, and as many made ones as are wanted."""

import csv
import datetime as dt
import os
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import msgspec

from service.demo import feed

Rows = list[dict[str, Any]]

PUSH = 1000
"""Rows in a push."""

_COLUMNS = {
    "barcode": "Barcode",
    "name": "Product",
    "sku": "ProductId",
    "brand": "Brand",
    "category": "Category",
    "unit": "Unit",
    "price": "Price",
    "salePrice": "SpecialPrice",
    "unitPrice": "UnitPrice",
    "referencePrice": "AnchorPrice",
}


def real_rows(count: int = PUSH) -> tuple[str, Rows]:
    """What they are, and the rows: of the feeds that SHELFCAST_FEEDS names, or else of the demo feed."""
    folder = os.environ.get("SHELFCAST_FEEDS")
    if folder is None:
        return "demo feed", _demo_rows(count)
    with (Path(folder) / "konzum" / "0901-2025-07-03.csv").open(encoding="utf-8-sig", newline="") as file:
        lines = islice(csv.DictReader(file), count)
        return "konzum 0901", [
            {field: line[column] for field, column in _COLUMNS.items() if line[column]} for line in lines
        ]


def _demo_rows(count: int) -> Rows:
    """Over and over where there are too few, each round with barcodes of its own."""
    lines = feed(1, dt.datetime.now(dt.UTC).date()).splitlines()
    rows = [msgspec.json.decode(line, type=dict[str, Any]) for line in lines]
    rounds = ((number // len(rows), row) for number, row in enumerate(islice(cycle(rows), count)))
    return [{**row, "barcode": f"{row['barcode']}-{number}" if number else row["barcode"]} for number, row in rounds]


def barcode(number: int) -> str:
    return f"{number:013d}"


def made_rows(count: int, turn: int = 0) -> Rows:
    """Groceries as feeds describe them; every turn has another price for each."""
    return [
        {
            "barcode": barcode(number),
            "name": f"Product number {number} of the shelf",
            "price": f"{1 + number % 50 + turn}.{number % 100:02d}",
            "unit": "kom",
            "category": "HRANA",
            "brand": "Brand",
            "netContent": "0.5",
            "netContentUnit": "kg",
        }
        for number in range(count)
    ]


def pushes(rows: Rows) -> Iterator[Rows]:
    return (rows[start : start + PUSH] for start in range(0, len(rows), PUSH))
