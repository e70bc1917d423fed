"""Template files: how a designer writes a label down, in TOML, and everything that can be wrong with one.

The structs here are the format; docs/templates.md explains it. Whatever is wrong is told with file, line and area.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from functools import lru_cache
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from service.core.label_fields import ATTRIBUTES, FIELDS, Kind, kind_of

FORMAT = 1
"""Of the files. Grows when a file comes to mean something else than before."""
MAX_FILE = 64 * 1024
"""Characters of one file."""
MAX_AREAS = 60
WORDS = "words."

Ink = Literal["black", "white", "accent", "second"]
"""`accent` is the panel's red, else its yellow, else black; `second` is yellow where a panel has both."""
Percent = Annotated[float, Meta(ge=0, le=100)]
Box = tuple[Percent, Percent, Percent, Percent]
Name = Annotated[str, Meta(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]
Word = Annotated[str, Meta(pattern=r"^[a-z0-9_]{1,63}$")]
Range = tuple[Annotated[float, Meta(ge=0)], Annotated[float, Meta(ge=0)]]
Align = Literal["start", "center", "end"]


class Strict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of a file: a key that it does not have is a fault, not a wish that nobody hears."""


class Compared(Strict, frozen=True, kw_only=True, rename={"at_least": "from", "other_than": "not"}):
    """A test of a number, or of a text.

    Attributes:
        at_least: The number is this or higher; the key is `from`.
        below: It is lower than this.
        other_than: The text is another one, or absent; the key is `not`.
    """

    at_least: float | None = None
    below: float | None = None
    other_than: str | None = None


Test = bool | str | float | list[str] | Compared
"""true: the field says something, or is true; false: it does not; a text or several: it says one of them."""
Tests = dict[str, Test]
"""Field -> test; all of them have to hold."""
When = Tests | list[Tests]
"""One such table, or several, of which one has to hold."""


class Shape(Strict, kw_only=True, frozen=True):
    """Panels, or a product's part of one, that are laid out alike; the first that fits is taken.

    Attributes:
        ratio: Of width to height: from, below.
        width: In pixels: from, below.
        height: In pixels: from, below.
    """

    name: Name
    ratio: Range | None = None
    width: Range | None = None
    height: Range | None = None

    def fits(self, width: int, height: int) -> bool:
        measured = ((self.ratio, width / height), (self.width, width), (self.height, height))
        return all(range_ is None or range_[0] <= value < range_[1] for range_, value in measured)

    @property
    def fits_all(self) -> bool:
        return self.ratio is None and self.width is None and self.height is None


class Area(Strict, kw_only=True, frozen=True, tag_field="kind"):
    """A part of a label.

    Attributes:
        box: Shape -> left, top, right and bottom in percent of the product's part of the panel. Where there is none
            for a shape, the area is not drawn on it.
        when: Draw it only for products of which this holds.
        paper: Fill it with this ink first.
        border: Draw its edge in this ink, one pixel wide on small panels.
    """

    box: dict[Name, Box]
    when: When = {}
    paper: Ink | None = None
    border: Ink | None = None


class Written(Area, kw_only=True, frozen=True):
    """What text and prices have in common.

    Attributes:
        ink: Of the letters; by default black, or what can be read on the paper.
        align: `start` is where the text's own script begins.
        largest: Height of the letters' line, or of a price from its top to a comma's tail, in percent of the box.
    """

    ink: Ink | None = None
    align: Align = "start"
    valign: Literal["top", "middle", "bottom"] = "middle"
    largest: Annotated[float, Meta(gt=0, le=100)] = 100


class TextArea(Written, tag="text", kw_only=True, frozen=True):
    """Text, as large as it fits in up to `lines` lines; what is too long ends with an ellipsis.

    Attributes:
        text: Words and `{fields}`; of several, the first whose fields all say something and that fits whole. Nothing
            is drawn, not even the paper, where none says anything.
        whole: Leave it out where it does not fit whole. Always so where it has a price, a number or a date in it.
        struck: With a line through it.
    """

    text: str | list[str]
    weight: Literal["regular", "bold"] = "regular"
    lines: Annotated[int, Meta(ge=1, le=20)] = 1
    whole: bool = False
    struck: bool = False


class PriceArea(Written, tag="price", kw_only=True, frozen=True):
    """A price in its own typography, as large as it fits; a dash where it is not known.

    Attributes:
        field: Which price.
        currency: Whether its sign is written.
        cents: `raised` stand level with the units' top, where they are large enough to be read; `level` beside them.
    """

    field: str = "price"
    currency: bool = True
    cents: Literal["raised", "level"] = "raised"
    align: Align = "center"
    largest: Annotated[float, Meta(gt=0, le=100)] = 88


class BarcodeArea(Area, tag="barcode", kw_only=True, frozen=True):
    """The product's barcode as bars, in whole pixels, quiet zones included; as digits where bars do not fit.

    Attributes:
        digits: Whether the digits stand below the bars.
    """

    digits: bool = True
    align: Align = "start"


class QrArea(Area, tag="qr", kw_only=True, frozen=True):
    """A QR code in whole pixels, quiet zone included; nothing where it does not fit."""

    text: str | list[str]
    align: Align = "center"


class ImageArea(Area, tag="image", kw_only=True, frozen=True):
    """A picture beside the template file: PNG, JPEG, GIF, WebP or BMP.

    Attributes:
        file: Its name, without a folder.
        photo: Dither it to the panel's inks; otherwise each pixel becomes the nearest ink.
    """

    file: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$")]
    photo: bool = False
    align: Align = "center"


class BoxArea(Area, tag="box", kw_only=True, frozen=True):
    """Paper, a border, or both."""


class LineArea(Area, tag="line", kw_only=True, frozen=True):
    """A line across the middle of its box, along the longer side.

    Attributes:
        thickness: Percent of the panel's shorter side; at least one pixel.
    """

    ink: Ink = "black"
    thickness: Annotated[float, Meta(gt=0, le=20)] = 0.7


AnyArea = TextArea | PriceArea | BarcodeArea | QrArea | ImageArea | BoxArea | LineArea


class Variant(Strict, kw_only=True, frozen=True):
    """Another template for products of which `when` holds; the first variant that holds is taken."""

    use: Name
    when: When = {}


class TemplateFile(Strict, kw_only=True, frozen=True):
    """One file: either areas and their shapes, or variants, which use other files.

    Attributes:
        format: Of the file; 1.
        version: Grows by whoever changes the file, or a picture or variant of it: what was on a shelf is known by it.
        slots: Products that have a part of the panel each, whether bound or not; more have one as they are bound.
        words: Name -> language -> text: for `{words.name}`, in the store's language, else in the first one named.
    """

    format: int
    version: Annotated[int, Meta(ge=1, le=10**9)]
    title: str = ""
    description: str = ""
    slots: Annotated[int, Meta(ge=1, le=12)] = 1
    variant: list[Variant] = []
    shape: list[Shape] = []
    area: dict[Name, AnyArea] = {}
    words: dict[Word, dict[Annotated[str, Meta(pattern="^[a-z]{2,3}$")], str]] = {}


class Fault(msgspec.Struct, frozen=True):
    """Something wrong in a file; `line` from 1, 0 where it is no line's fault."""

    file: str
    line: int
    area: str
    text: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where}: {f'area {self.area}: ' if self.area else ''}{self.text}"


class TemplateError(Exception):
    """A template cannot be used; `faults` has every reason."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(map(str, self.faults)))


_FIELD = re.compile(r"\{([^{}]*)\}")
_HEADER = re.compile(r"\s*\[\[?\s*([^\[\]]+?)\s*\]\]?\s*(#.*)?$")
_KEY = re.compile(r"\s*([\w\"'.\- ]+?)\s*=")
_STEP = re.compile(r"\w+")
_PATH = re.compile(r" - at `(?:key` in `)?\$([^`]*)`$")


def parse(file: str, text: str) -> TemplateFile:
    """The template in a file; raises TemplateError with all that is wrong in it."""
    if len(text) > MAX_FILE:
        raise TemplateError(
            [Fault(file, 0, "", f"A template has at most {MAX_FILE} characters; this has {len(text)}.")]
        )
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        at = re.search(r"line (\d+)", str(error))
        raise TemplateError([Fault(file, int(at[1]) if at else 0, "", f"This is no TOML: {error}.")]) from None
    except RecursionError:
        raise TemplateError([Fault(file, 0, "", "This is nested beyond reason.")]) from None
    return _Reader(file, text, raw).read()


class _Reader:
    """One file's faults, each with its line."""

    def __init__(self, file: str, text: str, raw: dict[str, Any]) -> None:
        self._file = file
        self._lines = dict(_lines(text))
        self._raw = raw
        self._faults: list[Fault] = []

    def read(self) -> TemplateFile:
        if self._raw.get("format") != FORMAT:
            self._fault((), "format", f"Write format = {FORMAT} at the top: the form of template file that this is.")
        areas = self._areas(self._raw.get("area", {}))
        head = self._converted({**self._raw, "area": {}}, TemplateFile, (), "")
        if head:
            head = msgspec.structs.replace(head, area=areas)
            self._check(head)
        if self._faults or head is None:
            raise TemplateError(sorted(set(self._faults), key=lambda fault: (fault.line, fault.area)))
        found: TemplateFile = head
        return found

    def _areas(self, raw: object) -> dict[str, AnyArea]:
        if not isinstance(raw, dict):
            self._fault((), "area", "Areas are tables, each with a name: [area.price].")
            return {}
        if len(raw) > MAX_AREAS:
            self._fault((), "area", f"A template has at most {MAX_AREAS} areas; this has {len(raw)}.")
            return {}
        found = {}
        for name, value in raw.items():
            path = ("area", name)
            if self._converted(name, Name, path, name) and (area := self._converted(value, AnyArea, path, name)):
                found[name] = area
        return found

    def _converted(self, value: object, type_: Any, path: tuple[str, ...], area: str) -> Any:
        try:
            return msgspec.convert(value, type_)
        except msgspec.ValidationError as error:
            words = str(error)
            inner = _PATH.search(words)
            keys = tuple(_STEP.findall(inner[1])) if inner else ()
            key = re.search(r"unknown field `([^`]+)`", words)
            text = _PATH.sub("", words)
            known = _keys_of(type_, value, keys)
            self._fault_at(
                (*path, *keys, *([key[1]] if key else [])), area, text + _meant(key[1] if key else "", known)
            )
            return None

    def _check(self, head: TemplateFile) -> None:
        if bool(head.area) == bool(head.variant):
            self._fault((), "", "A template has either areas or variants.")
        if head.variant and head.variant[-1].when:
            self._fault(("variant",), "", "The last variant has no `when`, so that there is one for every product.")
        if head.area and not (head.shape and head.shape[-1].fits_all):
            self._fault(("shape",), "", "The last shape has no conditions, so that there is one for every panel.")
        for number, variant in enumerate(head.variant):
            self._check_when(variant.when, ("variant", str(number)), "")
        shapes = {shape.name for shape in head.shape}
        for name, area in head.area.items():
            self._check_area(name, area, shapes, head)

    def _check_area(self, name: str, area: AnyArea, shapes: set[str], head: TemplateFile) -> None:
        path = ("area", name)
        self._check_when(area.when, path, name)
        for shape, (left, top, right, bottom) in area.box.items():
            if shape not in shapes:
                self._fault_at((*path, "box", shape), name, f"There is no shape {shape}.{_meant(shape, shapes)}")
            if left >= right or top >= bottom:
                text = f"The box of {shape} is left, top, right, bottom, in percent; this has no size."
                self._fault_at((*path, "box", shape), name, text)
        if isinstance(area, PriceArea) and kind_of(area.field) is not Kind.MONEY:
            self._fault_at((*path, "field"), name, f"{area.field} is not a price.{_meant(area.field, _MONEY)}")
        if isinstance(area, TextArea | QrArea):
            for pattern in patterns(area):
                self._check_pattern(pattern, path, name, head)

    def _check_pattern(self, pattern: str, path: tuple[str, ...], area: str, head: TemplateFile) -> None:
        where = (*path, "text")
        if "{" in _FIELD.sub("", pattern) or "}" in _FIELD.sub("", pattern):
            self._fault_at(where, area, f"A brace has no partner in {pattern!r}.")
        for field in fields_in(pattern):
            if field.startswith(WORDS):
                if not head.words.get(field.removeprefix(WORDS)):
                    self._fault_at(where, area, f"There are no [{field}] in this file.")
            elif kind_of(field) is None:
                self._fault_at(where, area, f"No product has a field {field}.{_meant(field, FIELDS)}")
            elif kind_of(field) is Kind.FLAG:
                self._fault_at(where, area, f"{field} is true or false and says nothing; ask for it in `when`.")

    def _check_when(self, when: When, path: tuple[str, ...], area: str) -> None:
        for field in (field for tests in alternatives(when) for field in tests):
            if kind_of(field) is None:
                text = f"No product has a field {field}.{_meant(field, FIELDS)}"
                self._fault_at((*path, "when"), area, text)

    def _fault(self, path: tuple[str, ...], key: str, text: str) -> None:
        self._fault_at((*path, key) if key else path, "", text)

    def _fault_at(self, path: tuple[str, ...], area: str, text: str) -> None:
        """Told with the line of the path, or of the nearest table around it."""
        line = next((self._lines[path[:end]] for end in range(len(path), 0, -1) if path[:end] in self._lines), 0)
        self._faults.append(Fault(self._file, line, area, text))


_MONEY = [name for name, field in FIELDS.items() if field.kind is Kind.MONEY]


def schema() -> dict[str, Any]:
    """The form of the files as JSON Schema, for editors that complete and check as one writes."""
    return msgspec.json.schema(TemplateFile)


def line_of(text: str, area: str) -> int:
    """Where an area begins in a file, from 1; 0 if it is not there."""
    return dict(_lines(text)).get(("area", area), 0)


def alternatives(when: When) -> list[Tests]:
    return when if isinstance(when, list) else [when]


def patterns(area: TextArea | QrArea) -> list[str]:
    return [area.text] if isinstance(area.text, str) else area.text


def fields_in(pattern: str) -> tuple[str, ...]:
    return parts_of(pattern)[1::2]


@lru_cache(maxsize=1024)
def parts_of(pattern: str) -> tuple[str, ...]:
    """Words and fields in turn, words first."""
    return tuple(part.strip() if number % 2 else part for number, part in enumerate(_FIELD.split(pattern)))


def _meant(written: str, known: Iterable[str]) -> str:
    near = get_close_matches(written, list(known), 1)
    return f" Is {near[0]} meant?" if near else ""


def _keys_of(type_: Any, value: object, inside: tuple[str, ...]) -> list[str]:
    """The keys that the table has in which an unknown one was found."""
    if type_ is AnyArea and isinstance(value, Mapping) and not inside:
        kinds = {kind.__struct_config__.tag: kind for kind in AnyArea.__args__}
        type_ = kinds.get(value.get("kind"), BoxArea)
    elif inside:
        type_ = {"shape": Shape, "variant": Variant}.get(inside[0], Compared)
    return list(type_.__struct_encode_fields__) if hasattr(type_, "__struct_encode_fields__") else []


def _lines(text: str) -> Iterator[tuple[tuple[str, ...], int]]:
    """Where each table and key stands: its path -> line from 1; the n-th of a list of tables has n in its path."""
    table: tuple[str, ...] = ()
    counts: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            table = _split(header[1])
            if line.lstrip().startswith("[["):
                counts[header[1]] = counts.get(header[1], -1) + 1
                yield table, number
                table = (*table, str(counts[header[1]]))
            yield table, number
        elif key := _KEY.match(line):
            parts = _split(key[1])
            for end in range(1, len(parts) + 1):
                yield (*table, *parts[:end]), number


def _split(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip().strip("\"'") for part in dotted.split("."))


def is_attribute(field: str) -> bool:
    return field.startswith(ATTRIBUTES)
