"""What each field of a feed row takes: one parser a field, from a decoded JSON value to what the product keeps.

A parser raises RefusedError, which refuses the row, or adds warnings to the notes it is given. It never sees null.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from service.core import barcodes, moments, money, quantities, text
from service.core.money import Number
from service.core.problems import Code, RefusedError, wrong_type
from service.core.product import StoreFacts

Notes = list[tuple[Code, str]]
Parse = Callable[[Any, StoreFacts, Notes], Any]

MAX_NAME = 255
MAX_LABEL = 128
MAX_UNIT = 32
MAX_DESCRIPTION = 4000
MAX_ATTRIBUTES = 16 * 1024
"""Bytes of the attributes as compact JSON."""
MAX_ATTRIBUTES_DEPTH = 5
MAX_ATTRIBUTE_NAME = 64
_INT64 = 2**63

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True)
class Text:
    """Text of at most `limit` characters once cleaned; blank text clears the field."""

    limit: int

    def __call__(self, value: Any, _store: StoreFacts, notes: Notes) -> str | None:
        if type(value) is str and len(value) <= self.limit and text.is_clean(value):
            return value or None
        return _cleaned(value, self.limit, notes) or None


def _cleaned(value: Any, limit: int, notes: Notes) -> str:
    if type(value) is not str:
        raise wrong_type("text", value)
    if len(value) > 2 * limit:  # whatever it is cleaned to is not worth the time
        raise _too_long(limit, len(value))
    if text.has_control(value):
        notes.append((Code.TEXT_CLEANED, "Control characters were removed."))
    cleaned = text.clean(value)
    if len(cleaned) > limit:
        raise _too_long(limit, len(cleaned))
    return cleaned


def _too_long(limit: int, length: int) -> RefusedError:
    return RefusedError(Code.TOO_LONG, f"At most {limit} characters; this has {length}.")


def parse_price(value: Any, store: StoreFacts, notes: Notes) -> int:
    price = money.parse_price(value, store.currency)
    if not price:
        notes.append((Code.ZERO_PRICE, "The price is 0."))
    elif price % money.step(store.currency):
        exact, rounded = money.exact_text(price), money.decimal_text(price, store.currency)
        notes.append((Code.ROUNDED_ON_THE_SHELF, f"{exact} is kept, and shown as {rounded}."))
    return price


def parse_sale_price(value: Any, store: StoreFacts, notes: Notes) -> int:
    price = parse_price(value, store, notes)
    if not price:
        raise RefusedError(Code.ZERO_PRICE, "A sale price of 0 is refused; to end a sale, send null.")
    return price


def parse_unit_price(value: Any, store: StoreFacts, notes: Notes) -> int | None:
    """A unit price of 0 is what many feeds write for none: 56 % of the rows of a whole chain."""
    return parse_price(value, store, notes) or None


def _deposit(value: Any, store: StoreFacts, _notes: Notes) -> int:
    return money.parse_price(value, store.currency)


def _flag(value: Any, _store: StoreFacts, _notes: Notes) -> bool:
    if type(value) is not bool:
        raise wrong_type("true or false", value)
    return value


def _moment(value: Any, store: StoreFacts, _notes: Notes) -> int:
    return moments.parse_moment(value, store.timezone)


def _end(value: Any, store: StoreFacts, _notes: Notes) -> int:
    return moments.parse_end(value, store.timezone)


def _quantity(value: Any, _store: StoreFacts, _notes: Notes) -> str:
    return quantities.parse_quantity(value)


def _content(value: Any, _store: StoreFacts, notes: Notes) -> str | None:
    quantity = quantities.parse_quantity(value)
    if quantity.startswith("-"):
        raise RefusedError(Code.NEGATIVE, "The content of a package cannot be below zero.")
    if quantity == "0":
        notes.append((Code.ZERO_QUANTITY, "A content of 0 was kept out."))
        return None
    return quantity


def _alternates(value: Any, _store: StoreFacts, _notes: Notes) -> tuple[str, ...] | None:
    return barcodes.parse_alternates(value)


def _currency(value: Any, store: StoreFacts, _notes: Notes) -> None:
    money.check_currency(value, store.currency)


def _attributes(value: Any, _store: StoreFacts, notes: Notes) -> dict[str, Any] | None:
    """The caller's own JSON object, replaced as a whole; bounded in depth, names, size and integers (64 bits)."""
    if type(value) is not dict:
        raise wrong_type("an object", value)
    kept: dict[str, Any] = _storable(value, notes, depth=1)
    size = len(_encode(kept))
    if size > MAX_ATTRIBUTES:
        raise RefusedError(Code.TOO_LONG, f"Attributes have at most {MAX_ATTRIBUTES} bytes as JSON; this has {size}.")
    return kept or None


def _storable(value: Any, notes: Notes, depth: int) -> Any:
    if isinstance(value, str):
        return _number(value) if isinstance(value, Number) else _string(value, notes)
    if isinstance(value, dict | list):
        if depth > MAX_ATTRIBUTES_DEPTH:
            raise RefusedError(Code.TOO_DEEP, f"Attributes are nested at most {MAX_ATTRIBUTES_DEPTH} levels deep.")
        if isinstance(value, list):
            return [_storable(entry, notes, depth + 1) for entry in value]
        return {_attribute_name(name, notes): _storable(entry, notes, depth + 1) for name, entry in value.items()}
    if type(value) is int and not -_INT64 <= value < _INT64:
        raise RefusedError(Code.TOO_LARGE, "An integer in the attributes has at most 64 bits; send it as text.")
    return value


def _attribute_name(name: str, notes: Notes) -> str:
    if len(name) > MAX_ATTRIBUTE_NAME:
        raise RefusedError(Code.TOO_LONG, f"An attribute's name has at most {MAX_ATTRIBUTE_NAME} characters.")
    return _string(name, notes)


def _string(value: str, notes: Notes) -> str:
    if not text.has_control(value):
        return value
    notes[:] = [(Code.TEXT_CLEANED, "Control characters were removed.")]
    return text.without_control(value)


def _number(value: Number) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise RefusedError(Code.TOO_LARGE, "A number in the attributes is beyond what JSON programs can hold.")
    return number


def _field(snake: str, parse: Parse) -> tuple[str, tuple[str, Parse]]:
    first, *rest = snake.split("_")
    return first + "".join(map(str.capitalize, rest)), (snake, parse)


FIELDS: Final[dict[str, tuple[str, Parse]]] = dict(
    (
        _field("name", Text(MAX_NAME)),
        _field("price", parse_price),
        _field("sale_price", parse_sale_price),
        _field("on_sale", _flag),
        _field("sale_start", _moment),
        _field("sale_end", _end),
        _field("currency", _currency),
        _field("promotion_text", Text(MAX_NAME)),
        _field("promotion_until", _end),
        _field("member_price", parse_price),
        _field("deposit", _deposit),
        _field("stock", _quantity),
        _field("unit", Text(MAX_UNIT)),
        _field("net_content", _content),
        _field("net_content_unit", Text(MAX_UNIT)),
        _field("unit_price", parse_unit_price),
        _field("reference_price", parse_price),
        _field("category", Text(MAX_LABEL)),
        _field("brand", Text(MAX_LABEL)),
        _field("sku", Text(MAX_LABEL)),
        _field("alternate_barcodes", _alternates),
        _field("description", Text(MAX_DESCRIPTION)),
        _field("attributes", _attributes),
        _field("source_updated_at", _moment),
    )
)
"""Field in the API's spelling -> (field of the product, its parser). `barcode` is read before all others."""
