"""What a row makes of a product: the resulting product decides whether anything changes, never the row itself."""

import enum
import hashlib
from typing import Any, Final

import msgspec

from service.core.problems import Code
from service.core.product import WHOLE_PRICE, Problem, Product, Row, StoreFacts

_WHOLE = frozenset(WHOLE_PRICE)
_encode = msgspec.json.Encoder(order="deterministic").encode


class _Stale(enum.Enum):
    STALE = enum.auto()


STALE: Final = _Stale.STALE
"""The row says of itself, by sourceUpdatedAt, that it is older than what the product already is."""
Stale = _Stale


def merge(product: Product | None, row: Row, store: StoreFacts) -> Product | Problem | Stale:
    """The product after the row; `product` is None where the store does not have it yet, or no longer.

    A Problem if a product cannot be so: without a name or any price, or with a sale that ends before it starts.
    """
    updated_at = row.fields.get("source_updated_at")
    before = product and product.source_updated_at
    if updated_at is not None and before is not None and updated_at < before:
        return STALE
    changes: dict[str, Any] = {
        field: value if value is not None else _EMPTY.get(field) for field, value in row.fields.items()
    }
    changes["currency"] = store.currency
    if updated_at is None:
        changes["source_updated_at"] = before
    if "alternate_barcodes" in changes:
        changes["alternate_barcodes"] = tuple(changes["alternate_barcodes"])  # a list, once it has been JSON
    merged = msgspec.structs.replace(product or Product(row.barcode), **changes)
    if _contradicts_kept_price(merged, row.fields):
        merged = msgspec.structs.replace(merged, price=None)
    return _problem(merged, row, known=product is not None) or merged


def changes_nothing(product: Product, row: Row, store: StoreFacts) -> bool:
    """Whether `merge` would return the same product; cheap, and may say no where it would.

    Attributes are left to `merge`: as JSON, 1 and true differ, and here they are equal.
    """
    fields = row.fields
    if fields.get("attributes") is not None or product.currency != store.currency:
        return False
    for field, value in fields.items():
        if getattr(product, field) != value:
            return False
    return not _contradicts_kept_price(product, fields)


_EMPTY: dict[str, Any] = {"alternate_barcodes": (), "attributes": {}}


def _contradicts_kept_price(merged: Product, stated: dict[str, Any]) -> bool:
    """Whether the row states the whole price as a sale price alone, and the price kept from before is not above it.

    Chains that leave the price out during a promotion would else have the old, lower price on the shelf.
    """
    if merged.sale_price is None or merged.price is None or merged.sale_price < merged.price:
        return False
    return "price" not in stated and stated.keys() >= _WHOLE


def _problem(merged: Product, row: Row, *, known: bool) -> Problem | None:
    start, end = merged.sale_start, merged.sale_end
    if start is not None and end is not None and end <= start:
        return Problem(
            row.index, row.barcode, "saleEnd", Code.ENDS_BEFORE_START.value, "The sale ends before it starts."
        )
    missing = "name" if not merged.name else "price" if merged.price is None and merged.sale_price is None else None
    if missing is None:
        return None
    if known:
        detail = "The product would be left without any price."
        return Problem(row.index, row.barcode, missing, Code.REQUIRED.value, detail)
    detail = f"The store has no product with this barcode, and a new one needs a {missing}."
    return Problem(row.index, row.barcode, missing, Code.UNKNOWN_PRODUCT.value, detail)


def content_hash(product: Product) -> str:
    """32 hexadecimal digits, equal for equal products in every process; when the source updated it is not content."""
    content = msgspec.structs.replace(product, source_updated_at=None)
    return hashlib.blake2b(_encode(content), digest_size=16).hexdigest()
