"""Sessions of the batch feed, their staged pushes and their refused rows."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import RowMapping, bindparam, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from service.store.statements import Rows, upsert
from service.store.tables import batch_errors, batch_pushes, batches, stores

Key = tuple[int, int, int]
"""(push, row, number) of a refused row: the order of `/errors`."""


# Made once, since pollers ask it all the time.
_ONE = select(batches).where(batches.c.store_id == bindparam("of_store"), batches.c.id == bindparam("batch"))
_ONE_LOCKED = _ONE.with_for_update(key_share=True)


async def insert(connection: AsyncConnection, row: dict[str, Any]) -> None:
    await connection.execute(batches.insert(), row)


async def get(connection: AsyncConnection, store_id: int, batch_id: str, *, lock: bool = False) -> RowMapping | None:
    statement = _ONE_LOCKED if lock else _ONE
    return (await connection.execute(statement, {"of_store": store_id, "batch": batch_id})).mappings().first()


async def set_columns(connection: AsyncConnection, store_id: int, batch_id: str, **columns: Any) -> None:
    await connection.execute(
        update(batches).where(batches.c.store_id == store_id, batches.c.id == batch_id).values(**columns)
    )


async def add_to(connection: AsyncConnection, store_id: int, batch_id: str, **deltas: int) -> None:
    """Add to counters."""
    await set_columns(
        connection, store_id, batch_id, **{name: batches.c[name] + delta for name, delta in deltas.items()}
    )


async def pushed_before(
    connection: AsyncConnection, store_id: int, batch_id: str, key: str | None, sequence: int | None
) -> RowMapping | None:
    """The push of this session that has this key, or this sequence."""
    if key is None and sequence is None:
        return None
    rows = await connection.execute(
        select(batch_pushes.c.body_hash, batch_pushes.c.answer).where(
            batch_pushes.c.store_id == store_id,
            batch_pushes.c.batch_id == batch_id,
            or_(
                *([batch_pushes.c.idempotency_key == key] if key is not None else []),
                *([batch_pushes.c.sequence == sequence] if sequence is not None else []),
            ),
        )
    )
    return rows.mappings().first()


async def insert_push(connection: AsyncConnection, row: dict[str, Any], errors: Rows) -> None:
    await connection.execute(batch_pushes.insert(), row)
    await insert_errors(connection, errors)


async def insert_errors(connection: AsyncConnection, errors: Rows) -> None:
    await upsert(connection, batch_errors, errors, ("store_id", "batch_id", "push", "row", "number"))


async def pushes(connection: AsyncConnection, store_id: int, batch_id: str) -> list[RowMapping]:
    """Numbers of a session's pushes in the order in which they count: by `sequence` where given, else of arrival."""
    rows = await connection.execute(
        select(batch_pushes.c.batch_id, batch_pushes.c.number, batch_pushes.c.first_seq, batch_pushes.c.saved_at)
        .where(batch_pushes.c.store_id == store_id, batch_pushes.c.batch_id == batch_id)
        .order_by(func.coalesce(batch_pushes.c.sequence, batch_pushes.c.number), batch_pushes.c.number)
    )
    return list(rows.mappings())


async def staged_rows(connection: AsyncConnection, store_id: int, batch_id: str, number: int) -> bytes:
    statement = select(batch_pushes.c.rows).where(
        batch_pushes.c.store_id == store_id, batch_pushes.c.batch_id == batch_id, batch_pushes.c.number == number
    )
    return (await connection.execute(statement)).scalar_one() or b"[]"


async def unsaved_rows(connection: AsyncConnection, store_id: int, batch_id: str, number: int) -> bytes | None:
    """The staged rows of a push; None if they were saved meanwhile."""
    statement = select(batch_pushes.c.rows).where(
        batch_pushes.c.store_id == store_id,
        batch_pushes.c.batch_id == batch_id,
        batch_pushes.c.number == number,
        batch_pushes.c.saved_at.is_(None),
    )
    return (await connection.execute(statement)).scalar_one_or_none()


async def mark_saved(
    connection: AsyncConnection, store_id: int, batch_id: str, numbers: Sequence[int], now: int
) -> None:
    await connection.execute(
        update(batch_pushes)
        .where(
            batch_pushes.c.store_id == store_id,
            batch_pushes.c.batch_id == batch_id,
            batch_pushes.c.number.in_(numbers),
        )
        .values(saved_at=now)
    )


async def drop_staged(connection: AsyncConnection, store_id: int, batch_id: str) -> None:
    """Let go of the staged rows, keep the answers: a repeated push is still recognised."""
    await connection.execute(
        update(batch_pushes)
        .where(batch_pushes.c.store_id == store_id, batch_pushes.c.batch_id == batch_id)
        .values(rows=None)
    )


async def errors(
    connection: AsyncConnection, store_id: int, batch_id: str, after: Key | None, offset: int, limit: int
) -> list[RowMapping]:
    statement = (
        select(batch_errors)
        .where(batch_errors.c.store_id == store_id, batch_errors.c.batch_id == batch_id)
        .order_by(batch_errors.c.push, batch_errors.c.row, batch_errors.c.number)
        .offset(offset)
        .limit(limit)
    )
    if after is not None:
        push, row, number = after
        statement = statement.where(
            or_(
                batch_errors.c.push > push,
                (batch_errors.c.push == push) & (batch_errors.c.row > row),
                (batch_errors.c.push == push) & (batch_errors.c.row == row) & (batch_errors.c.number > number),
            )
        )
    return list((await connection.execute(statement)).mappings())


async def count_errors(connection: AsyncConnection, store_id: int, batch_id: str) -> int:
    statement = select(func.count()).where(batch_errors.c.store_id == store_id, batch_errors.c.batch_id == batch_id)
    return int((await connection.execute(statement)).scalar_one())


async def refused_barcodes(connection: AsyncConnection, store_id: int, batch_id: str) -> set[str]:
    """Barcodes that refused rows of this batch name, as far as they can be read."""
    statement = (
        select(batch_errors.c.barcode)
        .where(
            batch_errors.c.store_id == store_id,
            batch_errors.c.batch_id == batch_id,
            batch_errors.c.barcode.is_not(None),
        )
        .distinct()
    )
    return {barcode.strip() for barcode in (await connection.execute(statement)).scalars()}


async def lapsed(connection: AsyncConnection, now: int) -> list[tuple[int, str]]:
    """(Store, batch) still open after their time."""
    statement = select(batches.c.store_id, batches.c.id).where(batches.c.status == "open", batches.c.expires_at <= now)
    return [(store_id, id_) for store_id, id_ in await connection.execute(statement)]


async def in_phase(connection: AsyncConnection, *phases: str) -> list[tuple[int, str]]:
    """(Store, batch) in processing and in one of these phases."""
    statement = select(batches.c.store_id, batches.c.id).where(
        batches.c.status == "processing", batches.c.phase.in_(phases)
    )
    return [(store_id, id_) for store_id, id_ in await connection.execute(statement)]


async def stores_to_save(connection: AsyncConnection) -> list[int]:
    """Stores with a batch in its saving phase; also one that was ended, whose saved products still need their faces."""
    statement = select(batches.c.store_id).where(_SAVING).distinct()
    return list((await connection.execute(statement)).scalars())


_SAVING = batches.c.status.in_(["processing", "cancelled", "failed"]) & (batches.c.phase == "saving")


async def to_save(connection: AsyncConnection, store_id: int) -> str | None:
    """The batch whose turn it is in this store."""
    statement = (
        select(batches.c.id)
        .where(batches.c.store_id == store_id, _SAVING)
        .order_by(batches.c.processing_at, batches.c.id)
        .limit(1)
    )
    return (await connection.execute(statement)).scalar_one_or_none()


async def lease_saver(connection: AsyncConnection, store_id: int, holder: str, now: int, until: int) -> bool:
    """Take or renew a store for one saver; False if another one has it."""
    statement = (
        update(stores)
        .where(
            stores.c.id == store_id,
            or_(stores.c.saver.is_(None), stores.c.saver == holder, stores.c.saver_until <= now),
        )
        .values(saver=holder, saver_until=until)
    )
    return (await connection.execute(statement)).rowcount == 1


async def release_saver(connection: AsyncConnection, store_id: int, holder: str) -> None:
    await connection.execute(
        update(stores).where(stores.c.id == store_id, stores.c.saver == holder).values(saver=None, saver_until=None)
    )


def error_rows(store_id: int, batch_id: str, push: int, problems: list[Any]) -> list[dict[str, Any]]:
    """Problems of one push as rows; several of one row are numbered."""
    numbers: dict[int, int] = {}
    rows = []
    for problem in problems:
        number = numbers.get(problem.index, 0)
        numbers[problem.index] = number + 1
        rows.append(
            {
                "store_id": store_id,
                "batch_id": batch_id,
                "push": push,
                "row": problem.index,
                "number": number,
                "barcode": problem.barcode,
                "field": problem.field,
                "code": problem.code,
                "detail": problem.detail,
            }
        )
    return rows
