"""Lists of displays: which of them are on a page, found by an index of what is asked, and then what is known of them.

Each filter leads by an index of its own that is in the order of ids, or of addresses, so that a page costs the same
wherever it is and whether few displays match or all of them.
"""

from collections.abc import Collection, Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, RowMapping, Select, func, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from service.store.displays import with_circumstances
from service.store.pages import MOST_COUNTED, paged
from service.store.statements import is_among
from service.store.tables import (
    bindings,
    display_battery_is_low,
    display_is_retired,
    display_is_unbound,
    display_is_unconfirmed,
    display_is_wrong,
    displays,
    gateways,
    stores,
)

_ACTIVE = bindings.c.unbound_at.is_(None)


class Wanted(msgspec.Struct, frozen=True):
    """Which displays; what is None is not asked.

    Attributes:
        gateways: Ids of gateways that they are on, one of these.
        by_address: In the order of addresses instead of ids.
    """

    wrong: bool = False
    unconfirmed: bool = False
    low_battery: bool = False
    unbound: bool = False
    retired: bool = False
    gateways: tuple[str, ...] | None = None
    barcode: str | None = None
    address: str | None = None
    by_address: bool = False

    @property
    def key(self) -> tuple[ColumnElement[Any], ...]:
        """In whose order they are listed; those of one address by the index of addresses."""
        by_address = self.by_address or self.address is not None
        return (displays.c.address, displays.c.id) if by_address else (displays.c.id,)

    @property
    def is_flagged(self) -> bool:
        """Whether something is asked that has an index of its own."""
        return self.wrong or self.unconfirmed or self.low_battery or self.unbound or self.retired

    @property
    def is_combined(self) -> bool:
        """Whether more than one thing is asked, so that no index has them all."""
        flags = (self.wrong, self.unconfirmed, self.low_battery, self.unbound, self.retired)
        return sum(flags) + sum(one is not None for one in (self.gateways, self.barcode, self.address)) > 1


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    asked = (
        (wanted.wrong, display_is_wrong),
        (wanted.unconfirmed, display_is_unconfirmed),
        (wanted.low_battery, display_battery_is_low),
        (wanted.unbound, display_is_unbound),
    )
    where: list[ColumnElement[bool]] = [condition for is_asked, condition in asked if is_asked]
    where.append(display_is_retired if wanted.retired else displays.c.retired_at.is_(None))
    if wanted.address is not None:
        where.append(displays.c.address == wanted.address)
    return where


def matching(store_id: int, wanted: Wanted) -> Select[Any]:
    """The keys of the displays, all of them in no order: to be counted, or read in pages."""
    shown = (bindings.c.store_id == store_id) & (bindings.c.barcode == wanted.barcode) & _ACTIVE
    if wanted == Wanted(barcode=wanted.barcode) and wanted.barcode is not None:
        # Its index has them in the order of displays, and what is retired has nothing bound.
        return select(bindings.c.display_id).where(shown).distinct()
    statement = select(*wanted.key).where(displays.c.store_id == store_id, *_conditions(wanted))
    if wanted.barcode is not None:
        statement = statement.where(displays.c.id.in_(select(bindings.c.display_id).where(shown)))
    if wanted.gateways is None:
        return statement
    # Of what is asked of a display there are few, behind a gateway there may be many: so that has to lead.
    gateway = displays.c.gateway_id.concat("") if wanted.is_flagged else displays.c.gateway_id
    return statement.where(gateway.in_(wanted.gateways) if len(wanted.gateways) > 1 else gateway == wanted.gateways[0])


async def page(
    connection: AsyncConnection, store_id: int, wanted: Wanted, after: Sequence[Any] | None, offset: int, limit: int
) -> list[tuple[Any, ...]]:
    """Keys of the displays of a page."""
    if wanted.gateways == ():
        return []
    if wanted.gateways is not None and len(wanted.gateways) > 1 and not wanted.is_flagged:
        return await _of_gateways(connection, store_id, wanted, after, offset, limit)
    statement = matching(store_id, wanted)
    key = wanted.key if len(wanted.key) > 1 else tuple(statement.selected_columns)
    return [tuple(row) for row in await connection.execute(paged(statement, key, after, offset, limit))]


async def count(connection: AsyncConnection, store_id: int, wanted: Wanted) -> int | None:
    """How many there are; None if they are too many, or not found by one index, to be counted."""
    if wanted.is_combined or wanted.gateways == ():
        return 0 if wanted.gateways == () else None
    statement = matching(store_id, wanted)
    key = wanted.key if len(wanted.key) > 1 else tuple(statement.selected_columns)
    # In their order, by which SQLite takes the index that has just these.
    some = paged(statement, key, None, 0, MOST_COUNTED + 1).subquery()
    found = int((await connection.execute(select(func.count()).select_from(some))).scalar_one())
    return found if found <= MOST_COUNTED else None


async def _of_gateways(
    connection: AsyncConnection, store_id: int, wanted: Wanted, after: Sequence[Any] | None, offset: int, limit: int
) -> list[tuple[Any, ...]]:
    """Of several gateways: the beginning of each one's page, each by its index, and of these the page."""
    of_each = [
        select(
            paged(
                matching(store_id, msgspec.structs.replace(wanted, gateways=(gateway,))),
                wanted.key, after, 0, offset + limit,
            ).subquery()
        )
        for gateway in wanted.gateways or ()
    ]  # fmt: skip
    together = union_all(*of_each).subquery()
    rows = await connection.execute(
        select(together).order_by(*(together.c[str(column.key)] for column in wanted.key)).offset(offset).limit(limit)
    )
    return [tuple(row) for row in rows]


async def rows(connection: AsyncConnection, store_id: int, ids: Collection[str]) -> list[dict[str, Any]]:
    """Displays with their gateway and their open update, in the order of ids."""
    statement = with_circumstances().where(displays.c.store_id == store_id, is_among(connection, displays.c.id, ids))
    return [dict(row) for row in (await connection.execute(statement)).mappings()]


async def bound_to(connection: AsyncConnection, store_id: int, display_ids: Collection[str]) -> list[RowMapping]:
    """What is bound to these displays now, by slot."""
    statement = (
        select(bindings)
        .where(bindings.c.store_id == store_id, is_among(connection, bindings.c.display_id, display_ids), _ACTIVE)
        .order_by(bindings.c.display_id, bindings.c.slot)
    )
    return list((await connection.execute(statement)).mappings())


async def gateway_ids(connection: AsyncConnection, store_id: int) -> list[RowMapping]:
    """The store's gateways: id, name, and whether they answer."""
    statement = select(gateways.c.id, gateways.c.name, gateways.c.unreachable_since, gateways.c.retired_at).where(
        gateways.c.store_id == store_id
    )
    return list((await connection.execute(statement)).mappings())


async def registered(connection: AsyncConnection, organisation_id: int, driver: str, address: str) -> RowMapping | None:
    """The display of this address, in whichever store of the organisation, with that store's slug."""
    statement = (
        select(displays.c.id, displays.c.store_id, displays.c.retired_at, stores.c.slug.label("store"))
        .join(stores, stores.c.id == displays.c.store_id)
        .where(
            displays.c.organisation_id == organisation_id, displays.c.driver == driver, displays.c.address == address
        )
    )
    return (await connection.execute(statement)).mappings().first()


async def store_of(connection: AsyncConnection, organisation_id: int, name: str) -> str | None:
    """Slug of a store of the organisation that has a display of this id or address."""
    named = ((displays.c.organisation_id == organisation_id) & (displays.c.address == name)) | (
        displays.c.store_id.in_(select(stores.c.id).where(stores.c.organisation_id == organisation_id))
        & (displays.c.id == name)
    )
    statement = select(stores.c.slug).join(displays, stores.c.id == displays.c.store_id).where(named).limit(1)
    slug: str | None = (await connection.execute(statement)).scalar()
    return slug
