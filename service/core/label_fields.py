"""What a label can say of a product at one moment, field by field: the words that templates are written in.

Values are canonical text, as a face keeps them: prices are decimals with the currency's digits and a point, such as
`4.59`; dates are ISO 8601; how people write either is up to the renderer. None where there is nothing to say.
"""

import enum
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from service.core.moments import last_day
from service.core.money import decimal_text
from service.core.product import Product, StoreFacts
from service.core.quantities import base_unit, price_per_base_unit
from service.core.sales import EffectivePrice, effective, promotion_text

ATTRIBUTES = "attributes."
_PIECES = "pcs"
_MOST_ATTRIBUTE = 255
"""Characters of an attribute that a face keeps."""


class Kind(enum.Enum):
    """How a field's value is written on a label."""

    TEXT = "text"
    MONEY = "a price"
    DATE = "a day"
    NUMBER = "a number"
    PERCENT = "whole percent"
    FLAG = "true or false: for conditions only"


class Said:
    """One product at one moment."""

    def __init__(self, product: Product, store: StoreFacts, now: int) -> None:
        self.product = product
        self.store = store
        self.now = now
        self.offer: EffectivePrice = effective(product, now)

    def value(self, field: str) -> str | None:
        """What a field says; None if it says nothing, or is one that only conditions ask."""
        found = self._found(field)
        return found if isinstance(found, str) and found else None

    def holds(self, field: str) -> bool:
        """Whether a field is true, or says anything."""
        return bool(self._found(field))

    def _found(self, field: str) -> str | bool | None:
        known = FIELDS.get(field)
        return known.read(self) if known else _attribute(self.product.attributes, field)

    def money(self, price: int | None) -> str | None:
        return None if price is None else decimal_text(price, self.store.currency)

    def day(self, end: int | None) -> str | None:
        return None if end is None else last_day(end, self.store.timezone)

    @property
    def per_unit(self) -> tuple[int | None, str | None]:
        """The price of a base unit, and the unit: the feed's own wins, a computed one follows what is paid now."""
        product, price = self.product, self.offer.price
        if price is None:
            return None, None
        unit = base_unit(product.net_content_unit)
        if product.unit_price is not None:
            return product.unit_price, unit or product.unit
        computed = price_per_base_unit(price, product.net_content, product.net_content_unit)
        return computed, unit if computed is not None else None


class Field(NamedTuple):
    kind: Kind
    text: str
    read: Callable[[Said], str | bool | None]


def _saving(said: Said) -> str | None:
    """Whole percent, rounded down: a shelf must not promise more than the till gives."""
    price, regular = said.money(said.offer.price), said.money(said.offer.regular)
    if price is None or regular is None:
        return None
    paid, before = int(price.replace(".", "")), int(regular.replace(".", ""))
    percent = (before - paid) * 100 // before if before else 0
    return str(percent) if percent > 0 else None


def _content(said: Said) -> str | None:
    return said.product.net_content if said.product.net_content_unit else None


def _is_weighed(said: Said) -> bool:
    return (base_unit(said.product.unit) or _PIECES) != _PIECES


FIELDS: Mapping[str, Field] = {
    "barcode": Field(Kind.TEXT, "The product's barcode.", lambda said: said.product.barcode),
    "name": Field(Kind.TEXT, "What the shelf calls it.", lambda said: said.product.name),
    "price": Field(Kind.MONEY, "What the shopper pays now.", lambda said: said.money(said.offer.price)),
    "regular": Field(
        Kind.MONEY, "The price to strike through, during a sale.", lambda said: said.money(said.offer.regular)
    ),
    "saving": Field(Kind.PERCENT, "What a sale saves, rounded down.", _saving),
    "until": Field(
        Kind.DATE,
        "The last day of a sale that is on.",
        lambda said: said.day(said.product.sale_end) if said.offer.on_sale else None,
    ),
    "unit": Field(Kind.TEXT, "What the price buys, such as kg of weighed goods.", lambda said: said.product.unit),
    "unit_price": Field(Kind.MONEY, "The price of one unit_price_unit.", lambda said: said.money(said.per_unit[0])),
    "unit_price_unit": Field(Kind.TEXT, "kg, l, m, m² or pcs.", lambda said: said.per_unit[1]),
    "promotion": Field(
        Kind.TEXT, "The promotion text while it is valid.", lambda said: promotion_text(said.product, said.now)
    ),
    "promotion_until": Field(
        Kind.DATE,
        "The last day of the promotion text.",
        lambda said: said.day(said.product.promotion_until) if promotion_text(said.product, said.now) else None,
    ),
    "member_price": Field(Kind.MONEY, "The price for members.", lambda said: said.money(said.product.member_price)),
    "reference_price": Field(
        Kind.MONEY, "The feed's price to compare with.", lambda said: said.money(said.product.reference_price)
    ),
    "deposit": Field(Kind.MONEY, "The deposit on its container.", lambda said: said.money(said.product.deposit)),
    "net_content": Field(Kind.NUMBER, "How much one package holds.", _content),
    "net_content_unit": Field(Kind.TEXT, "The unit of that.", lambda said: said.product.net_content_unit),
    "stock": Field(
        Kind.NUMBER, "How much the store has; a label that shows it is redrawn at every sale.",
        lambda said: said.product.stock,
    ),
    "category": Field(Kind.TEXT, "Department or category.", lambda said: said.product.category),
    "brand": Field(Kind.TEXT, "Brand.", lambda said: said.product.brand),
    "sku": Field(Kind.TEXT, "The caller's own number.", lambda said: said.product.sku),
    "description": Field(Kind.TEXT, "Longer text.", lambda said: said.product.description),
    "on_sale": Field(Kind.FLAG, "Whether the price is a sale price now.", lambda said: said.offer.on_sale),
    "sold_out": Field(
        Kind.FLAG,
        "Whether the stock is known and nothing is left.",
        lambda said: said.product.stock is not None and (said.product.stock == "0" or said.product.stock[0] == "-"),
    ),
    "weighed": Field(Kind.FLAG, "Whether the price is for a weight, volume or length.", _is_weighed),
}  # fmt: skip
"""By name. `attributes.…` is one more, of any name: a text, number or truth that the feed gave."""


def kind_of(field: str) -> Kind | None:
    """None for what is no field."""
    known = FIELDS.get(field)
    if known:
        return known.kind
    return Kind.TEXT if field.startswith(ATTRIBUTES) and len(field) > len(ATTRIBUTES) else None


def _attribute(attributes: Mapping[str, Any], field: str) -> str | bool | None:
    """The value at `attributes.a.b`: that of the name `a.b`, or of `b` within `a`; nothing for a list or an object."""
    path = field.removeprefix(ATTRIBUTES)
    value = attributes.get(path)
    if value is None:
        value = attributes
        for part in path.split("."):
            value = value.get(part) if isinstance(value, dict) else None
    if isinstance(value, bool):
        return value
    return str(value)[:_MOST_ATTRIBUTE] if isinstance(value, str | int | float) else None
