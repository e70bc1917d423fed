"""Faces: the content that one display should show, chosen for a moment, and its digest.

A face holds what a shopper can see and nothing else. Prices are in it as they are shown, so that neither the stock nor
a change from 4.589 to 4.591 costs a radio and a battery anything.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec

from display_drivers.base import Panel
from service.core.moments import last_day
from service.core.money import decimal_text
from service.core.product import Product, StoreFacts
from service.core.quantities import base_unit, price_per_base_unit
from service.core.sales import effective, promotion_text


class Template(msgspec.Struct, frozen=True):
    """How products are laid out on a panel: a name, and a version that grows when the layout changes."""

    name: str = "price"
    version: int = 1


class SlotFace(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """One product as a display shows it. Prices are decimals with the currency's digits and a point, such as `4.59`.

    Attributes:
        price: What the shopper pays now; None where no price is valid.
        regular: The price to strike through; None without a sale.
        until: The last day of the sale in the store's time zone, such as `2026-08-22`.
        unit: What `price` buys, as the feed writes it, such as `kg` of weighed goods.
        unit_price: The price of one `unit_price_unit`: the feed's, else computed from the content.
        promotion: The promotion text while it is valid.
    """

    barcode: str
    name: str
    currency: str
    price: str | None = None
    regular: str | None = None
    on_sale: bool = False
    until: str | None = None
    unit: str | None = None
    unit_price: str | None = None
    unit_price_unit: str | None = None
    promotion: str | None = None


class Face(msgspec.Struct, frozen=True, rename="camel"):
    """Attributes: slots: what is in each slot of the template, from 0; None where a slot is empty."""

    panel: Panel
    template: str
    template_version: int
    locale: str
    slots: tuple[SlotFace | None, ...]


def plan_face(
    products: Mapping[int, Product | None], panel: Panel, template: Template, store: StoreFacts, now: int
) -> Face | None:
    """The face for the products bound to a display, by slot from 0.

    A slot whose product is archived has None and stays empty; all archived make a blank face. A slot whose product
    the store never had is not among them; without any other there is nothing to show, and no face.
    """
    if not products:
        return None
    slots = [products.get(slot) for slot in range(max(products) + 1)]
    shown = tuple(_slot_face(product, store, now) if product else None for product in slots)
    return Face(panel, template.name, template.version, store.locale, shown)


def _slot_face(product: Product, store: StoreFacts, now: int) -> SlotFace:
    offer = effective(product, now)
    unit_price, unit_price_unit = _unit_price(product, offer.price)
    return SlotFace(
        barcode=product.barcode,
        name=product.name,
        currency=store.currency,
        price=_shown(offer.price, store),
        regular=_shown(offer.regular, store),
        on_sale=offer.on_sale,
        until=last_day(product.sale_end, store.timezone) if offer.on_sale and product.sale_end is not None else None,
        unit=product.unit,
        unit_price=_shown(unit_price, store),
        unit_price_unit=unit_price_unit,
        promotion=promotion_text(product, now),
    )


def _shown(price: int | None, store: StoreFacts) -> str | None:
    return None if price is None else decimal_text(price, store.currency)


def _unit_price(product: Product, price: int | None) -> tuple[int | None, str | None]:
    """The price of a base unit, and the unit: the feed's own wins, a computed one follows what is paid now."""
    if price is None:
        return None, None
    unit = base_unit(product.net_content_unit)
    if product.unit_price is not None:
        return product.unit_price, unit or product.unit
    computed = price_per_base_unit(price, product.net_content, product.net_content_unit)
    return computed, unit if computed is not None else None


_encode = msgspec.json.Encoder().encode


def encoded(face: Face) -> bytes:
    """The face as JSON: what is stored."""
    return _encode(face)


def digest(face: Face) -> str:
    """32 hexadecimal digits of what is shown: content, template and panel; no clock and no renderer."""
    return digest_of(_encode(face))


def digest_of(content: bytes) -> str:
    """The digest of a face that is encoded already."""
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def to_content(face: Face) -> dict[str, Any]:
    """The face as JSON values: what hardware gets that draws by itself."""
    content: dict[str, Any] = msgspec.json.decode(_encode(face))
    return content


def from_content(content: Mapping[str, Any]) -> Face:
    """The inverse of `to_content`; raises msgspec.ValidationError if it cannot have been that."""
    return msgspec.convert(content, Face)
