"""A panel's pixels under the brush: palette indices and nothing between them, so no fringe and nothing to dither."""

from functools import lru_cache
from typing import NamedTuple

from PIL import Image, ImageDraw

from display_drivers.base import Palette
from service.core.boxes import Box
from service.core.template_format import Ink
from service.rendering.fonts import Font
from service.rendering.text import Lines

BLACK, WHITE = 0, 1


class Inks(NamedTuple):
    """A palette's inks by the names that templates give them, and those that white can be read on at two metres."""

    black: int
    white: int
    accent: int
    second: int
    dark: frozenset[int]

    def on(self, paper: Ink | None) -> int:
        """What to write with on this paper."""
        return self.white if paper and getattr(self, paper) in self.dark else self.black


@lru_cache(maxsize=8)
def inks_of(palette: Palette) -> Inks:
    """A colour that the panel lacks is the other one, or black."""
    red, yellow = palette.find("R"), palette.find("Y")
    accent = next((index for index in (red, yellow) if index > 0), BLACK)
    dark = frozenset({BLACK, red} - {-1})
    return Inks(BLACK, WHITE, accent, yellow if yellow > 0 else accent, dark)


class Canvas:
    """What is drawn on; what falls outside is cut off."""

    def __init__(self, image: Image.Image) -> None:
        self.image = image
        self.draw = ImageDraw.Draw(image)
        self.draw.fontmode = "1"

    @classmethod
    def blank(cls, width: int, height: int) -> "Canvas":
        return cls(Image.new("L", (width, height), WHITE))

    def fill(self, box: Box, ink: int) -> None:
        if box.width and box.height:
            self.draw.rectangle((box.left, box.top, box.right - 1, box.bottom - 1), fill=ink)

    def edge(self, box: Box, ink: int, thick: int) -> None:
        if box.width and box.height:
            self.draw.rectangle((box.left, box.top, box.right - 1, box.bottom - 1), outline=ink, width=thick)

    def word(self, x: int, baseline: int, text: str, font: Font, ink: int) -> None:
        """Text of ours, whose ink is known to stay in its area."""
        font.write(self.image, x, baseline, text, ink)

    def lines(self, box: Box, text: Lines, ink: int, x_of_line: "tuple[int, ...]", top: int) -> None:
        """Anybody's text. Clipped to its area: stacked accents can reach any height."""
        part = self.image.crop(box)
        for number, (line, x) in enumerate(zip(text.lines, x_of_line, strict=True)):
            text.font.write(part, x, top + number * text.font.line_height + text.font.ascent, line, ink)
        self.image.paste(part, (box.left, box.top))
