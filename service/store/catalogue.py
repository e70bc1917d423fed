"""Lists of a store's products, of what became of them and of where they are shown: each page is found by an index.

Which products a page has is read from an index alone; their rows are read once that is known, also at the deepest page.
"""

from collections.abc import Collection, Sequence
from typing import Any, Literal, NamedTuple

from sqlalchemy import ColumnElement, RowMapping, Select, and_, select

from service.core.lowest import Priced
from service.store.chain_tables import product_changes
from service.store.database import Connection
from service.store.pages import counted, paged
from service.store.statements import chunks, contains, is_among
from service.store.tables import (
    bindings,
    displays,
    gateways,
    price_history,
    product_is_archived,
    product_is_on_sale,
    products,
    tokens,
    update_is_open,
    updates,
)

Sort = Literal["name", "-name", "barcode", "-barcode"]
Key = tuple[str, ...]
"""Of a product in its list: what it is sorted by, and at the end its barcode."""


class Wanted(NamedTuple):
    """Which products: archived or on sale, of this category, and whose text has all of these (`core.searching`)."""

    archived: bool = False
    category: str | None = None
    needles: tuple[str, ...] = ()


async def keys(
    connection: Connection, store_id: int, wanted: Wanted, sort: Sort, after: Key | None, offset: int, limit: int
) -> list[Key]:
    """The keys of one page, in its order."""
    key = _KEYS[sort.removeprefix("-")]
    statement = select(*key).where(*_where(connection, store_id, wanted))
    page = paged(statement, key, after, offset, limit, descending=sort.startswith("-"))
    return [tuple(row) for row in (await connection.execute(page)).all()]


_KEYS: dict[str, Sequence[ColumnElement[Any]]] = {
    "name": (products.c.search, products.c.barcode),
    "barcode": (products.c.barcode,),
}


async def count(connection: Connection, store_id: int, wanted: Wanted) -> int | None:
    """How many there are; None for more than are counted."""
    return await counted(connection, select(products.c.barcode).where(*_where(connection, store_id, wanted)))


def _where(connection: Connection, store_id: int, wanted: Wanted) -> list[ColumnElement[bool]]:
    where = [products.c.store_id == store_id, product_is_archived if wanted.archived else product_is_on_sale]
    if wanted.category is not None:
        where.append(products.c.category == wanted.category)
    return where + [contains(connection, products.c.search, needle) for needle in wanted.needles]


_COLUMNS = (
    products.c.barcode,
    products.c.id,
    products.c.content,
    products.c.next_change_at,
    products.c.price_since,
    products.c.archived_at,
    products.c.created_at,
    products.c.updated_at,
)


async def rows(connection: Connection, store_id: int, barcodes: Collection[str]) -> dict[str, RowMapping]:
    """Products by barcode, on sale or not."""
    found: dict[str, RowMapping] = {}
    for some in chunks(sorted(barcodes)):
        statement = select(*_COLUMNS).where(
            products.c.store_id == store_id, is_among(connection, products.c.barcode, some)
        )
        found.update((row["barcode"], row) for row in (await connection.execute(statement)).mappings().all())
    return found


async def barcode_of(connection: Connection, store_id: int, product_id: str) -> str | None:
    mine = (products.c.store_id == store_id) & (products.c.id == product_id)
    found: str | None = await connection.scalar(select(products.c.barcode).where(mine))
    return found


async def priced(connection: Connection, store_id: int, barcodes: Collection[str]) -> dict[str, list[Priced]]:
    """What these products cost and since when, the newest first."""
    found: dict[str, list[Priced]] = {barcode: [] for barcode in barcodes}
    columns = (price_history.c.barcode, price_history.c.effective, price_history.c.effective_at)
    for some in chunks(sorted(barcodes)):
        of_these = is_among(connection, price_history.c.barcode, some)
        statement = select(*columns).where(price_history.c.store_id == store_id, of_these)
        newest_first = statement.order_by(price_history.c.barcode.desc(), price_history.c.id.desc())
        for barcode, price, since in (await connection.execute(newest_first)).all():
            found[barcode].append((price, since))
    return found


def _by(table: Any, column: Any) -> Any:
    """The name of the token that something was done with, beside it."""
    return table.outerjoin(tokens, tokens.c.id == column)


_PRICE = (price_history, tokens.c.name.label("token"))


async def prices_of(
    connection: Connection, store_id: int, barcode: str, after: str | None, offset: int, limit: int
) -> list[RowMapping]:
    """Prices of one product, the newest first."""
    statement = select(*_PRICE).select_from(_by(price_history, price_history.c.token_id))
    mine = statement.where(price_history.c.store_id == store_id, price_history.c.barcode == barcode)
    return await _page(connection, mine, price_history.c.id, after, offset, limit, descending=True)


async def prices_between(
    connection: Connection, store_id: int, after: str, before: str, limit: int
) -> list[RowMapping]:
    """Prices of all products in the order of time: ids beyond `after`, below `before`."""
    its_product = and_(products.c.store_id == price_history.c.store_id, products.c.barcode == price_history.c.barcode)
    joined = _by(price_history, price_history.c.token_id).outerjoin(products, its_product)
    statement = select(*_PRICE, products.c.id.label("product_id")).select_from(joined)
    mine = statement.where(price_history.c.store_id == store_id, price_history.c.id < before)
    return await _page(connection, mine, price_history.c.id, after, 0, limit)


async def changes_of(
    connection: Connection, store_id: int, barcode: str, after: str | None, offset: int, limit: int
) -> list[RowMapping]:
    """What else became of one product, the newest first."""
    joined = _by(product_changes, product_changes.c.token_id)
    statement = select(product_changes, tokens.c.name.label("token")).select_from(joined)
    mine = statement.where(product_changes.c.store_id == store_id, product_changes.c.barcode == barcode)
    return await _page(connection, mine, product_changes.c.id, after, offset, limit, descending=True)


async def displays_of(
    connection: Connection, store_id: int, barcode: str, after: str | None, offset: int, limit: int, *, ended: bool
) -> list[RowMapping]:
    """Bindings of one product with their displays, the newest first; with `ended` also those that are over."""
    mine = select(bindings).where(bindings.c.store_id == store_id, bindings.c.barcode == barcode)
    if not ended:
        mine = mine.where(bindings.c.unbound_at.is_(None))
    place = None if after is None else (after,)
    # Not the column itself: its order would have the key of all bindings read, and not the index of this product's.
    bound = paged(mine, (bindings.c.id.concat(""),), place, offset, limit, descending=True).subquery("bound")
    its_display = (displays.c.store_id == bound.c.store_id) & (displays.c.id == bound.c.display_id)
    its_gateway = (gateways.c.store_id == displays.c.store_id) & (gateways.c.id == displays.c.gateway_id)
    open_update = (updates.c.store_id == displays.c.store_id) & (updates.c.display_id == displays.c.id) & update_is_open
    statement = (
        select(
            displays,
            bound.c.id.label("binding_id"),
            bound.c.slot,
            bound.c.bound_at,
            bound.c.bound_by,
            bound.c.unbound_at,
            bound.c.unbound_by,
            gateways.c.name.label("gateway"),
            gateways.c.unreachable_since,
            gateways.c.error.label("gateway_error"),
            gateways.c.maintenance_since,
            gateways.c.maintenance_by,
            gateways.c.maintenance_reason,
            updates.c.phase.label("update_phase"),
            updates.c.error,
            updates.c.detail,
        )
        .select_from(bound)
        .join(displays, its_display)
        .join(gateways, its_gateway)
        .outerjoin(updates, open_update)
        .order_by(bound.c.id.desc())
    )
    return list((await connection.execute(statement)).mappings())


async def _page(
    connection: Connection,
    statement: Select[Any],
    key: ColumnElement[str],
    after: str | None,
    offset: int,
    limit: int,
    *,
    descending: bool = False,
) -> list[RowMapping]:
    place = None if after is None else (after,)
    page = paged(statement, (key,), place, offset, limit, descending=descending)
    return list((await connection.execute(page)).mappings())
