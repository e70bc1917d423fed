"""Words to lines: bidirectional order, wrapping, cutting with an ellipsis, and the size at which all fits.

Text comes in logical order. Lines are broken first, and each line is put into visual order last, as UAX #9 asks. A word
is shaped by its font, which turns what runs from right to left around again (`fonts`).
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

import msgspec
from bidi import get_base_level, get_display
from bidi.mirror import MIRRORED

from service.rendering.fonts import SMALLEST, Font, Weight, font
from service.rendering.pieces import Piece, joined, pieces_of

ELLIPSIS = "…"
ANY_NUMBER = 1000
DIRECTING = "Cf"  # joiners and bidirectional marks: without ink, but they decide how others look
JOINERS = "\u200c\u200d"  # which the font has to see
INVISIBLE = frozenset({"Cc", DIRECTING, "Cs", "Zl", "Zp"})

# What makes a line need reordering: right-to-left scripts, and the marks and overrides that ask for it.
_RTL = re.compile(
    "[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff\U00010800-\U00010fff\U0001e800-\U0001efff\u200f\u202b\u202e\u2067]"
)

MARK = "\ufe00"  # a variation selector: nonspacing, and of no use to these fonts
_BRACKET = re.compile(f"[{re.escape(''.join(MIRRORED))}]")
_MARKED_BRACKET = re.compile(f"({_BRACKET.pattern}){MARK}|{MARK}({_BRACKET.pattern})")


class Lines(msgspec.Struct, frozen=True):
    """Text ready to draw.

    Attributes:
        font: What it was measured with.
        lines: Each in visual order.
        rtl: Whether the paragraph starts at the right.
        whole: False if an ellipsis stands for what did not fit.
    """

    font: Font
    lines: tuple[str, ...]
    rtl: bool = False
    whole: bool = True

    @property
    def height(self) -> int:
        return self.font.line_height * len(self.lines)


def fit(
    text: str,
    weight: Weight,
    sizes: Iterable[int],
    width: int,
    height: int,
    most_lines: int = ANY_NUMBER,
    language: str = "",
) -> Lines | None:
    """The text at the first of `sizes` (largest first) at which it fits whole, else cut at the last one that has room.

    None if there is no text or no room for one letter of it. `language` is for the font.
    """
    paragraph = shaped(text)
    if not paragraph:
        return None
    rtl = is_rtl(paragraph)
    pieces = pieces_of(paragraph)
    fonts = [font(weight, size, language) for size in sizes]
    widest, total = _ems(paragraph, weight, rtl)
    for type_ in fonts:
        room = min(most_lines, height // type_.line_height)
        if widest * type_.size > width or total * type_.size > width * room:
            continue
        if lines := _set(pieces, rtl, type_, width, room):
            return lines
    return _broken(paragraph, rtl, fonts, width, height, most_lines)


_NARROWER = 0.8
"""What is measured at one size takes at least this share of it, in ems, at another: hinting rounds each letter."""


@lru_cache(maxsize=8192)
def _ems(paragraph: str, weight: Weight, rtl: bool) -> tuple[float, float]:
    """Of the widest piece and of all: no fewer ems than these at any size, so that most sizes need not be tried."""
    small = font(weight, SMALLEST)
    widths = [small.width(visual(piece.text, rtl)) for piece in pieces_of(paragraph)]
    return max(widths) * _NARROWER / small.size, sum(widths) * _NARROWER / small.size


def _broken(text: str, rtl: bool, fonts: list[Font], width: int, height: int, most_lines: int) -> Lines | None:
    """For what does not fit at any size: words may be broken anywhere, and an ellipsis stands for what is left over."""
    cut = None
    for type_ in fonts:
        lines = _wrap(text, rtl, type_, width, min(most_lines, height // type_.line_height))
        if lines and lines.whole:
            return lines
        cut = lines or cut
    return cut


def _set(pieces: tuple[Piece, ...], rtl: bool, type_: Font, width: int, room: int) -> Lines | None:
    """All pieces in up to `room` lines of about the same length; None if they do not fit."""
    widths = [type_.width(visual(piece.text, rtl)) for piece in pieces]
    if room == 0 or max(widths) > width:
        return None
    starts = _starts(pieces, widths, type_.blank, width)
    if len(starts) > room:
        return None
    if len(starts) > 1:  # the narrowest measure that needs no further line, so that no word is left alone
        low, high = max(widths), width
        while low < high:
            middle = (low + high) // 2
            if len(_starts(pieces, widths, type_.blank, middle)) > len(starts):
                low = middle + 1
            else:
                high = middle
        starts = _starts(pieces, widths, type_.blank, high)
    lines = [pieces[start:end] for start, end in zip(starts, [*starts[1:], None], strict=True)]
    return Lines(type_, tuple(visual(joined(line), rtl) for line in lines), rtl)


def _starts(pieces: tuple[Piece, ...], widths: list[int], blank: int, width: int) -> list[int]:
    """Where lines begin, if each takes as many pieces as fit."""
    starts, x = [0], 0
    for number, (piece, wide) in enumerate(zip(pieces, widths, strict=True)):
        gap = blank if piece.after_blank and x else 0
        if x and x + gap + wide > width:
            starts.append(number)
            x = wide
        else:
            x += gap + wide
    return starts


def shaped(text: str) -> str:
    """Blanks collapsed, nothing that cannot be drawn; still in logical order."""
    text = " ".join(text.split())
    if text.isascii() and text.isprintable():
        return text
    return _without(text, INVISIBLE - {DIRECTING})


def is_rtl(shaped_text: str) -> bool:
    """Whether the first letter with a direction says right to left (UAX #9, P2 and P3)."""
    return bool(_RTL.search(shaped_text)) and get_base_level(shaped_text) == 1


@lru_cache(maxsize=16384)
def visual(shaped_text: str, rtl: bool) -> str:
    """One line in the order in which it is drawn, rid of the marks that only direct it."""
    if shaped_text.isascii():
        return shaped_text
    if rtl or _RTL.search(shaped_text):
        shaped_text = _reordered(shaped_text, "R" if rtl else "L")
    return _without(shaped_text, INVISIBLE)


def _reordered(text: str, base: str) -> str:
    """Visual order, with brackets turned around where they run from right to left (UAX #9, L4).

    The library orders but turns nothing around. A mark behind each bracket tells the direction that it was given: it
    takes the bracket's own (rule W1), so it stands before the bracket where that direction is right to left.
    """
    marked = _BRACKET.sub(rf"\g<0>{MARK}", text.replace(MARK, ""))
    ordered = str(get_display(marked, base_dir=base))
    return _MARKED_BRACKET.sub(lambda found: found[1] or MIRRORED[found[2]], ordered)


def _without(text: str, categories: frozenset[str]) -> str:
    return "".join(c for c in text if c in JOINERS or unicodedata.category(c) not in categories)


def _wrap(text: str, rtl: bool, type_: Font, width: int, room: int) -> Lines | None:
    if room == 0:
        return None
    lines: list[str] = []
    rest = text.split(" ")
    while rest and len(lines) < room:
        if len(lines) == room - 1 and not _fits(" ".join(rest), rtl, type_, width):
            return _cut(lines, " ".join(rest), rtl, type_, width)
        line, rest = _next_line(rest, rtl, type_, width)
        if not line:
            return None
        lines.append(line)
    return Lines(type_, tuple(visual(line, rtl) for line in lines), rtl)


def text_width(text: str, type_: Font, rtl: bool = False) -> int:
    """Word by word, as words come again and lines do not; never less than the line's own width."""
    words = text.split(" ")
    return sum(type_.width(visual(word, rtl)) for word in words) + (len(words) - 1) * type_.width(" ")


def _fits(text: str, rtl: bool, type_: Font, width: int) -> bool:
    return text_width(text, type_, rtl) <= width


def _next_line(words: list[str], rtl: bool, type_: Font, width: int) -> tuple[str, list[str]]:
    """As many words as fit, at least one; a word wider than the line is broken where the line ends."""
    count = 1
    while count < len(words) and _fits(" ".join(words[: count + 1]), rtl, type_, width):
        count += 1
    line, rest = " ".join(words[:count]), words[count:]
    if count > 1 or _fits(line, rtl, type_, width):
        return line, rest
    head = _longest(line, "", rtl, type_, width)
    return head, [line[len(head) :], *rest]


def _longest(text: str, tail: str, rtl: bool, type_: Font, width: int) -> str:
    """The longest beginning of the text that fits together with the tail; empty if none does."""
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if _fits(text[:middle] + tail, rtl, type_, width):
            low = middle
        else:
            high = middle - 1
    return text[:low]


def _cut(lines: list[str], rest: str, rtl: bool, type_: Font, width: int) -> Lines | None:
    head = _longest(rest, ELLIPSIS, rtl, type_, width).rstrip(" ,.;:-/(")
    if not head:
        return None
    lines = [*lines, head + ELLIPSIS]
    return Lines(type_, tuple(visual(line, rtl) for line in lines), rtl, whole=False)
