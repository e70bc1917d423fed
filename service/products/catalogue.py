"""What a store sells: its products in pages, one by one, what became of them and where they are shown."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Annotated, Any, NamedTuple, TypeVar

import msgspec

from service import paging, planning
from service.context import Shelfcast
from service.core import sales, searching
from service.core.label_fields import Said
from service.core.lowest import SPAN, Priced, lowest
from service.core.money import exact_text
from service.core.product import Product, StoreFacts
from service.core.reasons import why
from service.errors import NotFoundError, ValidationError
from service.ids import first_of, is_id
from service.messages import Page, Window, time, time_or_none
from service.messages.products import (
    BY_BARCODE,
    FieldChange,
    Offer,
    ProductChange,
    ProductDisplay,
    ProductPrice,
    Stock,
    StoredProduct,
)
from service.reasons import proof_word
from service.shelves import shelf
from service.store import catalogue
from service.store.catalogue import Sort, Wanted
from service.store.database import Connection, Record
from service.store.tenants import Store
from service.tenants.stores import known_store
from service.tenants.tokens import Caller

T = TypeVar("T")

SETTLED = 2000
"""Milliseconds until a price is in the store's feed of prices: until then a machine whose clock is behind may still
commit one with a lower id."""

_Text = Annotated[str, msgspec.Meta(max_length=searching.MAX_TEXT, pattern=r"\A[^\x00]*\Z")]
_Barcode = Annotated[str, msgspec.Meta(max_length=64, pattern=r"\A[!-~]*\Z")]
_PRICES = {"price", "sale_price", "member_price", "deposit", "unit_price", "reference_price"}
_TIMES = {"sale_start", "sale_end", "promotion_until", "source_updated_at"}
_WRITTEN = (*_PRICES, *_TIMES)
_NOTHING = Offer(
    price=None,
    regular_price=None,
    on_sale=False,
    until=None,
    unit_price=None,
    unit_price_unit=None,
    lowest_price_30_days=None,
)
_decode = msgspec.json.Decoder(Product).decode
_decode_fields = msgspec.json.Decoder(dict[str, tuple[Any, Any]]).decode


class Shop(NamedTuple):
    """The store whose products are asked for."""

    store_id: int
    facts: StoreFacts


def shop_of(caller: Caller) -> Shop:
    return Shop(caller.store_id, StoreFacts(caller.currency, caller.timezone, caller.locale))


def shop_at(store: Store) -> Shop:
    return Shop(store.id, StoreFacts(store.currency, store.timezone, store.locale))


async def shop_named(ctx: Shelfcast, slug: str) -> Shop:
    """Raises NotFoundError if there is no such store."""
    async with ctx.db.read() as connection:
        return shop_at(await known_store(connection, slug))


class Named(NamedTuple):
    """A product as a request names it: its id, or BY_BARCODE and the barcode."""

    which: str
    barcode: str | None = None


async def listed(ctx: Shelfcast, shop: Shop, wanted: Wanted, sort: Sort, window: Window) -> Page[StoredProduct]:
    """One page of the products on sale, or of those archived."""
    form = tuple[_Text, _Barcode] if sort in {"name", "-name"} else tuple[_Barcode]
    after, offset = paging.decode(window.cursor, form), paging.shallow(window)
    async with ctx.db.read() as connection:
        keys = await catalogue.keys(connection, shop.store_id, wanted, sort, after, offset, window.per_page + 1)
        shown = keys[: window.per_page]
        total = await _total(connection, shop, wanted, window, len(keys))
        products = await messages(connection, shop, [key[-1] for key in shown], ctx.clock())
    return paging.page(window, products, shown[-1] if len(keys) > len(shown) else None, total)


async def _total(connection: Connection, shop: Shop, wanted: Wanted, window: Window, found: int) -> int | None:
    """For people, who turn pages; a program that follows the cursor needs no total. On the last page it is known."""
    if window.cursor is not None:
        return None
    if found <= window.per_page and (found or window.page == 1):
        return paging.offset(window) + found
    return await catalogue.count(connection, shop.store_id, wanted)


async def with_barcode(
    ctx: Shelfcast, shop: Shop, barcode: str, wanted: Wanted, window: Window, *, any_state: bool
) -> Page[StoredProduct]:
    """The product of this barcode as a list of one, or of none; with `any_state` also if it is archived."""
    async with ctx.db.read() as connection:
        found = await messages(connection, shop, [barcode], ctx.clock())
    kept = [one for one in found if (any_state or (one.archived_at is not None) == wanted.archived)]
    kept = [one for one in kept if wanted.category in {None, one.category}]
    kept = [one for one in kept if all(needle in _search_text(one) for needle in wanted.needles)]
    return paging.page(window, kept if window.page == 1 else [], None, len(kept))


def _search_text(one: StoredProduct) -> str:
    return searching.text_of(Product(one.barcode, name=one.name, sku=one.sku, brand=one.brand))


async def one(ctx: Shelfcast, shop: Shop, named: Named) -> StoredProduct:
    """Raises NotFoundError."""
    async with ctx.db.read() as connection:
        return await message(connection, shop, await barcode_of(connection, shop, named), ctx.clock())


async def stock(ctx: Shelfcast, shop: Shop, named: Named) -> Stock:
    product = await one(ctx, shop, named)
    return Stock(product_id=product.id, barcode=product.barcode, stock=product.stock, unit=product.unit)


async def barcode_of(connection: Connection, shop: Shop, named: Named) -> str:
    """The barcode of a product that the store has, or had; raises NotFoundError, ValidationError without ?barcode=."""
    if named.which == BY_BARCODE:
        if named.barcode is None:
            raise ValidationError("Name the product as ?barcode=…", {"barcode": "is required with by-barcode"})
        if await catalogue.rows(connection, shop.store_id, [named.barcode]):
            return named.barcode
        raise NotFoundError(f"This store has no product with the barcode {named.barcode}.")
    found = await catalogue.barcode_of(connection, shop.store_id, named.which) if is_id(named.which) else None
    if found is None:
        raise NotFoundError(
            f"This store has no product with this id. By its barcode it is /products/{BY_BARCODE}?barcode=…"
        )
    return found


async def message(connection: Connection, shop: Shop, barcode: str, now: int) -> StoredProduct:
    """A product that there is."""
    (found,) = await messages(connection, shop, [barcode], now)
    return found


async def messages(connection: Connection, shop: Shop, barcodes: Sequence[str], now: int) -> list[StoredProduct]:
    """These products in this order; those that the store never had are left out."""
    rows = await catalogue.rows(connection, shop.store_id, barcodes)
    says = {code: Said(_decode(row["content"]), shop.facts, now) for code, row in rows.items()}
    asked = [code for code, row in rows.items() if not _is_steady(row, says[code])]
    prices = await catalogue.priced(connection, shop.store_id, asked)
    return [_message(rows[code], says[code], prices.get(code)) for code in barcodes if code in rows]


def _is_steady(row: Record, say: Said) -> bool:
    """Whether a product cost what it does for as long as its lowest price is asked for, as most do; or is archived."""
    if row["archived_at"] is not None:
        return True
    is_old = row["price_since"] is not None and row["price_since"] <= say.now - SPAN
    is_overdue = row["next_change_at"] is not None and row["next_change_at"] <= say.now
    return is_old and not is_overdue and not say.offer.on_sale


def _message(row: Record, say: Said, prices: Sequence[Priced] | None) -> StoredProduct:
    """A product; without `prices` if it is steady."""
    return StoredProduct(
        id=row["id"],
        **shown(say.product),
        now=_NOTHING if row["archived_at"] is not None else _offer(say, prices),
        archived_at=time_or_none(row["archived_at"]),
        created_at=_time(row["created_at"]),
        updated_at=_time(row["updated_at"]),
    )


def shown(product: Product) -> dict[str, Any]:
    """Every field of a product as the API writes it; by its name here."""
    fields = msgspec.structs.asdict(product)
    for name in _WRITTEN:
        if fields[name] is not None:
            fields[name] = said(name, fields[name])
    return fields


def said(field: str, value: Any) -> Any:
    """A field's value as the API writes it."""
    if value is None:
        return None
    if field in _PRICES:
        return _price(value)
    return _time(value) if field in _TIMES else value


def _offer(say: Said, prices: Sequence[Priced] | None) -> Offer:
    unit_price, unit = say.per_unit
    offer = say.offer
    least = offer.price if prices is None else lowest(prices, say.now, offer.price if offer.on_sale else None)
    return Offer(
        price=_price(offer.price),
        regular_price=_price(offer.regular),
        on_sale=offer.on_sale,
        until=time_or_none(sales.next_price_change(say.product, say.now)),
        unit_price=_price(unit_price),
        unit_price_unit=unit if unit_price is not None else None,
        lowest_price_30_days=_price(least),
    )


@lru_cache(maxsize=8192)  # a list repeats its prices
def _price(price: int | None) -> str | None:
    return None if price is None else exact_text(price)


@lru_cache(maxsize=1024)  # and what was saved together has one time
def _time(at: int) -> str:
    return time(at)


async def prices(ctx: Shelfcast, shop: Shop, named: Named, window: Window) -> Page[ProductPrice]:
    """What a product cost, the newest first."""
    after, offset = paging.decode(window.cursor, paging.Id), paging.shallow(window)
    async with ctx.db.read() as connection:
        barcode = await barcode_of(connection, shop, named)
        (product,) = (await catalogue.rows(connection, shop.store_id, [barcode])).values()
        rows = await catalogue.prices_of(connection, shop.store_id, barcode, after, offset, window.per_page + 1)
    return _page(window, [(row["id"], _price_message(row, product["id"])) for row in rows])


async def all_prices(ctx: Shelfcast, shop: Shop, since: int, window: Window) -> Page[ProductPrice]:
    """Prices of the whole store from a moment on, the oldest first. This never ends, so that `next` is always told."""
    after = paging.decode(window.cursor, paging.Id) or first_of(since)
    async with ctx.db.read() as connection:
        settled = first_of(ctx.clock() - SETTLED)
        rows = await catalogue.prices_between(connection, shop.store_id, after, settled, window.per_page)
    found = [_price_message(row, row["product_id"]) for row in rows]
    return paging.page(window, found, rows[-1]["id"] if rows else after, None)


def _price_message(row: Record, product_id: str | None) -> ProductPrice:
    return ProductPrice(
        id=row["id"],
        product_id=product_id,
        barcode=row["barcode"],
        price=_price(row["regular"]),
        sale_price=_price(row["sale"]),
        effective_price=_price(row["effective"]),
        currency=row["currency"],
        **_cause(row),
        received_at=time(row["received_at"]),
        effective_at=time(row["effective_at"]),
        first_proven_at=time_or_none(row["first_proven_at"]),
    )


def _cause(row: Record) -> dict[str, Any]:
    return {name: row[name] for name in ("cause", "cause_id", "push", "row", "token")}


async def changes(ctx: Shelfcast, shop: Shop, named: Named, window: Window) -> Page[ProductChange]:
    """What else became of a product, the newest first."""
    after, offset = paging.decode(window.cursor, paging.Id), paging.shallow(window)
    async with ctx.db.read() as connection:
        barcode = await barcode_of(connection, shop, named)
        rows = await catalogue.changes_of(connection, shop.store_id, barcode, after, offset, window.per_page + 1)
    return _page(window, [(row["id"], _change_message(row)) for row in rows])


def _change_message(row: Record) -> ProductChange:
    fields = [
        FieldChange(field=_spelled(name), before=said(name, before), after=said(name, after))
        for name, (before, after) in _decode_fields(row["fields"]).items()
    ]
    return ProductChange(id=row["id"], at=time(row["at"]), fields=fields, reason=row["reason"], **_cause(row))


def _spelled(name: str) -> str:
    """A field in the API's spelling; the name of an attribute is its caller's own."""
    field, dot, attribute = name.partition(".")
    first, *rest = field.split("_")
    return first + "".join(map(str.capitalize, rest)) + dot + attribute


async def displays(ctx: Shelfcast, shop: Shop, named: Named, window: Window, *, ended: bool) -> Page[ProductDisplay]:
    """Where a product is shown, bound last first; with `ended` also where it was."""
    after, offset = paging.decode(window.cursor, paging.Id), paging.shallow(window)
    async with ctx.db.read() as connection:
        barcode = await barcode_of(connection, shop, named)
        rows = await catalogue.displays_of(
            connection, shop.store_id, barcode, after, offset, window.per_page + 1, ended=ended
        )
    return _page(window, [(row["binding_id"], _display_message(dict(row))) for row in rows])


def _display_message(row: dict[str, Any]) -> ProductDisplay:
    right = planning.is_right(row)
    reason, detail = (None, None) if right or row["retired_at"] is not None else why(shelf.circumstances(row))
    return ProductDisplay(
        display_id=row["id"],
        address=row["address"],
        gateway=row["gateway"],
        slot=row["slot"],
        bound_at=time(row["bound_at"]),
        bound_by=row["bound_by"],
        unbound_at=time_or_none(row["unbound_at"]),
        unbound_by=row["unbound_by"],
        right=right,
        shown_at=time_or_none(row["shown_at"]),
        proof=proof_word(row["shown_proof"]),
        reason=reason,
        detail=detail,
    )


def _page(window: Window, found: Sequence[tuple[str, T]]) -> Page[T]:
    """`found`: one more than the page has, if there are more; each with its key."""
    kept = found[: window.per_page]
    return paging.page(window, [row for _, row in kept], kept[-1][0] if len(found) > len(kept) else None, None)
