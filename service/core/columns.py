"""Rows about which there is nothing to say, as nearly all are: those with the same fields are read column by column.

A thousand values that are alike are cheaper to read together than one by one. Nothing is refused or remarked on here:
a row of which anything is in doubt is left to the parser of one row.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from service.core import barcodes, money, text
from service.core.fields import FIELDS, Notes, Parse, Text, parse_price, parse_sale_price, parse_unit_price
from service.core.money import Number
from service.core.problems import RefusedError
from service.core.product import Row, StoreFacts
from service.core.row_rules import NOT_STATED, REQUIRE, Finding, Kind, check_price

Doubts = set[int]
"""Places in a column, from 0."""
Read = Callable[[list[Any], StoreFacts, Doubts], list[Any]]
"""A column of decoded values to what products keep of them; what it keeps at a place of doubt means nothing."""

_KNOWN = FIELDS.keys() | {"barcode"}
_TOLD_APART = {"salePrice", "onSale", "saleStart", "saleEnd"}
"""Without these a price has nothing that it could contradict."""


def usual(sent: Sequence[dict[str, Any] | None], kind: Kind, store: StoreFacts) -> list[Row | None]:
    """The rows, each at its place; None where there is none, and for one of which anything is in doubt."""
    rows: list[Row | None] = [None] * len(sent)
    alike: dict[tuple[str, ...], list[tuple[int, dict[str, Any]]]] = defaultdict(list)
    for index, row in enumerate(sent):
        if row is not None:
            alike[tuple(row)].append((index, row))
    for names, some in alike.items():
        if "barcode" in names and _KNOWN.issuperset(names):
            for read in _read(names, some, kind, store):
                rows[read.index] = read
    return rows


def _read(
    names: Sequence[str], sent: Sequence[tuple[int, dict[str, Any]]], kind: Kind, store: StoreFacts
) -> Iterable[Row]:
    """Those of these rows, all with these fields, that leave no doubt."""
    doubts: Doubts = set()
    columns: dict[str, list[Any]] = dict.fromkeys(NOT_STATED if kind == "whole" else (), [None] * len(sent))
    read = {name: _READ[name]([row[name] for _, row in sent], store, doubts) for name in names}
    columns |= {FIELDS[name][0]: column for name, column in read.items() if name != "barcode"}
    columns.pop("currency", None)  # was checked to be the store's
    fields = _dicts(columns, len(sent))
    if not (_is_complete(read, kind) and _TOLD_APART.isdisjoint(names)):
        doubts.update(place for place, one in enumerate(fields) if _is_doubtful(one, kind))
    rows = map(Row, [index for index, _ in sent], read["barcode"], fields)
    return [row for place, row in enumerate(rows) if place not in doubts] if doubts else rows


def _dicts(columns: dict[str, list[Any]], count: int) -> list[dict[str, Any]]:
    if not columns:
        return [{} for _ in range(count)]
    names = tuple(columns)
    return [dict(zip(names, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _is_complete(read: dict[str, list[Any]], kind: Kind) -> bool:
    """Whether every row has what it needs; may say no where it has."""
    if kind == "patch":
        return None not in read.get("name", ())
    return all(name in read and None not in read[name] for name in ("name", "price"))


def _is_doubtful(fields: dict[str, Any], kind: Kind) -> bool:
    found: list[Finding] = []
    REQUIRE[kind](fields, found)
    check_price(fields, found, found)
    return bool(found)


def _each(parse: Parse) -> Read:
    """Values of any kind, one after the other."""

    def read(values: list[Any], store: StoreFacts, doubts: Doubts) -> list[Any]:
        notes: Notes = []
        kept: list[Any] = []
        for place, value in enumerate(values):
            try:
                kept.append(None if value is None else parse(value, store, notes))
            except RefusedError:
                kept.append(None)
                doubts.add(place)
            if notes:
                doubts.add(place)
                notes.clear()
        return kept

    return read


def _texts(parse: Text) -> Read:
    one_by_one = _each(parse)

    def read(values: list[Any], store: StoreFacts, doubts: Doubts) -> list[Any]:
        clean = _are_texts(values) and len(max(values, key=len)) <= parse.limit and text.are_clean(values)
        return values if clean else one_by_one(values, store, doubts)

    return read


def _are_texts(values: list[Any]) -> bool:
    """Whether each is text, and not blank; a Number is none."""
    return set(map(type, values)) == {str} and all(values)


def _prices(parse: Parse) -> Read:
    one_by_one = _each(parse)

    def read(values: list[Any], store: StoreFacts, doubts: Doubts) -> list[Any]:
        try:
            kept = list(map(money.units, values)) if {str, Number}.issuperset(map(type, values)) else None
        except RefusedError:
            kept = None
        if kept is None:
            return one_by_one(values, store, doubts)
        step = money.step(store.currency)
        doubts.update([place for place, price in enumerate(kept) if price % step or not price])
        return kept

    return read


def _barcodes(values: list[Any], _store: StoreFacts, doubts: Doubts) -> list[Any]:
    """Barcodes that come trimmed, as nearly all do."""
    if not (_are_texts(values) and barcodes.are_barcodes(values)):
        doubts.update(place for place, value in enumerate(values) if not _is_barcode(value))
    doubts.update(
        [place for place, value in enumerate(values) if place not in doubts and barcodes.has_wrong_check_digit(value)]
    )
    return values


def _is_barcode(value: Any) -> bool:
    return type(value) is str and value != "" and barcodes.are_barcodes([value])


def _column(parse: Parse) -> Read:
    if isinstance(parse, Text):
        return _texts(parse)
    return _prices(parse) if parse in {parse_price, parse_sale_price, parse_unit_price} else _each(parse)


_READ: dict[str, Read] = {"barcode": _barcodes} | {name: _column(parse) for name, (_, parse) in FIELDS.items()}
