"""From any CSV or NDJSON to rows of the feed API: which column is which field, and how the file writes numbers."""

import re
from collections.abc import Callable, Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import msgspec

from service.cli.console import USAGE, stop
from service.cli.files import csv_lines, opened
from service.core.cells import unguarded
from service.core.fields import FIELDS

Format = Literal["csv", "ndjson"]
PRICES = ("price", "salePrice", "memberPrice", "deposit", "unitPrice", "referencePrice")
_NUMBERS = (*PRICES, "stock", "netContent")
_NAMES = {"barcode", *FIELDS}
_TRUE = {"1", "true", "yes", "y"}
_CONTENT = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([^\d\s.,].*)")
_BUNDLED = resources.files("service.cli") / "mappings"


class Mapped(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A mapping file (TOML).

    Attributes:
        columns: Feed field -> column of a CSV, or key of an NDJSON object. None given: each column that has the name
            of a feed field is that field.
        decimal: What a number of a CSV has before its fraction; with a comma, points and blanks group thousands.
    """

    columns: dict[str, str] = {}
    encoding: str = "utf-8"
    delimiter: str = ","
    decimal: Literal[".", ","] = "."


class Line(msgspec.Struct, frozen=True):
    """One product of a file, as it is sent."""

    number: int
    product: dict[str, Any]


class Rejected(msgspec.Struct, frozen=True):
    """Why a row is not in the store, as the API says it; `line` is that of the file, or push:index where it is gone."""

    line: str
    barcode: str | None
    field: str | None
    code: str
    detail: str


def load(name: str | None) -> Mapped:
    """The mapping of this file, or the bundled one of this name; without a name the one that changes nothing."""
    if name is None:
        return Mapped()
    bundled = _BUNDLED / f"{name}.toml"
    known = sorted(entry.name.removesuffix(".toml") for entry in _BUNDLED.iterdir())
    try:
        text = bundled.read_bytes() if name in known else Path(name).read_bytes()
    except OSError as error:
        stop(f"Mapping {name} cannot be read: {error.strerror}. Bundled are: {', '.join(known)}.", USAGE)
    try:
        return checked(msgspec.toml.decode(text, type=Mapped))
    except msgspec.DecodeError as error:
        stop(f"Mapping {name} is not right: {error}", USAGE)


def checked(mapped: Mapped) -> Mapped:
    strangers = sorted(set(mapped.columns) - _NAMES)
    if strangers:
        stop(f"The feed has no field {', '.join(strangers)}; it has {', '.join(sorted(_NAMES))}.", USAGE)
    return mapped


def read(path: str, form: Format, mapped: Mapped, fallback: str | None) -> Iterator[Line | Rejected]:
    """The file's products in order; a row that has no barcode, or nothing at all to send, comes as rejected.

    With `fallback` a row without a barcode is keyed by this field, such as sku.
    """
    products = _csv if form == "csv" else _ndjson
    for number, product in products(path, mapped):
        if isinstance(product, Rejected):
            yield product
        elif product.get("barcode") or (fallback and product.get(fallback)):
            yield Line(number, product if product.get("barcode") else {**product, "barcode": product[fallback or ""]})
        else:
            yield Rejected(str(number), None, "barcode", "required", _without_key(product.get("name"), fallback))


def _without_key(name: object, fallback: str | None) -> str:
    row = f"The row of {name.strip()}" if isinstance(name, str) else "The row"
    if fallback:
        return f"{row} has neither a barcode nor a {fallback}."
    return f"{row} has no barcode; --key-fallback sku keys it by its sku."


Product = tuple[int, dict[str, Any] | Rejected]


def _csv(path: str, mapped: Mapped) -> Iterator[Product]:
    columns = mapped.columns
    takes = _takers(mapped)
    for number, row in csv_lines(path, list(columns.values()), encoding=mapped.encoding, delimiter=mapped.delimiter):
        columns = columns or {name: name for name in row if name in _NAMES}
        if not columns:
            stop(f"{path} has no column named as a feed field; say which is which with --map or --mapping.", USAGE)
        yield number, _product(row, columns, takes)


def _product(
    row: Mapping[str, str], columns: Mapping[str, str], takes: Mapping[str, Callable[[str], Any]]
) -> dict[str, Any]:
    given = {
        field: unguarded(row[column]) for field, column in columns.items() if row[column] and not row[column].isspace()
    }
    product = {field: takes[field](value) if field in takes else value for field, value in given.items()}
    if "netContent" in product and "netContentUnit" not in columns:
        content = _CONTENT.fullmatch(product["netContent"])
        if content:
            product["netContent"], product["netContentUnit"] = content.groups()
    return product


def _takers(mapped: Mapped) -> dict[str, Callable[[str], Any]]:
    """What is done to the text of a CSV's column before it is sent; the API decides whether it is right."""
    number = _with_point if mapped.decimal == "," else str.strip
    return {
        **dict.fromkeys(_NUMBERS, number),
        "barcode": lambda value: value.strip().removeprefix("'"),  # a spreadsheet's way of keeping leading zeros
        "onSale": lambda value: value.strip().lower() in _TRUE,
        "alternateBarcodes": lambda value: re.split(r"[;|\s]+", value.strip()),
    }


def _with_point(value: str) -> str:
    """1.234,50 -> 1234.50; text without a comma stays, so that nobody's 1.5 becomes 15."""
    value = value.strip()
    if "," not in value:
        return value
    return re.sub(r"[.\s]", "", value).replace(",", ".")


_decode = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def _ndjson(path: str, mapped: Mapped) -> Iterator[Product]:
    """Values go on as they were written, to the last digit."""
    names = {column: field for field, column in mapped.columns.items()}
    with opened(path, mapped.encoding) as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                sent = _decode(line)
            except (msgspec.DecodeError, RecursionError) as error:
                yield number, Rejected(str(number), None, None, "not_json", f"The line is not a JSON object: {error}.")
                continue
            kept = {names.get(key, key): value for key, value in sent.items() if not names or key in names}
            yield number, {field: value for field, value in kept.items() if field != "barcode" or _is_key(value)}


def _is_key(value: msgspec.Raw) -> bool:
    """Whether there is a barcode at all; a wrong one is the API's to refuse."""
    return bytes(value) not in {b"null", b'""'}
