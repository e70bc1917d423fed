"""What a row would make of a product, field by field, without doing it."""

from typing import Any

import msgspec

from service.core.fields import FIELDS
from service.core.imports import Kind
from service.core.merging import STALE, content_hash, merge
from service.core.money import exact_text
from service.core.product import Problem, Product, Row, StoreFacts

MONEY = ("price", "sale_price", "member_price", "deposit", "unit_price", "reference_price")
MOMENTS = ("sale_start", "sale_end", "promotion_until", "source_updated_at")


class Outcome(msgspec.Struct, frozen=True):
    """What would become of a product.

    Attributes:
        after: None unless it would be created or changed.
    """

    kind: Kind
    after: Product | None = None


def outcome(kept: Product | None, row: Row, store: StoreFacts, *, on_sale: bool) -> Outcome:
    """`kept`: the product as the store has it, or has had it; `on_sale`: which of the two."""
    after = merge(kept, row, store)
    if after is STALE:
        return Outcome(Kind.STALE)
    if isinstance(after, Problem):
        return Outcome(Kind.REJECTED)
    if kept is None or not on_sale:
        return Outcome(Kind.CREATED, after)
    is_same = content_hash(kept) == content_hash(after)
    return Outcome(Kind.UNCHANGED) if is_same else Outcome(Kind.CHANGED, after)


def differences(before: Product | None, after: Product) -> dict[str, tuple[Any, Any]]:
    """Field, as the API spells it -> what it is and what it would be; those that stay are left out."""
    pairs = {
        name: (None if before is None else _shown(before, field), _shown(after, field))
        for name, (field, _) in FIELDS.items()
    }
    return {name: (old, new) for name, (old, new) in pairs.items() if old != new}


def _shown(product: Product, field: str) -> Any:
    """As the API would say it, times in milliseconds; an empty value is none."""
    value = getattr(product, field)
    return exact_text(value) if field in MONEY and value is not None else value or (value if value is False else None)
