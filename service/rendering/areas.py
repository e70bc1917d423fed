"""Areas of a template to pixels, kind by kind; each says how it went, which is what `lint` judges."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Literal, NamedTuple

import msgspec
from PIL import Image

from display_drivers.base import Palette
from service.core.boxes import Box
from service.core.faces import SlotFace
from service.core.template_format import (
    Align,
    AnyArea,
    BarcodeArea,
    BoxArea,
    ImageArea,
    LineArea,
    PriceArea,
    QrArea,
    TextArea,
    Written,
)
from service.core.templates import is_figure
from service.rendering.barcodes import BAR, GAP, Bars, bars, qr
from service.rendering.canvas import BLACK, WHITE, Canvas, inks_of
from service.rendering.fonts import ASCENT, DESCENT, SMALLEST, Font, font, han_of
from service.rendering.images import in_inks
from service.rendering.prices import draw_dash, draw_price, set_price
from service.rendering.text import Lines, fit
from service.rendering.wording import Words, price_text, texts_of

State = Literal["drawn", "cut", "left out", "empty"]
"""Whole; with an ellipsis, or digits instead of bars; not at all, for want of room; nothing to say."""

SHORTEST_BARCODE = 18
"""Pixels of bars and digits."""
MOST_PIXELS_A_MODULE = 3
LEAST_PIXELS_A_QR_MODULE = 2
LARGEST_DIGITS = 18
_STEP = 0.88
"""From one size that is tried to the next smaller one."""

_BAR_INKS = bytes.maketrans((BAR + GAP).encode(), bytes([BLACK, WHITE]))
_QR_INKS = bytes.maketrans(b"\1\0", bytes([BLACK, WHITE]))


class Mark(NamedTuple):
    """How an area went; `height` is that of a capital or a digit in pixels, `module` that of a code, where it has one.

    The ink stays within `box`.
    """

    area: str
    kind: str
    box: Box
    state: State
    height: int = 0
    module: int = 0


Texts = Sequence[tuple[str, str]]
"""What an area may say: patterns whose fields all say something, and their texts."""


class Job(NamedTuple):
    """One product's label: what is drawn, and what for."""

    canvas: Canvas
    slot: SlotFace
    locale: str
    palette: Palette
    words: Words
    images: Mapping[str, bytes]
    shorter_side: int

    @property
    def language(self) -> str:
        return han_of(self.locale)


class _Went(NamedTuple):
    state: State
    height: int = 0
    module: int = 0


DRAWN, EMPTY, LEFT_OUT = _Went("drawn"), _Went("empty"), _Went("left out")


def draw_area(job: Job, name: str, area: AnyArea, box: Box) -> Mark:
    """Paper and border first; neither, nor anything else, where a text has nothing to say."""
    kind = str(area.__struct_config__.tag)
    texts: Texts = ()
    if isinstance(area, TextArea | QrArea):
        texts = texts_of(area, job.slot, job.locale, job.words)
        if not texts:
            return Mark(name, kind, box, "empty")
    inks = inks_of(job.palette)
    if area.paper:
        job.canvas.fill(box, getattr(inks, area.paper))
    if area.border:
        job.canvas.edge(box, getattr(inks, area.border), max(1, job.shorter_side // 150))
    went = _DRAW[type(area)](job, area, box, texts)
    return Mark(name, kind, box, *went)


def _ink(job: Job, area: Written) -> int:
    inks = inks_of(job.palette)
    return getattr(inks, area.ink) if area.ink else inks.on(area.paper)


@lru_cache(maxsize=1024)
def sizes(height: int) -> tuple[int, ...]:
    """Font sizes to try for a line of at most this height, largest first."""
    size = int(height / (ASCENT + DESCENT))
    found = [size] if size > SMALLEST else []
    while size * _STEP > SMALLEST:
        size = int(size * _STEP)
        found.append(size)
    return (*found, SMALLEST) if not found or found[-1] > SMALLEST else tuple(found)


def _padding(area: Written, box: Box) -> int:
    """Between letters and the edge of their own paper or border."""
    return max(2, min(box.width, box.height) // 12) if area.paper or area.border else 0


def _draw_text(job: Job, area: TextArea, box: Box, texts: Texts) -> _Went:
    padding = _padding(area, box)
    inner = box.inset(padding, 0)
    lines = _fitting(area, inner, sizes(int(box.height * area.largest / 100)), texts, job.language)
    if lines is None:
        return LEFT_OUT
    top = _offset(area.valign, inner.height, lines.height)
    align = _MIRRORED[area.align] if lines.rtl else area.align
    widths = [lines.font.width(line) for line in lines.lines]
    starts = tuple(_offset(align, inner.width, width) for width in widths)
    ink = _ink(job, area)
    job.canvas.lines(inner, lines, ink, starts, top)
    if area.struck:
        _strike(job.canvas, inner, lines, starts, widths, top, ink)
    return _Went("drawn" if lines.whole else "cut", lines.font.cap_height)


def _fitting(area: TextArea, inner: Box, tried: tuple[int, ...], texts: Texts, language: str) -> Lines | None:
    """The first text that fits whole, else the last one that may be cut."""
    cut = None
    for pattern, text in texts:
        lines = fit(text, area.weight, tried, inner.width, inner.height, area.lines, language)
        if lines and lines.whole:
            return lines
        cut = cut if area.whole or is_figure(pattern) else lines
    return cut


_MIRRORED: Mapping[Align, Align] = {"start": "end", "center": "center", "end": "start"}
_PARTS = {"start": 0, "top": 0, "center": 1, "middle": 1, "end": 2, "bottom": 2}


def _offset(align: str, room: int, size: int) -> int:
    return max(0, room - size) * _PARTS[align] // 2


def _strike(
    canvas: Canvas, box: Box, lines: Lines, starts: tuple[int, ...], widths: list[int], top: int, ink: int
) -> None:
    type_ = lines.font
    thick = max(1, type_.size // 10)
    for number, (start, width) in enumerate(zip(starts, widths, strict=True)):
        y = box.top + top + number * type_.line_height + type_.ascent - (type_.cap_height + thick) // 2
        canvas.fill(Box(box.left + start, y, min(box.right, box.left + start + width), y + thick), ink)


def _draw_price(job: Job, area: PriceArea, box: Box, _texts: Texts) -> _Went:
    padding = _padding(area, box)
    inner = box.inset(padding, padding)
    ink = _ink(job, area)
    value = job.slot.value(area.field)
    if value is None:
        draw_dash(job.canvas, inner, ink)
        return EMPTY
    price = price_text(value, job.slot.currency, job.locale)
    if not area.currency:
        price = msgspec.structs.replace(price, symbol="")
    height = int(inner.height * area.largest / 100)
    setting = set_price(price, inner.width, height, raised=area.cents == "raised")
    if setting is None:
        draw_dash(job.canvas, inner, ink)
        return LEFT_OUT
    x = inner.left + _offset(area.align, inner.width, setting.width)
    middle = inner.top + _offset(area.valign, inner.height, setting.digit)
    top = max(inner.top - setting.top, min(middle, inner.bottom - setting.bottom))
    draw_price(job.canvas, x, top, setting, ink)
    return _Went("drawn", setting.digit)


def _draw_barcode(job: Job, area: BarcodeArea, box: Box, _texts: Texts) -> _Went:
    """Bars with the digits below where they fit; digits alone where there is no room for bars."""
    code = bars(job.slot.barcode)
    module = min(MOST_PIXELS_A_MODULE, box.width // len(code.modules)) if code and box.height >= SHORTEST_BARCODE else 0
    if code is None or module == 0:
        inner = box.inset(box.width // 30, 0)  # where bars have their quiet zone
        lines = fit(job.slot.barcode, "regular", (SMALLEST,), inner.width, inner.height)
        if lines is None:
            return LEFT_OUT
        starts = tuple(_offset(area.align, inner.width, lines.font.width(line)) for line in lines.lines)
        job.canvas.lines(inner, lines, BLACK, starts, _offset("middle", inner.height, lines.height))
        return _Went("cut", lines.font.cap_height)
    digits = font("regular", max(SMALLEST, min(LARGEST_DIGITS, box.height * 3 // 10)))
    width = len(code.modules) * module
    left = box.left + _offset(area.align, box.width, width)
    below = _room_below(code, digits, box, width) if area.digits else 0
    line = Image.frombytes("L", (len(code.modules), 1), code.modules.encode().translate(_BAR_INKS))
    job.canvas.image.paste(line.resize((width, box.height - below), Image.Resampling.NEAREST), (left, box.top))
    if below:
        x = min(max(box.left, left + (width - digits.width(code.digits)) // 2), box.right - digits.width(code.digits))
        job.canvas.word(x, box.bottom - _tail(code, digits), code.digits, digits, BLACK)
    return _Went("drawn", digits.cap_height if below else 0, module)


def _room_below(code: Bars, digits: Font, box: Box, width: int) -> int:
    """What digits take from the bars: nothing where they would stick out, or leave too little of them."""
    tail = _tail(code, digits)
    below = digits.ascent + tail if tail else digits.cap_height + 2
    fits = digits.width(code.digits) <= min(box.width, width * 12 // 10)
    return below if fits and box.height - below >= SHORTEST_BARCODE // 2 else 0


def _tail(code: Bars, digits: Font) -> int:
    """What letters and signs may reach below their line; digits do not."""
    return 0 if code.digits.isdigit() else digits.line_height - digits.ascent


def _draw_qr(job: Job, area: QrArea, box: Box, texts: Texts) -> _Went:
    rows = qr(texts[0][1])
    module = min(box.width, box.height) // len(rows) if rows else 0
    if rows is None or module < LEAST_PIXELS_A_QR_MODULE:
        return LEFT_OUT
    image = Image.frombytes("L", (len(rows), len(rows)), b"".join(rows).translate(_QR_INKS))
    side = len(rows) * module
    left = box.left + _offset(area.align, box.width, side)
    top = box.top + _offset("middle", box.height, side)
    job.canvas.image.paste(image.resize((side, side), Image.Resampling.NEAREST), (left, top))
    return _Went("drawn", module=module)


def _draw_image(job: Job, area: ImageArea, box: Box, _texts: Texts) -> _Went:
    if not box.width or not box.height:
        return LEFT_OUT
    image, mask = in_inks(job.images[area.file], job.palette, (box.width, box.height), photo=area.photo)
    left = box.left + _offset(area.align, box.width, image.width)
    job.canvas.image.paste(image, (left, box.top + _offset("middle", box.height, image.height)), mask)
    return DRAWN


def _draw_line(job: Job, area: LineArea, box: Box, _texts: Texts) -> _Went:
    thick = max(1, round(job.shorter_side * area.thickness / 100))
    if box.width >= box.height:
        top = box.top + _offset("middle", box.height, thick)
        line = Box(box.left, top, box.right, min(top + thick, max(box.bottom, top + 1)))
    else:
        left = box.left + _offset("center", box.width, thick)
        line = Box(left, box.top, min(left + thick, max(box.right, left + 1)), box.bottom)
    job.canvas.fill(line, getattr(inks_of(job.palette), area.ink))
    return DRAWN


def _draw_box(_job: Job, _area: AnyArea, _box: Box, _texts: Texts) -> _Went:
    return DRAWN


_DRAW: Mapping[type, Callable[..., _Went]] = {
    TextArea: _draw_text,
    PriceArea: _draw_price,
    BarcodeArea: _draw_barcode,
    QrArea: _draw_qr,
    ImageArea: _draw_image,
    LineArea: _draw_line,
    BoxArea: _draw_box,
}
