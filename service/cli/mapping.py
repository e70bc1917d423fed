"""What `push` says of a file: its columns, or one of the formats that are known, and how the file writes numbers."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec

from service.cli.console import USAGE, stop
from service.cli.files import chunks
from service.importing import formats
from service.importing.numbers import Decimal
from service.importing.outcomes import Fault, Line, Refused, UnreadableError
from service.importing.reading import Reading, Wish

Format = Literal["csv", "ndjson"]
AUTO = "auto"
"""The mapping that finds out everything."""


class Mapped(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A mapping file (TOML).

    Attributes:
        columns: Feed field -> column of a CSV, or key of an NDJSON object. None given: each column that has the name
            of a feed field is that field.
        encoding: Found out where it is None, as are delimiter and decimal.
        decimal: What a number of a CSV has before its fraction; with a comma, points and blanks group thousands.
        format: One of the formats that come with the program, or `auto`.
    """

    columns: dict[str, str] = {}
    encoding: str | None = "utf-8"
    delimiter: str | None = ","
    decimal: Decimal | None = "."
    format: str | None = None


class Rejected(msgspec.Struct, frozen=True):
    """Why a row is not in the store, as the API says it; `line` is that of the file, or push:index where it is gone."""

    line: str
    barcode: str | None
    field: str | None
    code: str
    detail: str


def load(name: str | None) -> Mapped:
    """The mapping of this file, or the format of this name; without a name the one that changes nothing."""
    if name is None:
        return Mapped()
    if name == AUTO or name in formats.bundled():
        return Mapped(encoding=None, delimiter=None, decimal=None, format=name)
    try:
        text = Path(name).read_bytes()
    except OSError as error:
        known = ", ".join((AUTO, *formats.bundled()))
        stop(f"Mapping {name} cannot be read: {error.strerror}. Bundled are: {known}.", USAGE)
    try:
        return checked(msgspec.toml.decode(text, type=Mapped))
    except msgspec.DecodeError as error:
        stop(f"Mapping {name} is not right: {error}", USAGE)


def checked(mapped: Mapped) -> Mapped:
    strangers = formats.strangers(mapped.columns)
    if strangers:
        stop(f"The feed has no field {', '.join(strangers)}; it has {', '.join(sorted(formats.NAMES))}.", USAGE)
    return mapped


def read(path: str, form: Format | None, mapped: Mapped, fallback: str | None) -> Iterator[Line | Rejected]:
    """The file's products in order; a row that has no barcode, or nothing at all to send, comes as rejected.

    With `fallback` a row without a barcode is keyed by this field, such as sku.
    """
    try:
        for row in Reading(chunks(path), _wish(form, mapped, fallback)):
            yield _rejected(path, mapped, row) if isinstance(row, Refused) else row
    except UnreadableError as error:
        stop(f"{path} cannot be read. {_in_options(error.detail)}", USAGE)


def _wish(form: Format | None, mapped: Mapped, fallback: str | None) -> Wish:
    is_table = form == "csv"
    named = mapped.format if mapped.format != AUTO else None
    by_field_names = "fields" if is_table and not mapped.columns and mapped.format is None else None
    return Wish(
        format=named or by_field_names,
        columns=mapped.columns or None,
        encoding=mapped.encoding,
        delimiter=mapped.delimiter,
        decimal=mapped.decimal,
        key_fallback=fallback,
        kind=form if mapped.format is None else None,
    )


def _rejected(path: str, mapped: Mapped, row: Refused) -> Rejected:
    if row.code == Fault.NOT_TEXT and mapped.encoding is not None:
        stop(f"{path} is not {mapped.encoding}: see line {row.number}. Name its encoding with --encoding.", USAGE)
    return Rejected(str(row.number), row.barcode, row.field, str(row.code), _in_options(row.detail))


def _in_options(sentence: str) -> str:
    """The engine's sentence with the names that these words have at a shell."""
    return sentence.replace("keyFallback", "--key-fallback").replace("with columns, such as", "with --map, here as")
