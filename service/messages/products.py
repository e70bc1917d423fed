"""What the API answers about products: prices as exact decimal text, times as RFC 3339."""

from typing import Annotated, Any, Literal

from msgspec import Meta

from service.core.product import Problem
from service.messages import Message, ProofWord, Time, Ulid

Price = Annotated[str, Meta(pattern=r"^[0-9]+\.[0-9]{2,4}$", description="Exact", examples=["46.50"])]
Quantity = Annotated[str, Meta(pattern=r"^-?[0-9]+(\.[0-9]+)?$", description="Exact", examples=["12", "0.75"])]
PriceCause = Literal["add", "update", "batch", "clock", "archive", "restore", "stock"]
BY_BARCODE = "by-barcode"
"""What a path says in the place of a product's id where `?barcode=` names it."""
Outcome = Literal["created", "updated", "unchanged", "archived", "restored"]


class Offer(Message, frozen=True, kw_only=True):
    """What the shelf says at this moment.

    `until` is when the clock alone changes the price, as a sale starts or ends. `unitPrice` is the feed's own, or else
    computed. `lowestPrice30Days` is the lowest price that counted within 30 days before now; during a sale, within 30
    days before the sale price began to count (Directive 98/6/EC, article 6a); null where there was none.
    """

    price: Price | None
    regular_price: Price | None
    on_sale: bool
    until: Time | None
    unit_price: Price | None
    unit_price_unit: str | None
    lowest_price_30_days: Price | None


class StoredProduct(Message, frozen=True, kw_only=True):
    """A product as the store has it, and what it costs now."""

    id: Ulid
    barcode: str
    name: str
    price: Price | None
    sale_price: Price | None
    on_sale: bool | None
    sale_start: Time | None
    sale_end: Time | None
    currency: str
    promotion_text: str | None
    promotion_until: Time | None
    member_price: Price | None
    deposit: Price | None
    stock: Quantity | None
    unit: str | None
    net_content: Quantity | None
    net_content_unit: str | None
    unit_price: Price | None
    reference_price: Price | None
    category: str | None
    brand: str | None
    sku: str | None
    alternate_barcodes: list[str]
    description: str | None
    attributes: dict[str, Any]
    source_updated_at: Time | None
    now: Offer
    archived_at: Time | None
    created_at: Time
    updated_at: Time


class ChangedProduct(Message, frozen=True, kw_only=True):
    """What became of a product; `displays` is the number of displays that get a new face."""

    outcome: Outcome
    product: StoredProduct
    displays: int
    warnings: list[Problem]


class Stock(Message, frozen=True, kw_only=True):
    """How much the store has of a product; null where nobody said so."""

    product_id: Ulid
    barcode: str
    stock: Quantity | None
    unit: str | None


class ChangedStock(Message, frozen=True, kw_only=True):
    """The stock before and after; `displays` is the number of displays that get a new face."""

    product_id: Ulid
    barcode: str
    before: Quantity | None
    stock: Quantity | None
    unit: str | None
    displays: int


class ProductPrice(Message, frozen=True, kw_only=True):
    """What a product cost from `effectiveAt` on, until the next of its prices.

    `effectivePrice` is what counted: null once the product was off sale. `causeId` is the sessionId of the batch, with
    the push and row of it, or the requestId. `firstProvenAt` is when a display was first proven to show it.
    """

    id: Ulid
    product_id: Ulid | None
    barcode: str
    price: Price | None
    sale_price: Price | None
    effective_price: Price | None
    currency: str
    cause: PriceCause
    cause_id: str | None
    push: int | None
    row: int | None
    token: str | None
    received_at: Time
    effective_at: Time
    first_proven_at: Time | None


class FieldChange(Message, frozen=True, kw_only=True):
    """One field as it was and as it is; long texts are shortened. `archived` is whether it is off sale."""

    field: str
    before: Any
    after: Any


class ProductChange(Message, frozen=True, kw_only=True):
    """What was changed of a product at once, besides its prices."""

    id: Ulid
    at: Time
    fields: list[FieldChange]
    cause: PriceCause
    cause_id: str | None
    push: int | None
    row: int | None
    token: str | None
    reason: str | None


class ProductDisplay(Message, frozen=True, kw_only=True):
    """A display that shows, or showed, a product: right is when desired equals shown.

    `shownAt` and `proof`: since when the display was last proven to show what it does. Of a binding that is over, what
    is said of the display is not about this product any more.
    """

    display_id: Ulid
    address: str
    gateway: str
    slot: int
    bound_at: Time
    bound_by: str | None
    unbound_at: Time | None
    unbound_by: str | None
    right: bool
    shown_at: Time | None
    proof: ProofWord | None
    reason: str | None
    detail: str | None
