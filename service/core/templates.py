"""Templates ready for use: a bundle of files that is all that a label is drawn from, and what of a product it shows.

Conditions are decided when a face is planned, so that a face has what a shopper sees and no more: which variant was
chosen, which conditional areas are drawn, and the fields that are written in them. A stock that only decides whether a
label says "sold out" costs no refresh from 12 to 11.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property, lru_cache
from typing import NamedTuple

import msgspec

from service.core.boxes import Box
from service.core.label_fields import Kind, Said, kind_of
from service.core.template_file import Fault, TemplateError, parse
from service.core.template_format import (
    FORMAT,
    WORDS,
    AnyArea,
    Compared,
    ImageArea,
    PriceArea,
    QrArea,
    TemplateFile,
    Test,
    TextArea,
    When,
    alternatives,
    fields_in,
    patterns,
)

DEFAULT = "price"
"""The template of stores that choose none."""
SUFFIX = ".toml"
MAX_IMAGE = 256 * 1024
"""Bytes of one picture beside a template."""
MAX_BUNDLE = 1024 * 1024
"""Bytes of a template with its variants and pictures."""
_MOST_SIZES = 500

Condition = Callable[[Said], bool]


class Bundle(msgspec.Struct, frozen=True):
    """Everything that a template is made of: what is stored, and what its digest is of.

    Attributes:
        name: File name of its first file, without the suffix.
        files: Name -> text of it and of the files that its variants use.
        images: File name -> bytes.
    """

    name: str
    files: dict[str, str]
    images: dict[str, bytes] = {}


_encode = msgspec.json.Encoder(order="deterministic").encode
_decode = msgspec.json.Decoder(Bundle).decode


def bundled(name: str, text: Callable[[str], str | None], image: Callable[[str], bytes | None]) -> Bundle:
    """Gather a template and whatever it uses; the callables give a file's text and a picture's bytes, or None.

    Raises TemplateError for what is missing or cannot be read.
    """
    files, images, faults = dict[str, str](), dict[str, bytes](), list[Fault]()
    missing = "There is no such file."
    todo = [name]
    while todo:
        one = todo.pop()
        found = text(one)
        if found is None:
            faults.append(Fault(one + SUFFIX, 0, "", missing))
            continue
        files[one] = found
        try:
            file = parse(one + SUFFIX, found)
        except TemplateError as error:
            faults += error.faults
            continue
        todo += [variant.use for variant in file.variant if variant.use not in files]
        for area_name, area in file.area.items():
            if isinstance(area, ImageArea) and area.file not in images:
                data = image(area.file)
                if data is None:
                    faults.append(Fault(one + SUFFIX, 0, area_name, f"There is no picture {area.file} beside it."))
                elif len(data) > MAX_IMAGE:
                    faults.append(Fault(one + SUFFIX, 0, area_name, f"{area.file} has over {MAX_IMAGE} bytes."))
                else:
                    images[area.file] = data
    if faults:
        raise TemplateError(faults)
    return Bundle(name, files, images)


class Placed(NamedTuple):
    """An area on a panel of a certain shape."""

    name: str
    area: AnyArea
    percent: tuple[float, float, float, float]


class Shown(NamedTuple):
    """What of a product is shown: the names of the conditional areas that are drawn, and the fields that they need."""

    look: str | None
    areas: tuple[str, ...]
    fields: frozenset[str]


class Look:
    """One file of areas: how products look for which its variant was chosen."""

    def __init__(self, name: str, when: When, file: TemplateFile) -> None:
        self.name = name
        self.holds = condition(when)
        self.file = file
        self._placed: dict[str, tuple[Placed, ...]] = {}
        self._shapes: dict[tuple[int, int], str] = {}
        self._asked: dict[str, tuple[tuple[str, Condition], ...]] = {}
        self._fields: dict[tuple[str, tuple[str, ...]], frozenset[str]] = {}

    def shape(self, width: int, height: int) -> str:
        if (width, height) not in self._shapes:
            if len(self._shapes) >= _MOST_SIZES:  # previews may ask for any
                self._shapes.clear()
            fits = (shape.name for shape in self.file.shape if shape.fits(width, height))
            self._shapes[width, height] = next(fits)
        return self._shapes[width, height]

    def placed(self, shape: str) -> tuple[Placed, ...]:
        """The areas of a shape in the order of the file: later ones are drawn over earlier ones."""
        if shape not in self._placed:
            self._placed[shape] = tuple(
                Placed(name, area, area.box[shape]) for name, area in self.file.area.items() if shape in area.box
            )
        return self._placed[shape]

    def shown(self, shape: str, said: Said) -> tuple[tuple[str, ...], frozenset[str]]:
        if shape not in self._asked:
            self._asked[shape] = tuple((p.name, condition(p.area.when)) for p in self.placed(shape) if p.area.when)
        held = tuple([name for name, holds in self._asked[shape] if holds(said)])
        key = shape, held
        if key not in self._fields:
            drawn = (p.area for p in self.placed(shape) if not p.area.when or p.name in held)
            self._fields[key] = frozenset(field for area in drawn for field in fields_of(area))
        return held, self._fields[key]


class Template:
    """A bundle, read. Raises TemplateError with all that is wrong in it."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self.name = bundle.name
        files = {name: parse(name + SUFFIX, text) for name, text in bundle.files.items()}
        first = files[bundle.name]
        self.file = first
        self.version = first.version
        self.looks = tuple(_looks(bundle.name, first, files))

    @cached_property
    def content(self) -> bytes:
        """The bundle as it is stored."""
        return _encode(self.bundle)

    @cached_property
    def digest(self) -> str:
        """32 hexadecimal digits of all that a label is drawn from but the product."""
        return hashlib.blake2b(self.content, digest_size=16).hexdigest()

    @classmethod
    def stored(cls, content: bytes | str) -> "Template":
        """The inverse of `content`; raises TemplateError also for what cannot have been that."""
        try:
            bundle = _decode(content)
            return cls(bundle)
        except (msgspec.MsgspecError, KeyError, UnicodeDecodeError) as error:
            raise TemplateError([Fault("", 0, "", f"The stored template cannot be read: {error}.")]) from error

    def look(self, name: str | None, *, on_sale: bool = False) -> Look:
        """By the name that a face has. Faces of before there were looks have none: a sale is drawn as one."""
        wanted = name or ("sale" if on_sale else "")
        return next((look for look in self.looks if look.name == wanted), self.looks[-1])

    def shown(self, cell: Box, said: Said) -> Shown:
        """What a label with such a cell shows of a product."""
        look = next(look for look in self.looks if look.holds(said))
        areas, fields = look.shown(look.shape(cell.width, cell.height), said)
        return Shown(look.name if len(self.looks) > 1 else None, areas, fields)


def _looks(name: str, first: TemplateFile, files: Mapping[str, TemplateFile]) -> Iterator[Look]:
    if not first.variant:
        yield Look(name, {}, first)
    for variant in first.variant:
        if files[variant.use].variant:
            text = f"{variant.use} has variants of its own; a variant uses a file with areas."
            raise TemplateError([Fault(name + SUFFIX, 0, "", text)])
        yield Look(variant.use, variant.when, files[variant.use])


def fields_of(area: AnyArea) -> Iterator[str]:
    """The product's fields that an area writes."""
    if isinstance(area, PriceArea):
        yield area.field
    elif isinstance(area, TextArea | QrArea):
        for pattern in patterns(area):
            yield from (field for field in fields_in(pattern) if not field.startswith(WORDS))


def condition(when: When) -> Condition:
    """Ready to be asked of every product of a feed."""
    ways = [tuple(_asks(field, test) for field, test in tests.items()) for tests in alternatives(when)]
    if len(ways) == 1 and len(ways[0]) == 1:  # nearly every condition
        return ways[0][0]
    return lambda said: any(all(asks(said) for asks in way) for way in ways)


def _asks(field: str, test: Test) -> Condition:
    if isinstance(test, bool):
        return lambda said: said.holds(field) == test
    if isinstance(test, Compared):
        return lambda said: _compares(test, said.value(field))
    wanted = {one.casefold() for one in (test if isinstance(test, list) else [str(test)])}
    return lambda said: (value := said.value(field)) is not None and value.casefold() in wanted


def _compares(test: Compared, value: str | None) -> bool:
    if test.other_than is not None and value is not None and value.casefold() == test.other_than.casefold():
        return False
    if test.at_least is None and test.below is None:
        return True
    try:
        number = float(value or "")
    except ValueError:
        return False
    return (test.at_least is None or number >= test.at_least) and (test.below is None or number < test.below)


@lru_cache(maxsize=1024)
def is_figure(pattern: str) -> bool:
    """Whether a text has a price, a number or a date in it, which no ellipsis may stand for a part of."""
    return any(kind_of(field) in {Kind.MONEY, Kind.NUMBER, Kind.DATE, Kind.PERCENT} for field in fields_in(pattern))


class Unusable(Template):
    """Stands for a template that is missing or cannot be read.

    Faces are planned with it all the same, so that each display that needs it says why it keeps what it shows; none is
    ever drawn.
    """

    def __init__(self, name: str, digest: str = "") -> None:  # its parts are never read
        self.name = name
        self.version = 0
        self.file = TemplateFile(format=FORMAT, version=1)
        self.__dict__["digest"] = digest

    def shown(self, _cell: Box, _said: Said) -> Shown:
        return Shown(None, (), frozenset(("price", "regular")))
