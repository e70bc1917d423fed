"""Templates of stores, what was chosen of them, and which stores are being drawn anew."""

from collections.abc import Collection

from sqlalchemy import RowMapping, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from service.store.statements import Rows, is_among, upsert
from service.store.tables import displays, stores, templates

_HEAD = (templates.c.digest, templates.c.name, templates.c.version, templates.c.added_by, templates.c.created_at)


async def newest(connection: AsyncConnection, store_id: int, names: Collection[str] | None = None) -> list[RowMapping]:
    """The newest version of each name, or of these, by name: all but their content."""
    among = [templates.c.store_id == store_id]
    if names is not None:
        among.append(is_among(connection, templates.c.name, sorted(names)))
    ranked = select(
        *_HEAD, func.row_number().over(partition_by=templates.c.name, order_by=templates.c.version.desc()).label("rank")
    ).where(*among)
    newest_first = ranked.subquery()
    columns = [newest_first.c[column.name] for column in _HEAD]
    rows = await connection.execute(select(*columns).where(newest_first.c.rank == 1).order_by(newest_first.c.name))
    return list(rows.mappings())


async def contents(connection: AsyncConnection, store_id: int, digests: Collection[str]) -> dict[str, str]:
    """Digest -> content."""
    rows = await connection.execute(
        select(templates.c.digest, templates.c.content).where(
            templates.c.store_id == store_id, is_among(connection, templates.c.digest, sorted(digests))
        )
    )
    return dict(map(tuple, rows))


async def known(connection: AsyncConnection, store_id: int, digests: Collection[str]) -> set[str]:
    """Which of these the store has."""
    rows = await connection.execute(
        select(templates.c.digest).where(
            templates.c.store_id == store_id, is_among(connection, templates.c.digest, sorted(digests))
        )
    )
    return set(rows.scalars())


async def insert(connection: AsyncConnection, rows: Rows) -> None:
    """What the store has already stays as it is."""
    await upsert(connection, templates, rows, ("store_id", "digest"))


async def choice(connection: AsyncConnection, store_id: int) -> str:
    """What the store chose, as JSON."""
    found: str = (await connection.execute(select(stores.c.templates).where(stores.c.id == store_id))).scalar_one()
    return found


async def choose(connection: AsyncConnection, store_id: int, chosen: str) -> None:
    await connection.execute(update(stores).where(stores.c.id == store_id).values(templates=chosen))


async def redraw(connection: AsyncConnection, store_id: int, after: str | None = "") -> None:
    """Plan the store's displays anew from the one after this on; None: it is done."""
    await connection.execute(update(stores).where(stores.c.id == store_id).values(redraw_after=after))


async def redrawing(connection: AsyncConnection) -> list[int]:
    """Stores with displays that are still to be planned anew."""
    rows = await connection.execute(select(stores.c.id).where(stores.c.redraw_after.is_not(None)).order_by(stores.c.id))
    return list(rows.scalars())


async def displays_after(connection: AsyncConnection, store_id: int, after: str, limit: int) -> list[str]:
    """The next displays in use, in the order of ids."""
    rows = await connection.execute(
        select(displays.c.id)
        .where(displays.c.store_id == store_id, displays.c.id > after, displays.c.retired_at.is_(None))
        .order_by(displays.c.id)
        .limit(limit)
    )
    return list(rows.scalars())


async def used_by_displays(connection: AsyncConnection, store_id: int) -> dict[str, int]:
    """Template -> displays in use that have it for themselves."""
    rows = await connection.execute(
        select(displays.c.template, func.count())
        .where(displays.c.store_id == store_id, displays.c.retired_at.is_(None), displays.c.template.is_not(None))
        .group_by(displays.c.template)
    )
    return dict(map(tuple, rows))
