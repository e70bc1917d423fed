"""Prices as they are set: large units, raised cents, and the currency where its place has it."""

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from service.core.boxes import Box
from service.rendering.canvas import Canvas
from service.rendering.fonts import SMALLEST, Font, font
from service.rendering.wording import PriceText

_DIGIT = 0.73
"""Of an em: a digit's height."""
_CENTS, _SYMBOL, _SPACE = 0.5, 0.3, 0.07
"""Of the units' size."""
_LEAST_SYMBOL = 0.42
"""Below the cents of a small price, without touching them."""
_RAISED_FROM = 29
"""Pixels of an em from which raised cents and the sign below them are not under `SMALLEST`."""


class Part(NamedTuple):
    """A word of a price: its left end and its baseline, from the left end and the top of the price's digits."""

    x: int
    baseline: int
    text: str
    font: Font


class PriceSetting(NamedTuple):
    """A price at the largest size that fits, in pixels.

    Attributes:
        digit: Height of its large digits.
        top: Where its ink begins, from the digits' top; below zero where a sign is higher than they are.
        bottom: Where its ink ends, such as that of a comma's tail.
    """

    parts: tuple[Part, ...]
    width: int
    digit: int
    top: int
    bottom: int


@lru_cache(maxsize=8192)
def set_price(price: PriceText, width: int, height: int, *, raised: bool = True) -> PriceSetting | None:
    """The largest setting whose ink stays within width and height; None if no legible one does."""
    size = int(height / _DIGIT)
    while size >= SMALLEST:
        found = _setting(price, size, raised=raised and size >= _RAISED_FROM)
        high = found.bottom - found.top
        if found.width <= width and high <= height:
            return found
        size = min(size - 1, size * width // found.width + 1, size * height // high + 1)
    return None


def _setting(price: PriceText, size: int, *, raised: bool) -> PriceSetting:
    units = font("bold", size)
    parts = tuple(_raised(price, units) if raised else [Part(0, units.cap_height, price.line, units)])
    words = [(part, word) for part in parts for word in map(part.font.word, part.text.split(" "))]
    return PriceSetting(
        parts,
        width=max(part.x + part.font.width(part.text) for part in parts),
        digit=units.cap_height,
        top=min(part.baseline - word.top for part, word in words),
        bottom=max(part.baseline - word.bottom for part, word in words),
    )


def _raised(price: PriceText, units: Font) -> Iterator[Part]:
    """Cents stand on the separator, level with the units' top; a currency that follows stands below them."""
    size, gap, baseline, x = units.size, max(1, round(units.size * _SPACE)), units.cap_height, 0
    small = font("bold", round(size * _CENTS))
    below = bool(price.cents) and not price.symbol_first
    sign = font("bold", _symbol_size(size)) if below else small
    if price.symbol and price.symbol_first:
        yield Part(0, sign.cap_height, price.symbol, sign)
        x = sign.width(price.symbol) + gap
    yield Part(x, baseline, price.whole + price.separator, units)
    x += units.width(price.whole)
    if price.cents:
        yield Part(x + gap, small.cap_height, price.cents, small)
    if price.symbol and not price.symbol_first:
        yield Part(x + (units.width(price.separator) if price.cents else gap), baseline, price.symbol, sign)


def _symbol_size(size: int) -> int:
    return max(round(size * _SYMBOL), min(SMALLEST, round(size * _LEAST_SYMBOL)))


def draw_price(canvas: Canvas, x: int, top: int, setting: PriceSetting, ink: int) -> None:
    """With its left end at x and the top of its digits at `top`."""
    for part in setting.parts:
        canvas.word(x + part.x, top + part.baseline, part.text, part.font, ink)


def draw_dash(canvas: Canvas, box: Box, ink: int) -> None:
    """A price that is not known, or that has no room: never a wrong one."""
    thick, long = max(2, box.height // 14), min(box.width, box.height) // 2
    x, y = (box.left + box.right - long) // 2, (box.top + box.bottom - thick) // 2
    canvas.fill(Box(x, y, x + long, min(y + thick, box.bottom)), ink)
