"""A store's products as a file, row after row, that can be imported again: columns are named as the feed's fields.

Written in chunks by barcode, so that neither memory nor a transaction grows with the store; a product that is there all
along is in it once.
"""

import csv
import io
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Literal

import msgspec

from service.context import Shelfcast
from service.core.cells import guarded
from service.core.fields import FIELDS
from service.core.product import Product
from service.products.catalogue import Shop, said
from service.store import catalogue
from service.store.catalogue import Key, Wanted

Format = Literal["csv", "ndjson"]

CHUNK = 500
"""Products; some 10 ms of work between two pauses."""

_SPELLED = {"barcode": "barcode"} | {field: name for name, (field, _) in FIELDS.items()}
_COLUMNS = {field: name for field, name in _SPELLED.items() if field != "attributes"}
"""Of a CSV: every field but `attributes`, which no cell holds; a field that a file does not have keeps its value."""
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Product).decode


async def exported(ctx: Shelfcast, shop: Shop, form: Format, wanted: Wanted) -> AsyncIterator[bytes]:
    """The file, chunk by chunk; the first is read before this returns, so that what goes wrong can still be told."""
    write = _csv if form == "csv" else _ndjson
    products = await _chunk(ctx, shop, wanted, None)

    async def chunks(products: Sequence[Product]) -> AsyncIterator[bytes]:
        if form == "csv":
            yield _csv_rows([list(_COLUMNS.values())])
        while products:
            yield write(products)
            products = await _chunk(ctx, shop, wanted, (products[-1].barcode,))

    return chunks(products)


async def _chunk(ctx: Shelfcast, shop: Shop, wanted: Wanted, after: Key | None) -> list[Product]:
    async with ctx.db.read() as connection:
        keys = await catalogue.keys(connection, shop.store_id, wanted, "barcode", after, 0, CHUNK)
        rows = await catalogue.rows(connection, shop.store_id, [barcode for (barcode,) in keys])
    return [_decode(rows[barcode]["content"]) for (barcode,) in keys]


def _fields(product: Product, names: Mapping[str, str]) -> dict[str, Any]:
    return {name: said(field, getattr(product, field)) for field, name in names.items()}


def _ndjson(products: Sequence[Product]) -> bytes:
    rows = (_fields(product, _SPELLED) for product in products)
    return b"".join(
        _encode({name: value for name, value in row.items() if value not in _EMPTY}) + b"\n" for row in rows
    )


_EMPTY: tuple[Any, ...] = (None, (), {}, "")


def _csv(products: Sequence[Product]) -> bytes:
    return _csv_rows([[_cell(value) for value in _fields(product, _COLUMNS).values()] for product in products])


def _csv_rows(rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return guarded(" ".join(value) if isinstance(value, tuple) else value)
