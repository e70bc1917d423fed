"""What is wrong with a template beyond its spelling: it is drawn on every common panel, and looked at.

Errors are what no shelf may show, and keep a template from being added; warnings are for its designer to judge.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations
from typing import Literal, NamedTuple

from display_drivers.base import Palette, Panel
from service.core.boxes import Box
from service.core.faces import SlotFace
from service.core.template_file import line_of
from service.core.template_format import AnyArea, BoxArea, ImageArea, LineArea, PriceArea, TextArea, Written
from service.core.templates import SUFFIX, Look, Template, fields_of
from service.rendering.areas import Mark
from service.rendering.canvas import Inks, inks_of
from service.rendering.fonts import without_glyph
from service.rendering.images import ImageError, in_inks
from service.rendering.render import draw
from service.rendering.samples import PALETTES, SAMPLES, SIZES, Sample

LEAST_PRICE = 12
"""Pixels of a digit of the price, unless the caller sets another height."""
_SAMPLE_PALETTE: Palette = "BWR"
_SHOWN_NAMES = 4


class Finding(NamedTuple):
    """`line` is from 1; 0 where it is no line's fault. `area` is empty where it is no area's."""

    level: Literal["error", "warning"]
    file: str
    line: int
    area: str
    text: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where}: {self.level}: {f'area {self.area}: ' if self.area else ''}{self.text}"


def lint(template: Template, least_price: int = LEAST_PRICE) -> list[Finding]:
    """Everything found, errors first. `least_price`: pixels of a digit under which a price is too small."""
    found = list(_pictures(template))
    if not found:
        found += _inspected(template, least_price)
    for look in template.looks:
        found += _contrasts(template, look)
        found += _letters(template, look)
    return sorted(set(found), key=lambda finding: (finding.level, finding.file, finding.line, finding.text))


def _finding(template: Template, look: Look, level: Literal["error", "warning"], area: str, text: str) -> Finding:
    line = line_of(template.bundle.files[look.name], area) if area else 0
    return Finding(level, look.name + SUFFIX, line, area, text)


def _pictures(template: Template) -> Iterator[Finding]:
    for look in template.looks:
        for name, area in look.file.area.items():
            if isinstance(area, ImageArea):
                try:
                    in_inks(template.bundle.images[area.file], _SAMPLE_PALETTE, (64, 64), photo=area.photo)
                except ImageError as error:
                    yield _finding(template, look, "error", name, f"{area.file}: {error}")


def _letters(template: Template, look: Look) -> Iterator[Finding]:
    """Words of the template itself that no font here can write."""
    for name, by_language in look.file.words.items():
        for language, words in by_language.items():
            if missing := without_glyph(words, "bold"):
                mend = 'East Asian ones: pip install "shelfcast[cjk]".'
                text = f"[words.{name}] {language}: no font here has {missing}. {mend}"
                yield _finding(template, look, "warning", "", text)


class _Seen:
    """What was seen of each look, gathered so that it is told once, with the panels and products it was seen with."""

    def __init__(self, template: Template) -> None:
        self._template = template
        self._seen: dict[tuple[Look, Literal["error", "warning"], str, str], dict[str, None]] = defaultdict(dict)

    def note(self, look: Look, level: Literal["error", "warning"], area: str, text: str, where: str) -> None:
        self._seen[look, level, area, text][where] = None

    def findings(self) -> Iterator[Finding]:
        for (look, level, area, text), places in self._seen.items():
            names = list(places)
            more = f" and {len(names) - _SHOWN_NAMES} more" if len(names) > _SHOWN_NAMES else ""
            yield _finding(self._template, look, level, area, f"{text} ({'; '.join(names[:_SHOWN_NAMES])}{more})")


def _inspected(template: Template, least_price: int) -> Iterator[Finding]:
    seen = _Seen(template)
    for width, height in SIZES:
        panel = Panel(width, height, _SAMPLE_PALETTE)
        for name, sample in SAMPLES.items():
            face = sample.face(template, panel)
            slot = face.slots[0]
            assert slot is not None  # noqa: S101 - for the type checker: every sample is a product
            look = template.look(slot.look, on_sale=slot.on_sale)
            marks = draw(face, template).marks
            marks = marks[: len(marks) // len(face.slots)]
            where = f"{width}x{height}, {name}"
            _judge(seen, look, slot, sample, marks, where, least_price)
    return seen.findings()


def _judge(
    seen: _Seen, look: Look, slot: SlotFace, sample: Sample, marks: list[Mark], where: str, least_price: int
) -> None:
    areas = look.file.area
    drawn = [mark for mark in marks if mark.state == "drawn"]
    says = {field for mark in drawn for field in fields_of(areas[mark.area])}
    has_price = sample.product.price is not None
    if has_price and "price" not in says:
        seen.note(look, "error", "", "The price is not shown.", where)
    if "name" not in {field for mark in marks for field in fields_of(areas[mark.area])}:
        seen.note(look, "warning", "", "The name is not shown.", where)
    if slot.on_sale and "price" in says and "regular" not in says:
        text = "A sale is shown without the price before it (98/6/EC, article 6a)."
        seen.note(look, "warning", "", text, where)
    for mark in marks:
        for text in _complaints(mark, areas[mark.area], sample, least_price):
            seen.note(look, "warning", mark.area, text, where)
    for one, other in _overlapping(drawn, areas):
        seen.note(look, "warning", other.area, f"It overlaps {one.area}.", where.partition(",")[0])


def _complaints(mark: Mark, area: AnyArea, sample: Sample, least_price: int) -> Iterator[str]:
    barcode = mark.kind == "barcode"
    if barcode and mark.state != "drawn" and not sample.extreme:
        yield "There is no room for bars, or they would be too low to scan: the digits are written instead."
    if mark.state == "cut" and not barcode:
        yield "The text is cut."
    if mark.state == "left out" and not (sample.extreme and not isinstance(area, PriceArea)):
        yield "It does not fit, and is left out."
    if isinstance(area, PriceArea) and mark.state == "drawn" and mark.height < least_price and not sample.extreme:
        yield f"The price's digits are {mark.height} pixels high; {least_price} are wanted."


def _overlapping(drawn: Iterable[Mark], areas: Mapping[str, AnyArea]) -> Iterator[tuple[Mark, Mark]]:
    inked = [mark for mark in drawn if not isinstance(areas[mark.area], BoxArea | ImageArea | LineArea)]
    for one, other in combinations(inked, 2):
        if _common(one.box, other.box):
            yield one, other


def _common(one: Box, other: Box) -> bool:
    return (
        max(one.left, other.left) < min(one.right, other.right)
        and max(one.top, other.top) < min(one.bottom, other.bottom)
    )  # fmt: skip


def _contrasts(template: Template, look: Look) -> Iterator[Finding]:
    """Letters that cannot be read on their paper, on any palette that panels have."""
    for shape in look.file.shape:
        below: list[tuple[AnyArea, tuple[float, float, float, float]]] = []
        for name, area, percent in look.placed(shape.name):
            if isinstance(area, TextArea | PriceArea):
                paper = area.paper or _paper_under(percent, below)
                for palette in PALETTES:
                    if not _readable(area, paper, inks_of(palette)):
                        text = f"On {palette} its ink cannot be read on its paper; leave `ink` out, or set `paper`."
                        yield _finding(template, look, "error", name, text)
                        break
            below.append((area, percent))


def _paper_under(
    percent: tuple[float, float, float, float], below: list[tuple[AnyArea, tuple[float, float, float, float]]]
) -> str | None:
    """The paper of the uppermost area below whose box holds the middle of this one."""
    x, y = (percent[0] + percent[2]) / 2, (percent[1] + percent[3]) / 2
    for area, (left, top, right, bottom) in reversed(below):
        if area.paper and not area.when and left <= x < right and top <= y < bottom:
            return area.paper
    return None


def _readable(area: Written, paper: str | None, inks: Inks) -> bool:
    """Dark on light or light on dark; yellow counts as light, as does white."""
    ink = getattr(inks, area.ink) if area.ink else inks.on(area.paper)
    on = getattr(inks, paper) if paper else inks.white
    return (ink in inks.dark) != (on in inks.dark)
