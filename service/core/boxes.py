"""Where things stand on a panel: boxes of pixels, and the cells that slots are given."""

from functools import lru_cache
from typing import NamedTuple


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

    def part(self, percent: tuple[float, float, float, float]) -> "Box":
        """The part between these percentages of it: left, top, right, bottom."""
        left, top, right, bottom = percent
        return Box(
            self.left + round(self.width * left / 100),
            self.top + round(self.height * top / 100),
            self.left + round(self.width * right / 100),
            self.top + round(self.height * bottom / 100),
        )


@lru_cache(maxsize=256)
def cells(width: int, height: int, count: int) -> tuple[Box, ...]:
    """Equal cells for a panel's slots, row by row, in the split whose cells come nearest to a label's usual shape."""
    columns = min(range(1, count + 1), key=lambda n: _strangeness(width / n, height / -(-count // n)))
    rows = -(-count // columns)
    return tuple(
        Box(
            width * (slot % columns) // columns,
            height * (slot // columns) // rows,
            width * (slot % columns + 1) // columns,
            height * (slot // columns + 1) // rows,
        )
        for slot in range(count)
    )


def _strangeness(width: float, height: float) -> float:
    ratio = width / height / 2
    return max(ratio, 1 / ratio)
