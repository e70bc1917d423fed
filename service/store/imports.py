"""Imports of files: their bytes in rows, so that API and workers share no disk, and what a dry run found."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, delete, exists, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from service.core.imports import Kind
from service.store.chain_tables import import_chunks, import_differences, import_is_due, imports
from service.store.pages import counted, paged
from service.store.statements import CHUNK, Rows, is_among, upsert
from service.store.tables import products

_KEY = ("store_id", "import_id", "barcode")
_DROPPED_AT_ONCE = 16
"""Chunks in one transaction, so that nobody waits long while a large file goes."""


async def insert(connection: AsyncConnection, row: dict[str, Any]) -> None:
    await connection.execute(imports.insert(), row)


async def get(connection: AsyncConnection, store_id: int, import_id: str, *, lock: bool = False) -> RowMapping | None:
    statement = select(imports).where(imports.c.store_id == store_id, imports.c.id == import_id)
    if lock:
        statement = statement.with_for_update(key_share=True)
    return (await connection.execute(statement)).mappings().first()


async def set_columns(connection: AsyncConnection, store_id: int, import_id: str, **columns: Any) -> None:
    await connection.execute(
        update(imports).where(imports.c.store_id == store_id, imports.c.id == import_id).values(**columns)
    )


async def count_open(connection: AsyncConnection, store_id: int, now: int) -> int:
    statement = select(func.count()).where(
        imports.c.store_id == store_id, imports.c.status == "open", imports.c.expires_at > now
    )
    return int((await connection.execute(statement)).scalar_one())


async def listing(
    connection: AsyncConnection, store_id: int, status: str | None, after: str | None, offset: int, limit: int
) -> tuple[list[RowMapping], int | None]:
    """Newest first, and how many there are."""
    statement = select(imports).where(imports.c.store_id == store_id)
    if status is not None:
        statement = statement.where(imports.c.status == status)
    key = None if after is None else [after]
    rows = await connection.execute(paged(statement, [imports.c.id], key, offset, limit, descending=True))
    return list(rows.mappings()), await counted(connection, statement)


async def insert_chunk(connection: AsyncConnection, store_id: int, import_id: str, offset: int, data: bytes) -> None:
    row = {"store_id": store_id, "import_id": import_id, "offset": offset, "data": data}
    await connection.execute(import_chunks.insert(), row)


async def chunk(connection: AsyncConnection, store_id: int, import_id: str, offset: int) -> bytes | None:
    """The bytes that begin here."""
    statement = select(import_chunks.c.data).where(
        import_chunks.c.store_id == store_id, import_chunks.c.import_id == import_id, import_chunks.c.offset == offset
    )
    return (await connection.execute(statement)).scalar_one_or_none()


async def drop_chunks(connection: AsyncConnection, store_id: int, import_id: str) -> bool:
    """Let go of some of the file; False once nothing of it is left."""
    mine = (import_chunks.c.store_id == store_id) & (import_chunks.c.import_id == import_id)
    found = await connection.execute(select(import_chunks.c.offset).where(mine).limit(_DROPPED_AT_ONCE))
    offsets = list(found.scalars())
    if offsets:
        await connection.execute(delete(import_chunks).where(mine, import_chunks.c.offset.in_(offsets)))
    return len(offsets) == _DROPPED_AT_ONCE


async def lease(
    connection: AsyncConnection, store_id: int, import_id: str, worker: str, now: int, until: int
) -> RowMapping | None:
    """Take or renew a file that is to be read; None if another worker has it, or it is no longer to be read."""
    statement = (
        update(imports)
        .where(
            imports.c.store_id == store_id,
            imports.c.id == import_id,
            imports.c.status == "processing",
            or_(imports.c.worker.is_(None), imports.c.worker == worker, imports.c.lease_until <= now),
        )
        .values(worker=worker, lease_until=until)
        .returning(imports)
    )
    rows: list[RowMapping] = list((await connection.execute(statement)).mappings())
    return rows[0] if rows else None


async def release(connection: AsyncConnection, store_id: int, import_id: str, worker: str) -> None:
    await connection.execute(
        update(imports)
        .where(imports.c.store_id == store_id, imports.c.id == import_id, imports.c.worker == worker)
        .values(worker=None, lease_until=None)
    )


async def due(connection: AsyncConnection, now: int) -> list[tuple[int, str]]:
    """(Store, import) to be read that nobody reads."""
    statement = select(imports.c.store_id, imports.c.id).where(
        import_is_due, or_(imports.c.lease_until.is_(None), imports.c.lease_until <= now)
    )
    return [(store_id, id_) for store_id, id_ in await connection.execute(statement)]


async def lapsed(connection: AsyncConnection, now: int) -> list[tuple[int, str]]:
    """(Store, import) still open after their time."""
    statement = select(imports.c.store_id, imports.c.id).where(imports.c.status == "open", imports.c.expires_at <= now)
    return [(store_id, id_) for store_id, id_ in await connection.execute(statement)]


async def over_with_file(connection: AsyncConnection) -> list[tuple[int, str]]:
    """(Store, import) that are over and whose file was not let go of."""
    statement = (
        select(imports.c.store_id, imports.c.id)
        .where(
            imports.c.status.not_in(["open", "processing"]),
            exists().where(
                import_chunks.c.store_id == imports.c.store_id,
                import_chunks.c.import_id == imports.c.id,
            ),
        )
        .limit(100)
    )
    return [(store_id, id_) for store_id, id_ in await connection.execute(statement)]


async def save_differences(connection: AsyncConnection, rows: Rows) -> None:
    """What would become of products, by barcode; the last word on each counts."""
    await upsert(connection, import_differences, rows, _KEY, ("kind", "number", "fields"))


async def name_differences(connection: AsyncConnection, rows: Rows) -> None:
    """What the file names beside; what would become of it may be known already."""
    await upsert(connection, import_differences, rows, _KEY)


async def clear_differences(connection: AsyncConnection, store_id: int, import_id: str) -> bool:
    """Forget some of them; False once there are none."""
    return await _drop(connection, *_of(store_id, import_id))


async def drop_marks(connection: AsyncConnection, store_id: int, import_id: str) -> bool:
    """Keep what there is to show; the rest was there to be counted. Some at a time; False once that is done."""
    return await _drop(connection, *_of(store_id, import_id), import_differences.c.fields.is_(None))


async def _drop(connection: AsyncConnection, *which: ColumnElement[bool]) -> bool:
    """A large delete collects its rows in memory first."""
    some = select(import_differences.c.barcode).where(*which).limit(CHUNK)
    barcodes = list((await connection.execute(some)).scalars())
    if barcodes:
        await connection.execute(
            delete(import_differences).where(*which, is_among(connection, import_differences.c.barcode, barcodes))
        )
    return len(barcodes) == CHUNK


async def count_differences(connection: AsyncConnection, store_id: int, import_id: str) -> dict[Kind, int]:
    """Products of each kind, in one pass that sorts nothing."""
    counts = [func.count().filter(import_differences.c.kind == kind.value) for kind in Kind]
    row = (await connection.execute(select(*counts).where(*_of(store_id, import_id)))).one()
    return dict(zip(Kind, row, strict=True))


async def not_named(connection: AsyncConnection, store_id: int, import_id: str) -> tuple[int, int]:
    """How many products on sale the file does not name, and how many are on sale."""
    named = exists().where(*_of(store_id, import_id), import_differences.c.barcode == products.c.barcode)
    on_sale = select(func.count()).where(products.c.store_id == store_id, products.c.archived_at.is_(None))
    missing = int((await connection.execute(on_sale.where(~named))).scalar_one())
    return missing, int((await connection.execute(on_sale)).scalar_one())


async def differences(
    connection: AsyncConnection, store_id: int, import_id: str, after: Sequence[int] | None, offset: int, limit: int
) -> list[RowMapping]:
    """In the order of the file, those with something to show."""
    statement = select(import_differences).where(*_of(store_id, import_id), import_differences.c.fields.is_not(None))
    rows = await connection.execute(paged(statement, [import_differences.c.number], after, offset, limit))
    return list(rows.mappings())


def _of(store_id: int, import_id: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return import_differences.c.store_id == store_id, import_differences.c.import_id == import_id
