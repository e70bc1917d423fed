"""Products of one store: named by their id or, with `barcode=True`, by their barcode."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from service.client.transport import Transport
from service.messages import Page
from service.messages.displays import Evidence
from service.messages.products import (
    BY_BARCODE,
    ChangedProduct,
    ChangedStock,
    ProductChange,
    ProductDisplay,
    ProductPrice,
    Stock,
    StoredProduct,
)


class Products:
    """Raises RefusedError."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list_products(self, **filters: str | int | bool | None) -> Iterator[StoredProduct]:
        """Filters and sorting as `GET /products` has them: search, category, archived, sort, perPage."""
        return self._transport.pages("/products", Page[StoredProduct], **filters)

    def get_product(self, product: str, *, barcode: bool = False) -> StoredProduct:
        path, query = _named(product, barcode=barcode)
        return self._transport.get(path, StoredProduct, **query)

    def create_product(self, product: Mapping[str, Any]) -> ChangedProduct:
        return self._transport.send("POST", "/products", product, ChangedProduct, repeat=False)

    def change_product(self, product: str, changes: Mapping[str, Any], *, barcode: bool = False) -> ChangedProduct:
        path, query = _named(product, barcode=barcode)
        return self._transport.send("PATCH", path, changes, ChangedProduct, query=query)

    def archive_product(self, product: str, reason: str | None = None, *, barcode: bool = False) -> ChangedProduct:
        path, query = _named(product, "/archive", barcode=barcode)
        return self._transport.send("POST", path, {"reason": reason}, ChangedProduct, query=query)

    def restore_product(self, product: str, reason: str | None = None, *, barcode: bool = False) -> ChangedProduct:
        path, query = _named(product, "/restore", barcode=barcode)
        return self._transport.send("POST", path, {"reason": reason}, ChangedProduct, query=query)

    def get_stock(self, product: str, *, barcode: bool = False) -> Stock:
        path, query = _named(product, "/stock", barcode=barcode)
        return self._transport.get(path, Stock, **query)

    def change_stock(
        self, product: str, change: Mapping[str, str], *, key: str | None = None, barcode: bool = False
    ) -> ChangedStock:
        """`change`: {"adjust": "-2.5"} or {"set": "12"}, and a reason; only with a `key` it is safe to repeat."""
        path, query = _named(product, "/stock", barcode=barcode)
        return self._transport.send("POST", path, change, ChangedStock, key=key, query=query, repeat=key is not None)

    def list_product_prices(self, product: str, *, barcode: bool = False) -> Iterator[ProductPrice]:
        path, query = _named(product, "/prices", barcode=barcode)
        return self._transport.pages(path, Page[ProductPrice], **query)

    def list_product_changes(self, product: str, *, barcode: bool = False) -> Iterator[ProductChange]:
        path, query = _named(product, "/changes", barcode=barcode)
        return self._transport.pages(path, Page[ProductChange], **query)

    def list_product_displays(
        self, product: str, *, all_of_them: bool = False, barcode: bool = False
    ) -> Iterator[ProductDisplay]:
        path, query = _named(product, "/displays", barcode=barcode)
        return self._transport.pages(path, Page[ProductDisplay], **query, all=_word(flag=all_of_them))

    def list_prices(self, since: str | None = None) -> Iterator[ProductPrice]:
        """Every price of the store in the order of time: to follow what changes, from where one was."""
        return self._transport.pages("/prices", Page[ProductPrice], since=since)

    def get_product_at(self, barcode: str, time: str | None = None) -> Iterator[Evidence]:
        """What the displays of a product showed at a time (RFC 3339), proven by what."""
        return self._transport.pages("/products/at", Page[Evidence], barcode=barcode, time=time)

    def export_products_csv(self, **which: str | bool | None) -> bytes:
        return self._transport.ask("GET", "/products/export.csv", query=which).content

    def export_products_ndjson(self, **which: str | bool | None) -> bytes:
        return self._transport.ask("GET", "/products/export.ndjson", query=which).content

    def preview_product(self, barcode: str, **how: str | None) -> bytes:
        """A PNG; `panel` and `template` as `GET /products/preview.png` has them."""
        return self._transport.ask("GET", "/products/preview.png", query={"barcode": barcode, **how}).content

    preview_named_product = preview_product


def _named(product: str, rest: str = "", *, barcode: bool) -> tuple[str, dict[str, str]]:
    if barcode:
        return f"/products/{BY_BARCODE}{rest}", {"barcode": product}
    return f"/products/{quote(product, safe='')}{rest}", {}


def _word(*, flag: bool) -> str:
    return "true" if flag else "false"
