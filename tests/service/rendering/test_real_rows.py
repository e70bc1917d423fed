"""Labels of a real store's rows: every price whole, nothing outside its area, and bars that a scanner reads."""

import csv
import json
import os
from pathlib import Path

import msgspec
import pytest

from display_drivers.base import Panel
from service.core.faces import plan_face
from service.core.merging import merge
from service.core.product import Product, StoreFacts
from service.core.rows import parse_rows
from service.rendering import draw
from service.rendering.canvas import WHITE, Canvas
from service.rendering.shipped import shipped

pytestmark = [pytest.mark.feeds, pytest.mark.timeout(300)]

STORE = StoreFacts("EUR", "Europe/Zagreb", "hr")
NOW = 1_797_000_000_000
COLUMNS = {
    "barcode": "Barcode", "name": "Product", "unit": "Unit", "price": "Price", "salePrice": "SpecialPrice",
    "unitPrice": "UnitPrice", "category": "Category", "brand": "Brand",
}  # fmt: skip
SMALL = (Panel(152, 152), Panel(212, 104, "BW"), Panel(250, 122, "BWY"))


def products() -> list[Product]:
    """All rows of the three stores, 23,735 of them; those without a barcode are known by their number."""
    found = []
    for file in sorted((Path(os.environ["SHELFCAST_FEEDS"]) / "konzum").glob("*-2025-07-03.csv")):
        with file.open(encoding="utf-8-sig", newline="") as lines:
            rows = [
                {field: line[column] for field, column in COLUMNS.items() if line[column]}
                | {"barcode": line["Barcode"] or line["ProductId"]}
                for line in csv.DictReader(lines)
            ]
        raws = [msgspec.Raw(json.dumps(row).encode()) for row in rows]
        merged = [merge(None, row, STORE) for row in parse_rows(raws, "whole", STORE).rows]
        found += [product for product in merged if isinstance(product, Product)]
    return found


@pytest.fixture(scope="module")
def store() -> list[Product]:
    return products()


def drawn(product: Product, panel: Panel):
    template = shipped("price")
    face = plan_face({0: product}, panel, template, STORE, NOW)
    return draw(face, template)


def check(product: Product, panel: Panel) -> None:
    drawing = drawn(product, panel)
    states = {mark.area: mark.state for mark in drawing.marks}
    prices = [mark.state for mark in drawing.marks if mark.kind == "price"]
    assert prices == ["drawn"], product
    assert "left out" not in states.values(), (product, states)
    canvas = Canvas.blank(panel.width, panel.height)
    canvas.image.frombytes(drawing.frame.pixels)
    for mark in drawing.marks:
        canvas.fill(mark.box, WHITE)
    assert not canvas.image.tobytes().strip(bytes([WHITE])), product


def test_no_row_cuts_a_price_or_draws_outside_its_area(store):
    assert len(store) == 23_735
    for number, product in enumerate(store):
        check(product, Panel(296, 128))
        if number % 8 == 0:
            check(product, SMALL[number // 8 % 3])


def test_no_name_is_cut_on_the_usual_panel(store):
    cut = [
        product.name
        for product in store[::3]
        for mark in drawn(product, Panel(296, 128)).marks
        if mark.area == "name" and mark.state != "drawn"
    ]
    assert cut == []


def test_a_scanner_reads_the_barcode_of_a_thousand_rows(scan, store):
    """Every bar that is drawn is read, at the panel's own resolution; those that are not are few."""
    some = store[::23][:1000]
    panels = (Panel(296, 128), Panel(400, 300, "BWRY"))
    written = 0
    for number, product in enumerate(some):
        drawing = drawn(product, panels[number % 2])
        (mark,) = (mark for mark in drawing.marks if mark.kind == "barcode")
        if mark.state == "cut":
            written += 1
            continue
        ((_, text),) = scan(drawing.frame)
        assert text.removeprefix("0") == product.barcode.removeprefix("0")
    assert len(some) == 1000
    assert written <= 2
