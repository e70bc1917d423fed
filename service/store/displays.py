"""Displays, what is bound to them, the faces they should show and what they were proven to show.

Whoever changes a display, or its updates, locks its row first, in the order of ids: shuffled, 41 of 80 transactions
met in a deadlock; sorted, none.
"""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Select, exists, select
from sqlalchemy.ext.asyncio import AsyncConnection

from service.store.statements import Rows, change, chunks, is_among, upsert
from service.store.tables import (
    bindings,
    display_is_wrong,
    displays,
    faces,
    gateways,
    showings,
    update_is_open,
    updates,
)

Slots = dict[str, dict[int, str]]
"""Display -> slot -> barcode bound there now."""

_ACTIVE = bindings.c.unbound_at.is_(None)


async def lock(
    connection: AsyncConnection, store_id: int, ids: Collection[str], columns: Sequence[Any] = (displays,)
) -> list[RowMapping]:
    """These displays, held to the end of the transaction; those retired or unknown are left out."""
    found: list[RowMapping] = []
    for some in chunks(sorted(set(ids))):
        rows = await connection.execute(
            select(*columns)
            .where(
                displays.c.store_id == store_id,
                is_among(connection, displays.c.id, some),
                displays.c.retired_at.is_(None),
            )
            .order_by(displays.c.id)
            .with_for_update(key_share=True)
        )
        found.extend(rows.mappings().all())
    return found


COUNTED = (displays.c.id, displays.c.bound)
MAINTENANCE = (gateways.c.maintenance_since, gateways.c.maintenance_by, gateways.c.maintenance_reason)
"""What a reason says of a gateway that somebody works on."""

PLANNED = (
    displays.c.id,
    displays.c.gateway_id,
    displays.c.panel,
    displays.c.template,
    displays.c.desired_digest,
    displays.c.desired_revision,
    displays.c.pushed_revision,
    displays.c.failure,
    displays.c.failure_detail,
    displays.c.shown_digest,
    displays.c.shown_revision,
    displays.c.shown_proof,
)
"""The columns that planning looks at."""


async def of_barcodes(connection: AsyncConnection, store_id: int, barcodes: Collection[str]) -> Slots:
    """The displays that show any of these products."""
    found: set[str] = set()
    for some in chunks(sorted(barcodes)):
        rows = await connection.execute(
            select(bindings.c.display_id).where(
                bindings.c.store_id == store_id, is_among(connection, bindings.c.barcode, some), _ACTIVE
            )
        )
        found.update(rows.scalars())
    return await slots(
        connection, store_id, found
    )  # in one statement PostgreSQL may read all bindings for each of them


async def slots(connection: AsyncConnection, store_id: int, display_ids: Collection[str]) -> Slots:
    found: Slots = {id_: {} for id_ in display_ids}
    for some in chunks(sorted(display_ids)):
        rows = await connection.execute(
            select(bindings.c.display_id, bindings.c.slot, bindings.c.barcode).where(
                bindings.c.store_id == store_id, is_among(connection, bindings.c.display_id, some), _ACTIVE
            )
        )
        for display_id, slot, barcode in rows:
            found[display_id][slot] = barcode
    return found


async def named(
    connection: AsyncConnection, store_id: int, name: str, *, lock: bool = False, retired: bool = False
) -> list[RowMapping]:
    """The displays that have this id or address; two of different drivers may have the same address.

    `lock`: held to the end of the transaction; `retired`: also those that are no longer in use.
    """
    for column in (displays.c.id, displays.c.address):  # one after the other: each has its index, both have none
        statement = select(displays).where(displays.c.store_id == store_id, column == name)
        if not retired:
            statement = statement.where(displays.c.retired_at.is_(None))
        if lock:
            statement = statement.order_by(displays.c.id).with_for_update(key_share=True)
        if found := list((await connection.execute(statement)).mappings()):
            return found
    return []


async def by_address(
    connection: AsyncConnection, store_id: int, gateway_id: str, addresses: Collection[str]
) -> dict[str, str]:
    """Address -> id, of this gateway's displays."""
    found: dict[str, str] = {}
    for some in chunks(sorted(addresses)):
        rows = await connection.execute(
            select(displays.c.address, displays.c.id).where(
                displays.c.store_id == store_id,
                displays.c.gateway_id == gateway_id,
                is_among(connection, displays.c.address, some),
            )
        )
        found.update((address, id_) for address, id_ in rows)
    return found


async def addresses(
    connection: AsyncConnection, store_id: int, gateway_id: str, after: str, limit: int, *, unproven: bool
) -> list[tuple[str, str]]:
    """(id, address) of a gateway's displays in the order of ids: those with an open update, or all."""
    where = [
        displays.c.store_id == store_id,
        displays.c.gateway_id == gateway_id,
        displays.c.retired_at.is_(None),
        displays.c.id > after,
    ]
    if unproven:
        where.append(_has_open_update())
    rows = await connection.execute(
        select(displays.c.id, displays.c.address).where(*where).order_by(displays.c.id).limit(limit)
    )
    return [(id_, address) for id_, address in rows]


async def stranded(connection: AsyncConnection, now: int, limit: int) -> dict[int, list[str]]:
    """Store -> displays that are wrong and that no update is driving right."""
    statement = (
        select(displays.c.store_id, displays.c.id)
        .where(
            display_is_wrong,
            displays.c.desired_digest.is_not(None),
            displays.c.retired_at.is_(None),
            displays.c.retry_at.is_(None) | (displays.c.retry_at <= now),
            ~_has_open_update(),
        )
        .order_by(displays.c.store_id, displays.c.id)
        .limit(limit)
    )
    found: dict[int, list[str]] = {}
    for store_id, id_ in await connection.execute(statement):
        found.setdefault(store_id, []).append(id_)
    return found


def _has_open_update() -> ColumnElement[bool]:
    return exists().where(
        updates.c.store_id == displays.c.store_id,
        updates.c.display_id == displays.c.id,
        update_is_open,
    )


async def set_columns(connection: AsyncConnection, rows: Rows) -> None:
    """Set some columns of known displays; each row holds store_id, id and the same columns."""
    await change(connection, displays, rows, ("store_id", "id"))


async def save_faces(connection: AsyncConnection, rows: Rows) -> None:
    await upsert(connection, faces, rows, ("store_id", "digest"))


async def append_showings(connection: AsyncConnection, rows: Rows) -> None:
    await upsert(connection, showings, rows, ("store_id", "id"))


def with_circumstances() -> Select[Any]:
    """Displays with what explains them: their gateway and their open update."""
    open_update = (updates.c.store_id == displays.c.store_id) & (updates.c.display_id == displays.c.id) & update_is_open
    its_gateway = (gateways.c.store_id == displays.c.store_id) & (gateways.c.id == displays.c.gateway_id)
    columns = (
        displays,
        gateways.c.name.label("gateway"),
        gateways.c.unreachable_since,
        gateways.c.error.label("gateway_error"),
        *MAINTENANCE,
        updates.c.phase.label("update_phase"),
        updates.c.attempts,
        updates.c.error,
        updates.c.detail,
    )
    return select(*columns).join(gateways, its_gateway).outerjoin(updates, open_update).order_by(displays.c.id)


async def listing(
    connection: AsyncConnection, store_id: int, after: str, limit: int, *, wrong: bool
) -> list[dict[str, Any]]:
    """Displays with their gateway and their open update, in the order of ids."""
    statement = (
        with_circumstances()
        .where(displays.c.store_id == store_id, displays.c.retired_at.is_(None), displays.c.id > after)
        .limit(limit)
    )
    if wrong:
        statement = statement.where(display_is_wrong)
    return [dict(row) for row in (await connection.execute(statement)).mappings()]
