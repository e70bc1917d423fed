"""One row of a file becomes one row of the feed, or is refused with the reason.

On values the feed has the last word: what cannot be understood here goes on as it is written.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from service.core.cells import unguarded
from service.core.problems import printable
from service.importing import numbers
from service.importing.decoding import BROKEN
from service.importing.formats import NAMES, Layout
from service.importing.numbers import Decimal
from service.importing.outcomes import Fault, Line, Refused, RowError
from service.importing.shapes import SHAPES, Texts, is_true
from service.importing.tables import Numbered

PRICES = ("price", "salePrice", "memberPrice", "deposit", "unitPrice", "referencePrice")
_ROLES_OF_PRICE = ("compareAt",)
NUMBERS = (*PRICES, *_ROLES_OF_PRICE, "stock", "netContent")
_VARIABLE = {"variable", "variable price", "open price", "open"}
_CONTENT = re.compile(r"([0-9][0-9.,\s]*?)\s*([^\d\s.,].*)")
_DAY_FIRST = re.compile(r"(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{4})\.?(.*)")
_SLASHED = re.compile(r"(\d{4})/(\d{1,2})/(\d{1,2})(.*)")
_REWRITTEN = re.compile(r"\d(?:[.,]\d+)?E\+?\d{1,2}", re.IGNORECASE)
_MOMENTS = ("saleStart", "saleEnd", "promotionUntil", "sourceUpdatedAt")


class Maker:
    """Makes the rows of one file.

    Attributes:
        decimals: Field -> the sign before its fraction, of the columns where that is known.
    """

    def __init__(
        self, layout: Layout, sample: Sequence[Numbered], *, decimal: Decimal | None, key_fallback: str | None
    ) -> None:
        self._places = list(layout.places.items())
        self._shape = SHAPES[layout.shape]()
        self._fallback = key_fallback
        self._parts_content = "netContent" in layout.places and "netContentUnit" not in layout.places
        self.decimals: dict[str, Decimal] = _decimals(layout.places, sample, decimal)

    def make(self, row: Numbered) -> Line | Refused | None:
        """None for a row that is no product."""
        number, cells = row
        given = self._given(cells)
        if not given:
            return None
        try:
            texts = self._shape(self._with_numbers(given))
            product = None if texts is None else self._product(texts)
            return None if product is None else keyed(number, product, self._fallback)
        except RowError as error:
            return _refused(number, given, error)

    def _given(self, cells: Sequence[str]) -> Texts:
        width = len(cells)
        return {
            name: unguarded(cells[place])
            for name, place in self._places
            if place < width and cells[place] and not cells[place].isspace()
        }

    def _with_numbers(self, texts: Texts) -> Texts:
        """Numbers with a point; a currency that stands beside a price becomes a field of its own."""
        for name, text in texts.items():
            if BROKEN in text:
                detail = "It has bytes that are none in the file's encoding; say which that is with encoding."
                raise RowError(name if name in NAMES else None, Fault.NOT_TEXT, detail)
        if self._parts_content and "netContent" in texts and (found := _CONTENT.fullmatch(texts["netContent"].strip())):
            texts = texts | {"netContent": found[1], "netContentUnit": found[2]}
        made = dict(texts)
        for name in NUMBERS:
            if name in texts:
                made[name], currency = self._number(name, texts[name])
                if currency and name in PRICES:
                    made.setdefault("currency", currency)
        return made

    def _number(self, name: str, text: str) -> tuple[str, str | None]:
        if name in PRICES and text.strip().casefold() in _VARIABLE:
            raise RowError(name, Fault.NO_FIXED_PRICE, "Its price is asked at the till, so no label can show one.")
        return numbers.plain(text.strip(), self.decimals.get(name), name)

    def _product(self, texts: Texts) -> dict[str, object]:
        if _REWRITTEN.fullmatch(texts.get("barcode", "").strip()):
            detail = "A spreadsheet made a number of the barcode; make its column text and export again."
            raise RowError("barcode", Fault.REWRITTEN_BARCODE, detail)
        return {
            name: _TAKES[name](text) if name in _TAKES else text
            for name, text in texts.items()
            if name in NAMES and not text.isspace() and text
        }


def _refused(number: int, given: Texts, error: RowError) -> Refused:
    """What is not sold names no barcode, since a full batch keeps whatever a refused row names."""
    barcode = printable(given["barcode"].strip(), 64) if "barcode" in given else None
    if error.code is Fault.NOT_FOR_SALE:
        named = given.get("name", "").strip() or barcode or "It"
        return Refused(number, None, error.field, error.code, f"{printable(named, 80)} is not for sale: {error}")
    return Refused(number, barcode, error.field, error.code, str(error))


def keyed(number: int, product: dict[str, object], fallback: str | None) -> Line | Refused:
    """The product with its key: its barcode, or else what the fallback field says."""
    if product.get("barcode"):
        return Line(number, product)
    if fallback and product.get(fallback):
        return Line(number, {**product, "barcode": product[fallback]})
    return Refused(number, None, "barcode", Fault.REQUIRED, _without_key(product.get("name"), fallback))


def _without_key(name: object, fallback: str | None) -> str:
    row = f"The row of {printable(name.strip(), 80)}" if isinstance(name, str) else "The row"
    if fallback:
        return f"{row} has neither a barcode nor a {fallback}."
    return f"{row} has no barcode; keyFallback sku keys it by its sku."


def _decimals(places: Mapping[str, int], sample: Sequence[Numbered], stated: Decimal | None) -> dict[str, Decimal]:
    """By each column's own numbers; one that says nothing is written as the others of the file are."""
    columns = {name: place for name, place in places.items() if name in NUMBERS}
    if stated is not None:
        return dict.fromkeys(columns, stated)
    texts = {name: [cells[place] for _, cells in sample if place < len(cells)] for name, place in columns.items()}
    found = {name: numbers.decided(map(_only_number, some)) for name, some in texts.items()}
    usual = numbers.decided(text for some in texts.values() for text in map(_only_number, some))
    return {name: mark for name in columns if (mark := found[name] or usual) is not None}


def _only_number(text: str) -> str:
    """`0,5 kg` -> `0,5`, for its number alone."""
    found = _CONTENT.fullmatch(text.strip()) if len(text) <= numbers.MAX_TEXT else None
    return found[1] if found and numbers.says(text) is numbers.Says.NOTHING else text


def _moment(text: str) -> str:
    """ISO 8601 of the two spellings of dates that cannot be meant otherwise."""
    text = text.strip()
    if found := _DAY_FIRST.fullmatch(text):
        day, month, year, time = found.groups()
    elif found := _SLASHED.fullmatch(text):
        year, month, day, time = found.groups()
    else:
        return text
    return f"{year}-{month:0>2}-{day:0>2}{time}"


def _alternates(text: str) -> list[str]:
    return re.split(r"[;|,\s]+", text.strip(" ;|,"))


def _stripped_of_apostrophe(text: str) -> str:
    """A spreadsheet's way of keeping leading zeros."""
    return text.strip().removeprefix("'")


_TAKES: dict[str, Callable[[str], object]] = {
    **dict.fromkeys(_MOMENTS, _moment),
    "barcode": _stripped_of_apostrophe,
    "sku": _stripped_of_apostrophe,
    "onSale": is_true,
    "alternateBarcodes": _alternates,
}


def made(maker: Maker, rows: Iterable[Numbered]) -> Iterator[Line | Refused]:
    for row in rows:
        product = maker.make(row)
        if product is not None:
            yield product
