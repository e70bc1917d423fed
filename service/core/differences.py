"""What became of a product besides its prices: the fields that a row changed, each as it was and as it is."""

from collections.abc import Iterable
from typing import Any

import msgspec

from service.core.product import Product

Differences = dict[str, tuple[Any, Any]]
"""Field, as `Product` has it -> (before, after). Of attributes each one by itself, as `attributes.origin`."""

ARCHIVED = "archived"
"""The one difference that is no field: whether the product is off sale."""
STOCK = "stock"
_LONGEST = 500
"""Characters of a text that are kept of it."""
_NOT_HERE = ("barcode", "price", "sale_price", "currency", "source_updated_at", STOCK, "attributes")
_TOLD = frozenset(Product.__struct_fields__) - set(_NOT_HERE)


def between(before: Product, after: Product, named: Iterable[str], *, with_stock: bool) -> Differences:
    """Among the fields that a row named; prices are in their own history, and stock changes at every sale."""
    found: Differences = {}
    for field in named:
        if field in _TOLD or (field == STOCK and with_stock):
            was, is_ = getattr(before, field), getattr(after, field)
            if was != is_:
                found[field] = short(was), short(is_)
        elif field == "attributes" and before.attributes != after.attributes:
            found |= _attributes(before.attributes, after.attributes)
    return found


def _attributes(before: dict[str, Any], after: dict[str, Any]) -> Differences:
    return {
        f"attributes.{name}": (short(before.get(name)), short(after.get(name)))
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    }


def short(value: Any) -> Any:
    """The value, or of a long text its beginning; what is nested as JSON text."""
    if isinstance(value, str):
        return value if len(value) <= _LONGEST else value[:_LONGEST] + "…"
    if isinstance(value, dict | list):
        return short(msgspec.json.encode(value).decode())
    return value
