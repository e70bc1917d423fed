"""Fonts: which one has a letter, and words as they are drawn: shaped, hinted for one bit a pixel, and remembered.

HarfBuzz shapes and FreeType draws, both as their own packages carry them, so that a label is the same on every machine,
whatever its system has installed. Each weight is a list of fonts; a letter is drawn by the first that has it. The first
covers Latin, Greek, Cyrillic, Hebrew and Arabic, and its licence is beside it; the others come as packages (OFL 1.1).
"""

import threading
import unicodedata
import weakref
from collections.abc import Iterator, Sequence
from functools import cached_property, lru_cache
from importlib.resources import files
from importlib.util import find_spec
from itertools import count, groupby
from typing import Any, Literal, NamedTuple

import freetype
import uharfbuzz
from PIL import Image

Weight = Literal["regular", "bold"]


class Source(NamedTuple):
    """A font file in a package; `axis` is its weight where one file has them all. Left out if it is not installed."""

    package: str
    file: str
    axis: int | None = None


SOURCES: dict[Weight, tuple[Source, ...]] = {
    "regular": (
        Source("service.rendering", "fonts/DejaVuSansCondensed.ttf"),
        Source("fontpkg_noto_sans_thai", "files/NotoSansThai[wdth,wght].ttf", 450),
        Source("noto_cjk_sans_jp_regular", "NotoSansCJKjp-Regular.otf"),
    ),
    "bold": (
        Source("service.rendering", "fonts/DejaVuSansCondensed-Bold.ttf"),
        Source("fontpkg_noto_sans_thai", "files/NotoSansThai[wdth,wght].ttf", 700),
        Source("noto_cjk_sans_jp_bold", "NotoSansCJKjp-Bold.otf"),
    ),
}

SMALLEST = 12
"""Pixels of an em below which nothing is written: a capital is then 9 pixels high."""

# Of one em, the same in both weights; the ascent leaves room for an accent on a capital.
ASCENT, DESCENT = 0.94, 0.24

_MONO = freetype.FT_LOAD_RENDER | freetype.FT_LOAD_TARGET_MONO
_RIGHT_TO_LEFT = frozenset({"R", "AL"})
_CLINGING = frozenset({"NSM", "BN"})
"""Bidirectional classes of marks and joiners, which go with the letter beside them."""


class Glyph(NamedTuple):
    """One glyph's ink, None if it has none, its corner relative to the pen, and how far the pen moves; pixels."""

    ink: Image.Image | None
    left: int
    top: int
    advance: int


class Word:
    """Glyphs side by side. Most words are only measured, at sizes that turn out too large, so ink is put together late.

    Attributes:
        left, top, bottom: Of the ink, to the right and up from the pen's start; 0 where there is none.
        advance: How far the pen moves.
        width: To the pen's end or to the end of the ink, whichever is further.
    """

    __slots__ = ("_ink", "_placed", "advance", "bottom", "left", "top", "width")

    def __init__(self, placed: Sequence[tuple[Image.Image, int, int]], advance: int) -> None:
        self._placed = placed
        self._ink: Image.Image | None = None
        self.advance = self.width = advance
        self.left = self.top = self.bottom = 0
        if placed:
            self.left, self.top = min(x for _, x, _ in placed), max(y for _, _, y in placed)
            self.bottom = min(y - ink.height for ink, _, y in placed)
            self.width = max(advance, *(x + ink.width for ink, x, _ in placed))

    @property
    def ink(self) -> Image.Image | None:
        """Its corner is at (left, top); None for blanks and the like."""
        placed = self._placed  # read once, and emptied last: whoever finds it empty finds the ink
        if placed:
            right = max(x + ink.width for ink, x, _ in placed)
            whole = Image.new("1", (right - self.left, self.top - self.bottom))
            for ink, x, y in placed:
                whole.paste(1, (x - self.left, self.top - y), ink)
            self._ink = whole
            self._placed = ()
        return self._ink


class _File:
    """What all sizes of a font file share: it is in memory once."""

    def __init__(self, source: Source) -> None:
        self.path = str(files(source.package).joinpath(source.file))
        self.shapes = uharfbuzz.Face(uharfbuzz.Blob.from_file_path(self.path))
        self.letters = frozenset(map(chr, self.shapes.unicodes))


@lru_cache(maxsize=32)
def _file(source: Source) -> _File:
    return _File(source)


_opening = threading.Lock()
"""FreeType wants one opener at a time; beyond that, faces of their own are safe beside each other."""


class _Typeface:
    """One font file at one size, opened for drawing once it has to draw. Not safe to use from several threads."""

    def __init__(self, source: Source, size: int) -> None:
        self._source, self._size = source, size
        self._file = _file(source)
        self._glyphs: dict[int, Glyph] = {}

    @cached_property
    def _drawn(self) -> Any:
        with _opening:
            face = freetype.Face(self._file.path)
        if self._source.axis is not None:
            axes = face.get_variation_info().axes
            face.set_var_design_coords([self._source.axis if axis.tag == "wght" else axis.default for axis in axes])
        face.set_pixel_sizes(0, self._size)
        return face

    @cached_property
    def _shaped(self) -> Any:
        font = uharfbuzz.Font(self._file.shapes)
        if self._source.axis is not None:
            font.set_variations({"wght": self._source.axis})
        font.scale = (self._size * 64, self._size * 64)
        return font

    def has(self, letter: str) -> bool:
        return letter in self._file.letters

    def place(self, text: str, language: str, *, rtl: bool) -> Iterator[tuple[Glyph, int, int]]:
        """Glyphs from left to right, each with its offset to the right and up; `text` in logical order."""
        buffer = uharfbuzz.Buffer()
        buffer.add_str(text)
        buffer.guess_segment_properties()
        buffer.direction = "rtl" if rtl else "ltr"
        if language:
            buffer.language = language
        uharfbuzz.shape(self._shaped, buffer)
        for info, position in zip(buffer.glyph_infos, buffer.glyph_positions, strict=True):
            glyph = self.glyph(info.codepoint)
            # Hinting rounds the advance its own way; what shaping adds to it, such as kerning, is kept.
            kerning = position.x_advance - self._shaped.get_glyph_h_advance(info.codepoint)
            advance = glyph.advance + round(kerning / 64) if position.x_advance else 0
            yield glyph._replace(advance=advance), round(position.x_offset / 64), round(position.y_offset / 64)

    def glyph(self, index: int) -> Glyph:
        known = self._glyphs.get(index)
        if known is None:
            self._drawn.load_glyph(index, _MONO)
            slot = self._drawn.glyph
            bitmap = slot.bitmap
            size = (bitmap.width, bitmap.rows)
            ink = Image.frombytes("1", size, bytes(bitmap.buffer), "raw", "1", bitmap.pitch) if all(size) else None
            known = self._glyphs[index] = Glyph(ink, slot.bitmap_left, slot.bitmap_top, slot.advance.x // 64)
        return known


class Font:
    """One weight at one size, in pixels of an em. Safe to use from several threads.

    `language`: of `han_of`, since the same ideograph is written otherwise in Chinese, Japanese and Korean.
    """

    def __init__(self, weight: Weight, size: int, language: str = "") -> None:
        self.size = size
        self._language = language
        self.faces = [_Typeface(source, size) for source in SOURCES[weight] if _is_installed(source.package)]
        self._words: dict[str, Word] = {}
        self._lock = threading.Lock()
        _living.add(self)
        self.ascent = round(size * ASCENT)
        self.line_height = self.ascent + round(size * DESCENT)
        self.cap_height = self.word("8").top
        self.blank = self.word(" ").advance

    def width(self, visual: str) -> int:
        """Pixels from the pen's start to the end of the ink or of the advance, whichever is further."""
        words = [self.word(word) for word in visual.split(" ")]
        return sum(word.advance for word in words[:-1]) + self.blank * (len(words) - 1) + words[-1].width

    def write(self, image: Image.Image, x: int, baseline: int, visual: str, ink: int) -> None:
        """Text in the order in which it is drawn, from the pen's start at x; what is outside the image is cut off."""
        for word in map(self.word, visual.split(" ")):
            if mask := word.ink:
                image.paste(ink, (x + word.left, baseline - word.top), mask)
            x += word.advance + self.blank

    def word(self, visual: str) -> Word:
        """A word in the order in which it is drawn, from the left."""
        known = self._words.get(visual)
        if known is None:
            with self._lock:
                known = self._words[visual] = self._drawn(visual)
            _make_room()
        return known

    def forget(self) -> None:
        with self._lock:
            self._words = {}

    def _drawn(self, visual: str) -> Word:
        pen, placed = 0, list[tuple[Image.Image, int, int]]()
        for face, text, rtl in self._runs(visual):
            for glyph, right, up in face.place(text, self._language, rtl=rtl):
                if glyph.ink:
                    placed.append((glyph.ink, pen + glyph.left + right, glyph.top + up))
                pen += glyph.advance
        return Word(placed, pen)

    def _runs(self, visual: str) -> Iterator[tuple[_Typeface, str, bool]]:
        """Parts that one font draws in one direction, from the left; each in logical order."""
        for rtl, part in _directions(visual):
            runs = [(face, "".join(letters)) for face, letters in self._by_face(part)]
            for face, text in reversed(runs) if rtl else runs:
                yield face, text, rtl

    def _by_face(self, text: str) -> list[tuple[_Typeface, list[str]]]:
        if text and text.isascii() and text.isprintable():
            return [(self.faces[0], list(text))]
        runs: list[tuple[_Typeface, list[str]]] = []
        for letter in text:
            clings = runs and unicodedata.bidirectional(letter) in _CLINGING
            face = runs[-1][0] if clings and runs[-1][0].has(letter) else self._face_of(letter)
            if runs and runs[-1][0] is face:
                runs[-1][1].append(letter)
            else:
                runs.append((face, [letter]))
        return runs

    def _face_of(self, letter: str) -> _Typeface:
        """The first font that has it; what none has is a box of the first."""
        return next((face for face in self.faces if face.has(letter)), self.faces[0])


def without_glyph(text: str, weight: Weight = "regular") -> str:
    """The letters of a text that no installed font has: each is drawn as an empty box."""
    faces = font(weight, SMALLEST).faces
    return "".join(sorted({c for c in text if c.isprintable() and not any(face.has(c) for face in faces)}))


def _directions(visual: str) -> Iterator[tuple[bool, str]]:
    """Parts of one direction, from the left: (right to left?, text in logical order)."""
    if visual.isascii():
        yield False, visual
        return
    for rtl, part in groupby(zip(_are_rtl(visual), visual, strict=True), key=lambda pair: pair[0]):
        text = "".join(letter for _, letter in part)
        yield rtl, text[::-1] if rtl else text


def _are_rtl(visual: str) -> Sequence[bool]:
    """Of each character whether it runs from right to left; the marks of such a letter stand before it."""
    classes = [unicodedata.bidirectional(letter) for letter in visual]
    found: list[bool] = []
    following = False
    for kind in reversed(classes):
        following = following if kind in _CLINGING else kind in _RIGHT_TO_LEFT
        found.append(following)
    return found[::-1]


@lru_cache(maxsize=64)
def _is_installed(package: str) -> bool:
    return find_spec(package) is not None


REMEMBERED = 20_000
"""Words of all fonts together, some 30 MB: a store has some thousand, each measured at a few sizes."""
_living: "weakref.WeakSet[Font]" = weakref.WeakSet()
_remembered = count()


def _make_room() -> None:
    """Forget everything at once from time to time: no word is drawn more than twice as often for that."""
    if next(_remembered) % REMEMBERED == REMEMBERED - 1:
        for each in list(_living):
            each.forget()


@lru_cache(maxsize=256)
def font(weight: Weight, size: int, language: str = "") -> Font:
    return Font(weight, size, language)


@lru_cache(maxsize=256)
def han_of(locale: str) -> str:
    """How ideographs are written where a locale is at home, as OpenType's language; empty for the font's own way."""
    parts = locale.replace("_", "-").lower().split("-")
    if parts[0] == "zh":
        return "zh-hant" if {"hant", "tw", "hk", "mo"} & set(parts) else "zh-hans"
    return "ko" if parts[0] == "ko" else ""
