"""Labels to pixels, straight to palette indices: no anti-aliasing, so no fringe and nothing to dither."""

from functools import lru_cache

import msgspec
from PIL import Image, ImageDraw

from display_drivers.base import Palette
from service.rendering.barcodes import BAR, GAP, Bars, bars
from service.rendering.fonts import Font, font
from service.rendering.label import Label, Note, PriceText
from service.rendering.layout import Box, areas
from service.rendering.text import Lines, fit, shaped, text_width

BLACK, WHITE, COLOUR = 0, 1, 2
SALE: dict[Palette, tuple[int, int]] = {
    "BW": (BLACK, WHITE),
    "BWR": (COLOUR, WHITE),
    "BWY": (COLOUR, BLACK),  # white on yellow cannot be read at two metres
    "BWRY": (COLOUR, WHITE),
}
"""Paper and ink of a sale price."""

# Of the height of the name's area and of a note's line, largest first: a name takes one line, two, or at last more.
NAME_SIZES = (0.52, 0.46, 0.4, 0.37, 0.33, 0.29, 0.26, 0.23, 0.2)
NOTE_SIZES = (0.84, 0.76, 0.68, 0.6, 0.5, 0.4)
SMALLEST_TEXT = 10
LARGEST_DIGITS = 18

CAPS = 0.73 + 2 * 0.1  # of an em: a digit's height, and on either side what the comma's tail needs beyond the margin
SMALLEST_PRICE = 8
CENTS, SYMBOL, SPACE = 0.5, 0.3, 0.07  # of the units' size

BAR_INKS = bytes.maketrans((BAR + GAP).encode(), bytes([BLACK, WHITE]))


class PriceSetting(msgspec.Struct, frozen=True):
    """A price at the largest size that fits: the fonts of its parts, their common width, and the gap between them."""

    units: Font
    cents: Font
    symbol: Font
    width: int
    gap: int


class Canvas:
    """A panel's pixels under the brush."""

    def __init__(self, width: int, height: int) -> None:
        self.image = Image.new("L", (width, height), WHITE)
        self.draw = ImageDraw.Draw(self.image)
        self.draw.fontmode = "1"

    def fill(self, box: Box, ink: int) -> None:
        if box.width and box.height:
            self.draw.rectangle((box.left, box.top, box.right - 1, box.bottom - 1), fill=ink)

    def word(self, x: int, baseline: int, text: str, font_: Font, ink: int = BLACK) -> None:
        """Text of ours, whose ink is known to stay in its area."""
        font_.write(self.image, x, baseline, text, ink)

    def lines(self, box: Box, text: Lines, *, middle: bool = False) -> None:
        """Anybody's text. Clipped to its area: stacked accents can reach any height."""
        part = Canvas(box.width, box.height)
        y = (box.height - text.height) // 2 if middle else 0
        for number, line in enumerate(text.lines):
            x = box.width - text.font.width(line) if text.rtl else 0
            part.word(x, y + number * text.font.line_height + text.font.ascent, line, text.font)
        self.image.paste(part.image, (box.left, box.top))


def paint(canvas: Canvas, cell: Box, label: Label, palette: Palette) -> None:
    code = bars(label.barcode)
    where = areas(cell, code)
    if name := fit(label.name, "bold", _sizes(NAME_SIZES, where.name), where.name.width, where.name.height):
        canvas.lines(where.name, name, middle=True)
    canvas.fill(where.rule, BLACK)
    _paint_price(canvas, where.price, label, palette)
    _paint_notes(canvas, where.notes, label.notes)
    if code and where.module:
        _paint_bars(canvas, where.barcode, code, where.module)
    elif text := fit(label.barcode, "regular", (SMALLEST_TEXT,), where.barcode.width, where.barcode.height):
        canvas.lines(where.barcode, text, middle=True)


def _sizes(fractions: tuple[float, ...], area: Box) -> list[int]:
    """Font sizes for an area, largest first."""
    return sorted({max(SMALLEST_TEXT, int(area.height * part)) for part in fractions}, reverse=True)


def _paint_price(canvas: Canvas, box: Box, label: Label, palette: Palette) -> None:
    paper, ink = SALE[palette] if label.sale and label.price else (WHITE, BLACK)
    if paper != WHITE:
        canvas.fill(box, paper)
    margin = max(3, min(box.width, box.height) // 14)
    inner = box.inset(margin, margin)
    setting = set_price(label.price, inner.width, inner.height) if label.price else None
    if label.price and setting:
        _draw_price(canvas, inner, label.price, setting, ink)
    else:
        _draw_dash(canvas, inner)


def _draw_dash(canvas: Canvas, box: Box) -> None:
    thick, long = max(2, box.height // 14), min(box.width, box.height) // 2
    x, y = (box.left + box.right - long) // 2, (box.top + box.bottom - thick) // 2
    canvas.fill(Box(x, y, x + long, y + thick), BLACK)


@lru_cache(maxsize=4096)
def set_price(price: PriceText, width: int, height: int) -> PriceSetting | None:
    """The largest setting that stays within width and height; None if no legible one does."""
    size = int(height / CAPS)
    while size >= SMALLEST_PRICE:
        setting = _setting(price, size)
        if setting.width <= width:
            return setting
        size = min(size - 1, size * width // setting.width + 1)
    return None


def _setting(price: PriceText, size: int) -> PriceSetting:
    units, cents, gap = font("bold", size), font("bold", round(size * CENTS)), max(1, round(size * SPACE))
    symbol = font("bold", round(size * CENTS) if price.symbol_first else _symbol_size(size))
    before = symbol.width(price.symbol) + gap if price.symbol_first else 0
    below = 0 if price.symbol_first else symbol.width(price.symbol)
    tail = max(gap + cents.width(price.cents), units.width(price.separator) + below)
    return PriceSetting(units, cents, symbol, before + units.width(price.whole) + tail, gap)


def _symbol_size(size: int) -> int:
    """Legible below the cents of a small price too, without touching them."""
    return max(round(size * SYMBOL), min(SMALLEST_TEXT, round(size * 0.42)))


def _draw_price(canvas: Canvas, box: Box, price: PriceText, setting: PriceSetting, ink: int) -> None:
    """Cents stand on the separator, level with the units' top; a currency that follows stands below them."""
    top = box.top + (box.height - setting.units.cap_height) // 2
    baseline = top + setting.units.cap_height
    x = box.left + (box.width - setting.width) // 2
    if price.symbol_first:
        canvas.word(x, top + setting.symbol.cap_height, price.symbol, setting.symbol, ink)
        x += setting.symbol.width(price.symbol) + setting.gap
    canvas.word(x, baseline, price.whole + price.separator, setting.units, ink)
    x += setting.units.width(price.whole)
    canvas.word(x + setting.gap, top + setting.cents.cap_height, price.cents, setting.cents, ink)
    if not price.symbol_first:
        x += setting.units.width(price.separator)
        canvas.word(x, baseline, price.symbol, setting.symbol, ink)


def _paint_notes(canvas: Canvas, box: Box, notes: tuple[Note, ...]) -> None:
    """As many as there is room for, in equal lines, each as large as its line allows."""
    notes = notes[: box.height // font("regular", SMALLEST_TEXT).line_height]
    if not notes:
        return
    pitch = min(box.height // len(notes), box.height // 2)
    for number, note in enumerate(notes):
        top = box.top + number * pitch
        _paint_note(canvas, Box(box.left, top, box.right, top + pitch), note)


def _paint_note(canvas: Canvas, box: Box, note: Note) -> None:
    """The aside stands at the end, or is left out where text and aside do not fit at any size; so is a price."""
    sizes = _sizes(NOTE_SIZES, box)
    size = next((size for size in sizes if _note_width(note, size) <= box.width), sizes[-1])
    small, end = font("regular", size), _aside_font(note, size)
    aside = note.aside if _note_width(note, size) <= box.width else ""
    room = box.width - (end.width(aside) + size // 2 if aside else 0)
    text = fit(note.text, "regular", (size,), room, small.line_height)
    if text and (text.whole or note.prose):
        canvas.lines(Box(box.left, box.top, box.left + room, box.top + small.line_height), text)
        if note.struck:
            _strike(canvas, box, small, small.width(text.lines[0]))
    canvas.word(box.right - end.width(aside), box.top + small.ascent, aside, end)


def _note_width(note: Note, size: int) -> int:
    """Of text and aside with the blank between them."""
    aside = _aside_font(note, size).width(note.aside) + size // 2 if note.aside else 0
    return text_width(shaped(note.text), font("regular", size)) + aside


def _aside_font(note: Note, size: int) -> Font:
    return font("bold" if note.struck else "regular", size)  # a saving is louder than a date


def _strike(canvas: Canvas, box: Box, small: Font, width: int) -> None:
    thick = max(1, small.size // 10)
    y = box.top + small.ascent - (small.cap_height + thick) // 2
    canvas.fill(Box(box.left, y, min(box.right, box.left + width), y + thick), BLACK)


def _paint_bars(canvas: Canvas, box: Box, code: Bars, module: int) -> None:
    """Bars in the middle of their area, with the digits below where they fit."""
    digits = font("regular", max(SMALLEST_TEXT, min(LARGEST_DIGITS, box.height * 3 // 10)))
    below = digits.cap_height + 2 if digits.width(code.digits) <= box.width else 0
    line = Image.frombytes("L", (len(code.modules), 1), code.modules.encode().translate(BAR_INKS))
    size = (len(code.modules) * module, box.height - below)
    canvas.image.paste(line.resize(size, Image.Resampling.NEAREST), (box.left + (box.width - size[0]) // 2, box.top))
    if below:
        canvas.word(box.left + (box.width - digits.width(code.digits)) // 2, box.bottom, code.digits, digits)
