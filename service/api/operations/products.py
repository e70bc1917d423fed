"""Products: what the store sells, one by one and in lists, and what became of them."""

from typing import Any

from service import errors
from service.api.operations.operation import BODY, Answer, Operation, Schema
from service.api.requests import products as asked
from service.core.scopes import Scope
from service.errors import ServiceError
from service.messages import Page
from service.messages.products import (
    ChangedProduct,
    ChangedStock,
    ProductChange,
    ProductDisplay,
    ProductPrice,
    Stock,
    StoredProduct,
)

PRODUCT_TAG = "Products"
_READ, _WRITE = (Scope.PRODUCTS_READ,), (Scope.PRODUCTS_WRITE,)
_ID = "01KAMW5T9E8Z3Q4R5S6T7V8W9X"
_TIME = "2026-11-22T06:30:00.000Z"
_LOOKED_FOR: tuple[type[ServiceError], ...] = (errors.ValidationError, errors.NotFoundError)
_CHANGED: tuple[type[ServiceError], ...] = (*BODY, errors.NotFoundError, errors.ConflictError)
_NEW = {"barcode": "3850123456799", "name": "Tamna čokolada 100 g", "price": "2.19", "category": "Sweets"}
_QUANTITY: Schema = {"$ref": "#/components/schemas/Quantity"}
_STOCK_BODY: Schema = {
    "type": "object",
    "properties": {
        "adjust": {"description": "By how much it changes; below zero where it shrinks.", **_QUANTITY},
        "set": {"description": "What it is; null: it is not known any more.", "anyOf": [_QUANTITY, {"type": "null"}]},
        "reason": {"type": ["string", "null"], "maxLength": asked.MAX_REASON, "pattern": r"^[^\u0000-\u001f\u007f]*$"},
    },
    "oneOf": [{"required": ["adjust"]}, {"required": ["set"]}],
}
_PRICE = {
    "id": _ID, "productId": _ID, "barcode": "3850123456782", "price": "1.99", "salePrice": None,
    "effectivePrice": "1.99", "currency": "EUR", "cause": "batch", "causeId": _ID, "push": 0, "row": 17,
    "token": "POS", "receivedAt": _TIME, "effectiveAt": _TIME, "firstProvenAt": _TIME,
}  # fmt: skip


def _file(kind: str, media: str, text: str) -> Operation:
    return Operation(
        method="get",
        path=f"/products/export.{kind}",
        id=f"exportProducts{kind.capitalize()}",
        tag=PRODUCT_TAG,
        scopes=_READ,
        summary=f"Export products as {kind.upper()}",
        text=(
            f"{text} In the order of barcodes; named as the feed's fields, so that it can be imported again. Streamed, "
            "and compressed where Accept-Encoding has gzip."
        ),
        query=asked.WhichQuery,
        answers=(Answer(200, "The file.", {"type": "string"}, media=media),),
        refusals=(errors.ValidationError,),
    )


def _read(path: str, id_: str, summary: str, text: str, body: Any, query: Any, **more: Any) -> Operation:
    return Operation(
        method="get",
        path=path,
        id=id_,
        tag=PRODUCT_TAG,
        scopes=more.pop("scopes", _READ),
        summary=summary,
        text=text,
        query=query,
        answers=(Answer(200, more.pop("what", "One page of them."), body, **more),),
        refusals=_LOOKED_FOR,
    )


def _put(verb: str, summary: str, text: str) -> Operation:
    return Operation(
        method="post",
        path=f"/products/{{product}}/{verb}",
        id=f"{verb}Product",
        tag=PRODUCT_TAG,
        scopes=_WRITE,
        summary=summary,
        text=text,
        query=asked.ProductQuery,
        body=asked.Because,
        body_needed=False,
        example={"reason": "Recalled by its maker"},
        answers=(Answer(200, "What became of it.", ChangedProduct),),
        refusals=(*BODY, errors.NotFoundError),
    )


OPERATIONS: tuple[Operation, ...] = (
    _read(
        "/products",
        "listProducts",
        "List products",
        (
            "Products on sale by name, or as `sort` says. With `barcode`, where one is known, a list of one or "
            "none. A total is told up to 10,000, and with page numbers only."
        ),
        Page[StoredProduct],
        asked.ProductsQuery,
    ),
    _file("csv", "text/csv", "UTF-8, a header, every field but `attributes`; no spreadsheet executes a cell."),
    _file("ndjson", "application/x-ndjson", "A JSON object a line, every field that has a value."),
    Operation(
        method="post",
        path="/products",
        id="createProduct",
        tag=PRODUCT_TAG,
        scopes=_WRITE,
        summary="Create a product",
        text=(
            "As a row of `/add`. A barcode that is on sale already is a conflict; one that is archived is sold again "
            "with what this says."
        ),
        body={"$ref": "#/components/schemas/NewProduct"},
        example=_NEW,
        answers=(Answer(201, "The store sells it.", ChangedProduct, headers={"Location": "The product."}),),
        refusals=(*BODY, errors.ConflictError, errors.UnprocessableError),
    ),
    _read(
        "/products/{product}",
        "getProduct",
        "Get a product",
        "Every field, what the shelf says of it now, and the lowest price of 30 days.",
        StoredProduct,
        asked.ProductQuery,
        what="The product.",
    ),
    Operation(
        method="patch",
        path="/products/{product}",
        id="changeProduct",
        tag=PRODUCT_TAG,
        scopes=_WRITE,
        summary="Change a product",
        text="As a row of `/productUpdate`, without its barcode: what is absent stays as it is, null clears.",
        query=asked.ProductQuery,
        body={"$ref": "#/components/schemas/ProductChanges"},
        example={"price": "1.89", "stock": 12},
        answers=(Answer(200, "What became of it.", ChangedProduct),),
        refusals=(*_CHANGED, errors.UnprocessableError),
    ),
    _put(
        "archive", "Archive a product", "Takes it off sale: its displays go blank, its history stays. Safe to repeat."
    ),
    _put("restore", "Restore a product", "Puts an archived product on sale as it was before. Safe to repeat."),
    _read(
        "/products/{product}/stock",
        "getStock",
        "Get the stock of a product",
        "How much the store has, as the feed and this API said.",
        Stock,
        asked.ProductQuery,
        what="The stock.",
        example={"productId": _ID, "barcode": "3850123456782", "stock": "12", "unit": "kom"},
    ),
    Operation(
        method="post",
        path="/products/{product}/stock",
        id="changeStock",
        tag=PRODUCT_TAG,
        scopes=_WRITE,
        summary="Change the stock of a product",
        text=(
            "`adjust` counts up or down, and adjustments at the same time add up; `set` says what it is. With an "
            "Idempotency-Key it is safe to repeat within seven days: the same request gets the stored answer, another "
            "one 409. A stock that is not known has to be set before it is counted."
        ),
        query=asked.ProductQuery,
        headers={
            "Idempotency-Key": {
                "type": "string",
                "pattern": "^[!-~]{1,255}$",
                "description": "Names this change within the store, so that repeating it counts once.",
            }
        },
        body=_STOCK_BODY,
        example={"set": "12.5", "reason": "Counted"},
        answers=(Answer(200, "The stock before and after.", ChangedStock),),
        refusals=_CHANGED,
    ),
    _read(
        "/products/{product}/prices",
        "listProductPrices",
        "List the prices of a product",
        "What it cost, the newest first, on whose word, and when a display was first proven to show it.",
        Page[ProductPrice],
        asked.PartsQuery,
    ),
    _read(
        "/products/{product}/changes",
        "listProductChanges",
        "List the changes of a product",
        (
            "What else became of it, the newest first: every field but its prices. Of its stock what this API changed; "
            "what the feed says of it comes with every sale, and is not kept."
        ),
        Page[ProductChange],
        asked.PartsQuery,
    ),
    _read(
        "/products/{product}/displays",
        "listProductDisplays",
        "List where a product is shown",
        "Its displays, bound last first: since when, whether each is right, and since when that is proven.",
        Page[ProductDisplay],
        asked.ProductDisplaysQuery,
        scopes=(Scope.PRODUCTS_READ, Scope.DISPLAYS_READ),
    ),
    _read(
        "/prices",
        "listPrices",
        "Follow the prices of the store",
        (
            "Every price in the order of time, from `since` on. It never ends: keep `meta.next`, always told, "
            "and ask with it again; nothing is missed and nothing comes twice. A price is here two seconds after it "
            "was saved. Page numbers are not looked at."
        ),
        Page[ProductPrice],
        asked.PricesQuery,
        example={"data": [_PRICE], "meta": {"page": 1, "perPage": 100, "count": 1, "total": None, "next": "IjAxSyI="}},
    ),
)
