"""Labels of a real store's rows: every price whole, nothing outside its area, and bars that a scanner reads."""

import csv
import json
import os
from functools import cache
from pathlib import Path

import msgspec
import pytest

from display_drivers.base import Panel
from service.core.boxes import Box
from service.core.faces import Face, digest, plan_face
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


def face_of(product: Product, panel: Panel) -> Face:
    face = plan_face({0: product}, panel, shipped("price"), STORE, NOW)
    assert face is not None
    return face


def check(face: Face) -> None:
    drawing = draw(face, shipped("price"))
    states = {mark.area: mark.state for mark in drawing.marks}
    assert [mark.state for mark in drawing.marks if mark.kind == "price"] == ["drawn"], face
    assert "left out" not in states.values(), (face, states)
    assert face.panel.width < 296 or states["name"] == "drawn", face
    mask, white = outside(face.panel, tuple(mark.box for mark in drawing.marks))
    assert int.from_bytes(drawing.frame.pixels, "big") & mask == white, face


@cache
def outside(panel: Panel, boxes: tuple[Box, ...]) -> tuple[int, int]:
    """All bits of the pixels outside these boxes, and those of white ones there, each as one number."""
    canvas = Canvas.blank(panel.width, panel.height)
    canvas.fill(Box(0, 0, panel.width, panel.height), 0xFF)
    for box in boxes:
        canvas.fill(box, 0)
    mask = int.from_bytes(canvas.image.tobytes(), "big")
    return mask, mask & int.from_bytes(bytes([WHITE]) * (panel.width * panel.height), "big")


def test_no_row_cuts_a_price_or_draws_outside_its_area(store):
    """Each label once that rows of the three stores make; on the usual panel every name whole as well.

    Of every third row, or with SHELFCAST_EVERY_ROW of all of them, which takes half a minute.
    """
    assert len(store) == 23_735
    some = store if os.environ.get("SHELFCAST_EVERY_ROW") else store[::3]
    usual = [face_of(product, Panel(296, 128)) for product in some]
    small = [face_of(product, SMALL[number % 3]) for number, product in enumerate(some[::8])]
    different = {digest(face): face for face in usual + small}
    assert len(different) > 5000
    for face in different.values():
        check(face)


def test_a_scanner_reads_the_barcode_of_a_thousand_rows(scan, store):
    """Every bar that is drawn is read, at the panel's own resolution; those that are not are few."""
    some = store[::23][:1000]
    panels = (Panel(296, 128), Panel(400, 300, "BWRY"))
    written = 0
    for number, product in enumerate(some):
        drawing = draw(face_of(product, panels[number % 2]), shipped("price"))
        (mark,) = (mark for mark in drawing.marks if mark.kind == "barcode")
        if mark.state == "cut":
            written += 1
            continue
        ((_, text),) = scan(drawing.frame)
        assert text.removeprefix("0") == product.barcode.removeprefix("0")
    assert len(some) == 1000
    assert written <= 2
