"""Products of the benchmark of lists: names as groceries have them, some archived, each with prices of its own."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from bench.listed import SEARCH, Asked, Get
from bench.products import barcode
from service import paging
from service.context import Shelfcast
from service.core.merging import content_hash
from service.core.product import Product
from service.core.searching import text_of
from service.ids import new_id
from service.store import products
from service.store.database import Connection
from service.store.statements import Rows, chunks
from service.tenants.tokens import Caller

PRICES = 5
"""In the history of each product."""
CATEGORIES = 40
ARCHIVED = 20
"""One in so many."""
RARE = "zanzibar"
DEEP = 1000
"""The page that page numbers reach just so, with the usual hundred rows."""

_DAY = 24 * 60 * 60 * 1000
_KINDS = (
    "Milk", "Yoghurt", "Butter", "Cheese", "Bread", "Rolls", "Flour", "Sugar", "Salt", "Oil", "Vinegar", "Rice",
    "Pasta", "Beans", "Peas", "Tuna", "Sardines", "Coffee", "Tea", "Cocoa", "Juice", "Water", "Beer", "Wine", "Soap",
)  # fmt: skip
_LOOKS = ("fresh", "organic", "classic", "light", "extra", "mini", "family", "dark", "white", "red", "Češka", "Žuta")
_encode = msgspec.json.Encoder().encode


async def load(ctx: Shelfcast, store: Caller, count: int) -> None:
    """Straight into the tables: what saving comes to, without displays."""
    now = ctx.clock()
    for some in chunks(range(count), 5000):
        made = [_product(number, count) for number in some]
        prices = [list(_prices(store.store_id, one, number, now)) for number, one in zip(some, made, strict=True)]
        rows = [
            _row(store.store_id, one, number, now) | {"price_id": its[-1]["id"], "price_since": its[-1]["effective_at"]}
            for number, one, its in zip(some, made, prices, strict=True)
        ]
        await ctx.db.write(_write, rows, [price for its in prices for price in its])


async def _write(connection: Connection, rows: Rows, history: Rows) -> None:
    await products.save(connection, rows)
    await products.append_prices(connection, history)


def _product(number: int, count: int) -> Product:
    shuffled = number * 7919 % count
    kind, look = _KINDS[shuffled % len(_KINDS)], _LOOKS[shuffled // 25 % len(_LOOKS)]
    rare = f" {RARE}" if number == count * 2 // 3 else ""
    return Product(
        barcode(number),
        name=f"{kind} {look}{rare} {shuffled} {100 + shuffled % 900} g",
        price=10_000 + number % 90_000,
        currency="EUR",
        unit="kom",
        net_content="0.5",
        net_content_unit="kg",
        category=f"Category {number % CATEGORIES}" if number % 2 else "HRANA",
        brand=f"Brand {shuffled % 300}",
        sku=f"SKU{number}",
    )


def _row(store_id: int, product: Product, number: int, now: int) -> dict[str, Any]:
    return {
        "store_id": store_id,
        "barcode": product.barcode,
        "id": new_id(),
        "name": product.name,
        "category": product.category,
        "search": text_of(product),
        "content": _encode(product).decode(),
        "content_hash": content_hash(product),
        "received_seq": number,
        "row_mark": None,
        "next_change_at": None,
        "archived_at": None if number % ARCHIVED else now,
        "created_at": now,
        "updated_at": now,
    }


def _prices(store_id: int, product: Product, number: int, now: int) -> Iterator[dict[str, Any]]:
    """A month apart from each other; the last one of every fifth product, on every page, counts since two days ago."""
    last = now - 2 * _DAY if number // 300 % 5 == 0 else now - 40 * _DAY
    for turn in range(PRICES):
        yield {
            "store_id": store_id,
            "id": new_id(),
            "barcode": product.barcode,
            "regular": product.price,
            "sale": None,
            "effective": product.price,
            "currency": "EUR",
            "cause": "add",
            "received_at": last - (PRICES - 1 - turn) * 30 * _DAY,
            "effective_at": last - (PRICES - 1 - turn) * 30 * _DAY,
        }


async def requests(get: Get, count: int) -> list[Asked]:
    deep = max(1, min(DEEP, count // 200))
    last = (await get("/products?sort=-name&perPage=100"))["data"][-1]
    by_name = paging.encode(
        (text_of(Product(last["barcode"], **{n: last[n] for n in ("name", "sku", "brand")})), last["barcode"])
    )
    after_deep = (await get(f"/products?page={deep}"))["meta"]["next"]
    by_barcode = (await get(f"/products?page={deep}&sort=-barcode"))["meta"]["next"]
    one = f"/products/{last['id']}"
    listed = {
        "first page": {},
        "first page, 1,000 rows": {"perPage": 1000},
        "first page by barcode, backwards": {"sort": "-barcode"},
        f"page number {deep}": {"page": deep},
        f"page {deep} by cursor": {"cursor": after_deep},
        f"page {deep} by cursor and barcode, backwards": {"cursor": by_barcode, "sort": "-barcode"},
        "last page by cursor": {"cursor": by_name},
        "category that half have": {"category": "HRANA"},
        "category that half have, by barcode": {"category": "HRANA", "sort": "barcode"},
        "category that one in 80 has": {"category": "Category 7"},
        "archived": {"archived": "true"},
        "archived, by barcode": {"archived": "true", "sort": "barcode"},
        "archived, of a category": {"archived": "true", "category": "HRANA", "sort": "-name"},
        "one barcode": {"barcode": last["barcode"]},
    }
    searched = {
        "search for a common word": {"search": "milk"},
        "search for two words": {"search": "organic butter"},
        "search for a rare word": {"search": RARE},
        "search for a word that nothing has": {"search": "qwertz"},
        "search for a common word, by barcode": {"search": "milk", "sort": "barcode"},
        "search within a category": {"search": RARE, "category": "HRANA"},
    }
    return [
        *(Asked(f"products: {what}", f"/products?{urlencode(query)}") for what, query in listed.items()),
        *(Asked(f"products: {what}", f"/products?{urlencode(query)}", SEARCH) for what, query in searched.items()),
        Asked("one product", one),
        Asked("prices of one product", f"{one}/prices"),
        Asked("changes of one product", f"{one}/changes"),
        Asked("displays of one product", f"{one}/displays"),
        Asked("prices of the store, first page", "/prices"),
        Asked("prices of the store, from a moment on", f"/prices?since={quote('2100-01-01')}"),
    ]
