"""Rows about which there is nothing to say, as nearly all are: those with the same fields are read column by column.

A thousand values that are alike are cheaper to read together than one by one. Nothing is refused or remarked on here:
a row of which anything is in doubt is left to the parser of one row.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple, TypeVar

from service.core import barcodes, money, text
from service.core.fields import FIELDS, Notes, Parse, Text, parse_price, parse_sale_price, parse_unit_price
from service.core.money import Number
from service.core.problems import RefusedError
from service.core.product import Row, StoreFacts
from service.core.row_rules import NOT_STATED, REQUIRE, Finding, Kind, check_price

T = TypeVar("T")
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
    for alike in _alike(sent):
        for row in alike.rows(kind, store):
            rows[row.index] = row
    return rows


def usual_barcodes(sent: Sequence[dict[str, Any] | None], kind: Kind, store: StoreFacts) -> list[str | None]:
    """The barcodes of these rows, for less."""
    named: list[str | None] = [None] * len(sent)
    for alike in _alike(sent):
        for index, barcode in alike.barcodes(kind, store):
            named[index] = barcode
    return named


class _Alike(NamedTuple):
    """Rows with the same fields: which, where in the push, and what was sent."""

    names: tuple[str, ...]
    indexes: list[int]
    sent: list[dict[str, Any]]

    def rows(self, kind: Kind, store: StoreFacts) -> Iterator[Row]:
        """Those that leave no doubt."""
        doubts: Doubts = set()
        read = self._read(store, doubts)
        fields = self._kept(read, kind)
        if self._may_contradict(read, kind):
            doubts.update(place for place, one in enumerate(fields) if _is_doubtful(one, kind))
        return _without(map(Row, self.indexes, read["barcode"], fields), doubts)

    def barcodes(self, kind: Kind, store: StoreFacts) -> Iterator[tuple[int, str]]:
        """(Index, barcode) of the same."""
        doubts: Doubts = set()
        read = self._read(store, doubts)
        if self._may_contradict(read, kind):
            doubts.update(place for place, one in enumerate(self._kept(read, kind)) if _is_doubtful(one, kind))
        return _without(zip(self.indexes, read["barcode"], strict=True), doubts)

    def _read(self, store: StoreFacts, doubts: Doubts) -> dict[str, list[Any]]:
        """Field as it is spelled in a feed -> what to keep of it, row by row."""
        columns = zip(*map(dict.values, self.sent), strict=True)
        return {
            name: _READ[name](list(column), store, doubts) for name, column in zip(self.names, columns, strict=True)
        }

    def _may_contradict(self, read: dict[str, list[Any]], kind: Kind) -> bool:
        return not (_is_complete(read, kind) and _TOLD_APART.isdisjoint(self.names))

    def _kept(self, read: dict[str, list[Any]], kind: Kind) -> list[dict[str, Any]]:
        columns: dict[str, list[Any]] = dict.fromkeys(NOT_STATED if kind == "whole" else (), [None] * len(self.sent))
        columns |= {FIELDS[name][0]: column for name, column in read.items() if name != "barcode"}
        columns.pop("currency", None)  # was checked to be the store's
        if not columns:
            return [{} for _ in self.sent]
        names = tuple(columns)
        return [dict(zip(names, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _alike(sent: Sequence[dict[str, Any] | None]) -> list[_Alike]:
    """Rows with a barcode and no field that is unknown, sorted by which fields they have."""
    found: dict[tuple[str, ...], _Alike] = {}
    for index, row in enumerate(sent):
        if row is not None:
            names = tuple(row)
            alike = found.get(names) or found.setdefault(names, _Alike(names, [], []))
            alike.indexes.append(index)
            alike.sent.append(row)
    return [alike for names, alike in found.items() if "barcode" in names and _KNOWN.issuperset(names)]


def _without(some: Iterable[T], doubts: Doubts) -> Iterator[T]:
    return (one for place, one in enumerate(some) if place not in doubts) if doubts else iter(some)


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
        short = _are_texts(values) and len(max(values, key=len)) <= parse.limit
        tidied = text.tidied(values) if short else None
        return one_by_one(values, store, doubts) if tidied is None or not all(tidied) else list(tidied)

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
    strange = set[int]()
    if not (_are_texts(values) and barcodes.are_barcodes(values)):
        strange = {place for place, value in enumerate(values) if not _is_barcode(value)}
    if strange or not barcodes.have_right_check_digits(values):
        wrong = barcodes.has_wrong_check_digit
        strange.update([place for place, code in enumerate(values) if place not in strange and wrong(code)])
    doubts |= strange
    return values


def _is_barcode(value: Any) -> bool:
    return type(value) is str and value != "" and barcodes.are_barcodes([value])


def _column(parse: Parse) -> Read:
    if isinstance(parse, Text):
        return _texts(parse)
    return _prices(parse) if parse in {parse_price, parse_sale_price, parse_unit_price} else _each(parse)


_READ: dict[str, Read] = {"barcode": _barcodes} | {name: _column(parse) for name, (_, parse) in FIELDS.items()}
