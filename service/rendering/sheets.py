"""Contact sheets: one template on every panel, with ordinary products and extreme ones, for people to look at."""

from collections.abc import Iterable, Mapping

from PIL import Image, ImageDraw

from display_drivers.base import Panel
from service.core.templates import Template
from service.rendering.images import INKS
from service.rendering.png import encoded
from service.rendering.render import render
from service.rendering.samples import PALETTES, SAMPLES, SIZES, Sample
from service.rendering.text import fit

GAP = 12
_CAPTION = 14
_WIDEST = 1700
_WALL, _INK = 4, 0
_COLOURS = (*INKS.values(), (226, 226, 226))


def sheet(template: Template) -> bytes:
    """As a PNG."""
    return encoded(picture(template))


def picture(template: Template, samples: Mapping[str, Sample] = SAMPLES) -> Image.Image:
    """Each size of panel with each product. The palettes take turns, so that every one is seen."""
    frames = []
    for row, (width, height) in enumerate(SIZES):
        for column, (name, sample) in enumerate(samples.items()):
            panel = Panel(width, height, PALETTES[(row + column + 1) % len(PALETTES)])
            frames.append((f"{panel.name} {name}", _picture(template, sample, panel)))
    return _pasted(frames)


def _picture(template: Template, sample: Sample, panel: Panel) -> Image.Image:
    inks = bytes(list(INKS).index(ink) for ink in panel.palette).ljust(256, b"\0")
    pixels = render(sample.face(template, panel), template).pixels
    return Image.frombytes("P", (panel.width, panel.height), pixels.translate(inks))


def _pasted(frames: Iterable[tuple[str, Image.Image]]) -> Image.Image:
    """Line by line, as words are set."""
    placed: list[tuple[int, int, str, Image.Image]] = []
    x = y = GAP
    tallest = 0
    for caption, picture in frames:
        if x + picture.width + GAP > _WIDEST and x > GAP:
            x, y, tallest = GAP, y + tallest + _CAPTION + 2 * GAP, 0
        placed.append((x, y, caption, picture))
        x += picture.width + GAP
        tallest = max(tallest, picture.height)
    whole = Image.new("P", (_WIDEST, y + tallest + _CAPTION + GAP), _WALL)
    whole.putpalette([channel for colour in _COLOURS for channel in colour])
    draw = ImageDraw.Draw(whole)
    for left, top, caption, picture in placed:
        draw.rectangle((left - 1, top - 1, left + picture.width, top + picture.height), outline=_INK)
        whole.paste(picture, (left, top))
        if words := fit(caption, "regular", (12,), picture.width, 2 * _CAPTION, 1):
            words.font.write(whole, left, top + picture.height + _CAPTION, words.lines[0], _INK)
    return whole
