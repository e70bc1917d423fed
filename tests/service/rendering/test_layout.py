from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.rendering.barcodes import bars
from service.rendering.layout import Box, areas, cells

codes = st.sampled_from(["", "96385074", "4006381333931", "20417", "A" * 20, "A" * 64]).map(bars)


@given(st.integers(64, 800), st.integers(64, 480), codes)
def test_areas_stay_in_their_cell_and_never_overlap(width, height, code):
    cell = Box(7, 5, 7 + width, 5 + height)
    where = areas(cell, code)
    boxes = [where.name, where.rule, where.price, where.notes, where.barcode]
    assert all(_inside(box, cell) for box in boxes)
    assert not any(_overlap(a, b) for a, b in combinations(boxes, 2))
    assert where.module * len(code.modules if code else "") <= where.barcode.width


def _inside(box, cell):
    return cell.left <= box.left and cell.top <= box.top and box.right <= cell.right and box.bottom <= cell.bottom


def _overlap(a, b):
    across = min(a.right, b.right) - max(a.left, b.left)
    down = min(a.bottom, b.bottom) - max(a.top, b.top)
    return across > 0 and down > 0


@given(st.integers(1, 800), st.integers(1, 480), st.integers(1, 12))
def test_cells_never_overlap_and_stay_on_the_panel(width, height, count):
    grid = cells(width, height, count)
    assert len(grid) == count
    assert all(_inside(cell, Box(0, 0, width, height)) for cell in grid)
    assert not any(_overlap(a, b) for a, b in combinations(grid, 2))


@pytest.mark.parametrize(("width", "height", "columns"), [(296, 128, 2), (400, 300, 1)])
def test_two_products_stand_as_the_panels_shape_asks(width, height, columns):
    assert len({cell.left for cell in cells(width, height, 2)}) == columns


@pytest.mark.parametrize(("size", "module"), [((296, 128), 1), ((640, 384), 2), ((400, 300), 2), ((800, 480), 3)])
def test_bars_are_as_wide_as_the_panel_allows(size, module):
    assert areas(Box(0, 0, *size), bars("4006381333931")).module == module
