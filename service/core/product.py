"""A product as the store has it, and the change that one feed row asks for.

Prices are integers of 1/10,000 of the currency unit; times are integer milliseconds since the epoch, UTC. Quantities
(`stock`, `net_content`) are canonical decimal strings, since nothing here calculates with them but the unit price.
"""

from typing import Any

import msgspec

WHOLE_PRICE = ("sale_price", "on_sale", "sale_start", "sale_end", "unit_price")
"""Fields that a row of `/add` or `/batch/push` always states: absent there means cleared: no ended sale stays."""


class StoreFacts(msgspec.Struct, frozen=True):
    """What the core has to know of a store.

    Attributes:
        currency: ISO 4217 code of every price.
        timezone: IANA name; what a date or time without an offset means.
        locale: Language and region of the faces, such as `hr` or `de_CH`.
    """

    currency: str = "EUR"
    timezone: str = "UTC"
    locale: str = "en"


class Product(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the store sells under one barcode: the result of every row so far. Its JSON is what is stored and hashed."""

    barcode: str
    name: str = ""
    price: int | None = None
    sale_price: int | None = None
    on_sale: bool | None = None
    sale_start: int | None = None
    sale_end: int | None = None
    currency: str = ""
    promotion_text: str | None = None
    promotion_until: int | None = None
    member_price: int | None = None
    deposit: int | None = None
    stock: str | None = None
    unit: str | None = None
    net_content: str | None = None
    net_content_unit: str | None = None
    unit_price: int | None = None
    reference_price: int | None = None
    category: str | None = None
    brand: str | None = None
    sku: str | None = None
    alternate_barcodes: tuple[str, ...] = ()
    description: str | None = None
    attributes: dict[str, Any] = {}
    source_updated_at: int | None = None


class Row(msgspec.Struct, frozen=True, array_like=True):
    """One accepted feed row, normalised; what a push keeps until it is saved.

    Attributes:
        index: Position in the push, from 0.
        barcode: Trimmed, 1 to 64 visible ASCII characters.
        fields: Product field name (snake_case) -> normalised value, or None to clear it. A field that is absent here
            keeps its value. `barcode` is not among them; `source_updated_at` is.
    """

    index: int
    barcode: str
    fields: dict[str, Any]


class Problem(msgspec.Struct, frozen=True, rename="camel"):
    """Why a row, or a part of it, was not taken as it was sent: an error refuses the row, a warning does not.

    Attributes:
        index: Position of the row in its push, from 0.
        barcode: As sent, shortened to 64 characters; None where it is not a string.
        field: Name in the API's spelling, such as `salePrice`; None for the row as a whole.
        code: Stable machine-readable word.
        detail: One sentence for people: what is wrong and how to mend it.
    """

    index: int
    barcode: str | None
    field: str | None
    code: str
    detail: str
