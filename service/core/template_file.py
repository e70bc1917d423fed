"""Template files read, with everything that can be wrong in one: whatever it is is told with file, line and area."""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

import msgspec

from service.core.label_fields import FIELDS, Kind, kind_of
from service.core.template_format import (
    FORMAT,
    MAX_AREAS,
    MAX_FILE,
    WORDS,
    AnyArea,
    BoxArea,
    Compared,
    Name,
    PriceArea,
    QrArea,
    Shape,
    TemplateFile,
    TextArea,
    Variant,
    When,
    alternatives,
    fields_in,
    has_lone_brace,
    patterns,
)


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
            text = _PATH.sub("", words).rstrip(".") + "."
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
        if has_lone_brace(pattern):
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


def line_of(text: str, area: str) -> int:
    """Where an area begins in a file, from 1; 0 if it is not there."""
    return dict(_lines(text)).get(("area", area), 0)


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
