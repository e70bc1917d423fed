"""Faces: the content that one display should show, chosen for a moment, and its digest.

A face holds what a shopper can see and nothing else. Prices are in it as they are shown, so that neither the stock nor
a change from 4.589 to 4.591 costs a radio and a battery anything.
"""

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import msgspec

from display_drivers.base import Panel
from service.core.boxes import Box, cells
from service.core.label_fields import Said
from service.core.product import Product, StoreFacts
from service.core.templates import Template


class SlotFace(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """One product as a display shows it. Prices are decimals with the currency's digits and a point, such as `4.59`.

    Attributes:
        price: What the shopper pays now; None where no price is valid.
        regular: The price to strike through; None without a sale.
        until: The last day of the sale in the store's time zone, such as `2026-08-22`.
        unit: What `price` buys, as the feed writes it, such as `kg` of weighed goods.
        unit_price: The price of one `unit_price_unit`: the feed's, else computed from the content.
        promotion: The promotion text while it is valid.
        look: Which variant of the template was chosen; None where it has none.
        areas: The conditional areas that are drawn.
        more: Further fields that the template writes, by name: canonical text, as `label_fields` has it.
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
    look: str | None = None
    areas: tuple[str, ...] = ()
    more: dict[str, str] = {}

    def value(self, field: str) -> str | None:
        """What a field of `label_fields` says here; None where it says nothing."""
        return getattr(self, field) if field in _NAMED else self.more.get(field)


_NAMED = frozenset(
    {"barcode", "name", "price", "regular", "until", "unit", "unit_price", "unit_price_unit", "promotion"}
)
"""Fields that have their own place in a face; those that a template does not write are None there."""
_OPTIONAL = _NAMED - {"barcode", "name"}


class Face(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """What one display should show.

    Attributes:
        slots: What is in each slot, from 0; None where a slot is empty.
        template_digest: Of all that it is drawn from but the products; empty in faces of before there were templates.
    """

    panel: Panel
    template: str
    template_version: int
    locale: str
    slots: tuple[SlotFace | None, ...]
    template_digest: str = ""


def plan_face(
    products: Mapping[int, Product | None], panel: Panel, template: Template, store: StoreFacts, now: int
) -> Face | None:
    """The face for the products bound to a display, by slot from 0.

    A slot whose product is archived has None and stays empty; all archived make a blank face. A slot whose product
    the store never had is not among them; without any other there is nothing to show, and no face.
    """
    if not products:
        return None
    slots = [products.get(slot) for slot in range(max(max(products) + 1, template.file.slots))]
    cell = cells(panel.width, panel.height, len(slots))[0]
    shown = tuple(_slot_face(Said(product, store, now), template, cell) if product else None for product in slots)
    return Face(panel, template.name, template.version, store.locale, shown, template.digest)


def _slot_face(said: Said, template: Template, cell: Box) -> SlotFace:
    look, areas, fields = template.shown(cell, said)
    named, others = _places(fields)
    return SlotFace(
        barcode=said.product.barcode,
        name=said.product.name,
        currency=said.store.currency,
        on_sale=said.offer.on_sale,
        look=look,
        areas=areas,
        more={field: value for field in others if (value := said.value(field)) is not None},
        **{field: said.value(field) for field in named},
    )


@lru_cache(maxsize=1024)
def _places(fields: frozenset[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Those of the fields that have their own place in a face, and those that go into `more`."""
    return tuple(fields & _OPTIONAL), tuple(sorted(fields - _NAMED))


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
