"""Where things stand on a label: every area is relative to its cell, so one plain layout serves every panel."""

from typing import NamedTuple

import msgspec

from service.rendering.barcodes import Bars

WIDE = 1.5  # from this ratio of width to height on, the price stands beside the barcode instead of above it
MOST_PIXELS_A_MODULE = 3
SHORTEST_BARCODE = 18  # pixels, digits included
NARROWEST_NOTES = 140  # pixels that small print needs beside a barcode; with less it goes above


class Box(NamedTuple):
    """Pixels from the top left; right and bottom are the first ones outside."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        return max(0, self.right - self.left)

    @property
    def height(self) -> int:
        return max(0, self.bottom - self.top)

    def inset(self, x: int, y: int) -> "Box":
        return Box(self.left + x, self.top + y, self.right - x, self.bottom - y)


class Areas(msgspec.Struct, frozen=True):
    """Areas of one label. They never overlap, and `price` alone reaches the cell's edge, as it is filled for a sale.

    Attributes:
        rule: The line under the name.
        notes: Small print: old price, unit price, promotion.
        module: Width of one barcode module in pixels; 0 where the barcode is written instead of drawn.
    """

    name: Box
    rule: Box
    price: Box
    notes: Box
    barcode: Box
    module: int


def cells(width: int, height: int, count: int) -> list[Box]:
    """Equal cells for a panel's slots, row by row, in the split whose cells come nearest to a label's usual shape."""
    columns = min(range(1, count + 1), key=lambda n: _strangeness(width / n, height / -(-count // n)))
    rows = -(-count // columns)
    return [
        Box(
            width * (slot % columns) // columns,
            height * (slot // columns) // rows,
            width * (slot % columns + 1) // columns,
            height * (slot // columns + 1) // rows,
        )
        for slot in range(count)
    ]


def _strangeness(width: float, height: float) -> float:
    ratio = width / height / 2
    return max(ratio, 1 / ratio)


def areas(cell: Box, bars: Bars | None) -> Areas:
    return (_wide if cell.width >= WIDE * cell.height else _tall)(cell, bars)


def _margin(cell: Box) -> int:
    return max(3, min(cell.width, cell.height) // 25)


def _wide(cell: Box, bars: Bars | None) -> Areas:
    """Name on top; below it notes and barcode at the left, the price at the right."""
    margin = _margin(cell)
    rule = _rule(cell, cell.top + cell.height * 38 // 100)
    left, bottom = cell.left + margin, cell.bottom - margin
    modules = len(bars.modules) if bars else 0
    height = cell.height * 25 // 100
    module = _module(modules, cell.width * 44 // 100, height) or _module(modules, cell.width * 56 // 100, height)
    split = left + max(modules * module, cell.width * 40 // 100)
    top = bottom - height
    return Areas(
        name=Box(left, cell.top + margin // 2, cell.right - margin, rule.top),
        rule=rule,
        price=Box(split + margin, rule.bottom, cell.right, cell.bottom),
        notes=Box(left, rule.bottom + margin, split, top - margin // 2),
        barcode=Box(left, top, split, bottom),
        module=module,
    )


def _tall(cell: Box, bars: Bars | None) -> Areas:
    """Name, price and a foot below each other; in the foot notes and barcode, side by side where there is room."""
    margin = _margin(cell)
    left, right, bottom = cell.left + margin, cell.right - margin, cell.bottom - margin
    rule = _rule(cell, cell.top + cell.height * 30 // 100)
    modules = len(bars.modules) if bars else 0
    height = cell.height * 18 // 100
    module = min(2, _module(modules, right - left, height))
    beside = module > 0 and modules * module <= right - left - NARROWEST_NOTES
    if not beside:
        module = _module(modules, right - left, height)
    price_ends = cell.top + cell.height * (72 if beside else 60) // 100
    top = price_ends + margin if beside else bottom - height
    split = right - modules * module if beside else left
    return Areas(
        name=Box(left, cell.top + margin // 2, right, rule.top),
        rule=rule,
        price=Box(cell.left, rule.bottom, cell.right, price_ends),
        notes=Box(left, price_ends + margin // 2, split - margin if beside else right, bottom if beside else top),
        barcode=Box(split, top, right, bottom),
        module=module,
    )


def _rule(cell: Box, y: int) -> Box:
    return Box(cell.left, y - max(1, cell.height // 150), cell.right, y)


def _module(modules: int, width: int, height: int) -> int:
    if not modules or height < SHORTEST_BARCODE:
        return 0
    return max(0, min(MOST_PIXELS_A_MODULE, width // modules))
