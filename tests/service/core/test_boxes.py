from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.boxes import Box, cells


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


def test_a_part_is_in_percent_of_its_box():
    assert Box(10, 20, 210, 120).part((0, 50, 25.5, 100)) == Box(10, 70, 61, 120)
