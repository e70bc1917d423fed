"""The packaged fonts, hinted for one bit a pixel, measured once and remembered.

Both weights cover Latin, Greek, Cyrillic, Hebrew and Arabic (presentation forms included). Their licence is beside
them. Raqm is switched off: Pillow finds FriBidi only on some machines, and a label must be the same on all of them;
`text` shapes and orders letters itself.
"""

from functools import lru_cache
from pathlib import Path
from typing import Literal

from PIL import ImageFont

Weight = Literal["regular", "bold"]

FILES: dict[Weight, str] = {"regular": "DejaVuSansCondensed.ttf", "bold": "DejaVuSansCondensed-Bold.ttf"}
FOLDER = Path(__file__).parent / "fonts"

# Of one em, the same in both weights; the ascent leaves room for an accent on a capital.
ASCENT, DESCENT = 0.94, 0.24


class Font:
    """One weight at one size, in pixels of an em."""

    def __init__(self, weight: Weight, size: int) -> None:
        self.size = size
        self.face = ImageFont.truetype(FOLDER / FILES[weight], size, layout_engine=ImageFont.Layout.BASIC)
        self.ascent = round(size * ASCENT)
        self.line_height = self.ascent + round(size * DESCENT)
        self.cap_height = -int(self.face.getbbox("8", mode="1", anchor="ls")[1])
        self._widths: dict[str, int] = {}

    def width(self, visual: str) -> int:
        """Pixels from the pen's start to the end of the ink or of the advance, whichever is further."""
        known = self._widths.get(visual)
        if known is None:
            known = self._widths[visual] = self._measure(visual)
        return known

    def _measure(self, visual: str) -> int:
        if len(self._widths) >= REMEMBERED:
            self._widths.clear()
        advance = self.face.getlength(visual, mode="1")
        right = self.face.getbbox(visual, mode="1", anchor="ls")[2]
        return -int(-max(advance, right) // 1)


REMEMBERED = 8192  # widths per font: a store's words at the three or four sizes that names come in


@lru_cache(maxsize=256)
def font(weight: Weight, size: int) -> Font:
    return Font(weight, size)
