"""The form of template files: the tables that a designer writes, in TOML, and what their keys mean.

docs/templates.md explains it; `template_file` reads it.
"""

import re
from functools import lru_cache
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

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
        measured = ((self.ratio, width / max(1, height)), (self.width, width), (self.height, height))
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


_FIELD = re.compile(r"\{([^{}]*)\}")
_LONE = re.compile(r"[{}]")


def schema() -> dict[str, Any]:
    """The form of the files as JSON Schema, for editors that complete and check as one writes."""
    return msgspec.json.schema(TemplateFile)


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


def has_lone_brace(pattern: str) -> bool:
    return bool(_LONE.search(_FIELD.sub("", pattern)))
