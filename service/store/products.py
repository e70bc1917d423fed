"""Products, their prices over time, and the numbers that order what was received."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import RowMapping, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from service.store.chain_tables import product_changes
from service.store.statements import Rows, change, chunks, is_among, upsert
from service.store.tables import batches, price_history, products, store_sequences, stores


async def lock_store(connection: AsyncConnection, store_id: int) -> RowMapping:
    """The store's row, held to the end of the transaction: the order in which its products and faces change.

    Like every lock here FOR NO KEY UPDATE on PostgreSQL: inserts of rows that belong to it need not wait.
    """
    found = await connection.execute(select(stores).where(stores.c.id == store_id).with_for_update(key_share=True))
    return found.mappings().one()


async def next_sequence(connection: AsyncConnection, store_id: int, rows: int) -> int:
    """The first of `rows` new receivedSeq numbers; nobody gets higher ones before this transaction is over."""
    statement = (
        update(store_sequences)
        .where(store_sequences.c.store_id == store_id)
        .values(received=store_sequences.c.received + rows)
        .returning(store_sequences.c.received)
    )
    last: int = (await connection.execute(statement)).scalar_one()
    return last - rows + 1


async def older_is_unsaved(connection: AsyncConnection, store_id: int, batch_id: str | None, seq: int) -> bool:
    """Whether another batch, started before `seq`, may still save older rows or archive what it does not name."""
    unsaved = batches.c.status.in_(["open", "held"]) | (
        (batches.c.status == "processing") & (batches.c.phase == "saving")
    )
    statement = (
        select(batches.c.id)
        .where(batches.c.store_id == store_id, unsaved, batches.c.id != (batch_id or ""), batches.c.started_seq < seq)
        .limit(1)
    )
    return (await connection.execute(statement)).first() is not None


async def by_barcode(connection: AsyncConnection, store_id: int, barcodes: Collection[str]) -> dict[str, RowMapping]:
    found: dict[str, RowMapping] = {}
    columns = (
        products.c.barcode,
        products.c.id,
        products.c.content,
        products.c.content_hash,
        products.c.received_seq,
        products.c.price_id,
        products.c.price_since,
        products.c.next_change_at,
        products.c.archived_at,
        products.c.created_at,
    )
    for some in chunks(sorted(barcodes)):
        rows = await connection.execute(
            select(*columns).where(products.c.store_id == store_id, is_among(connection, products.c.barcode, some))
        )
        found.update((row["barcode"], row) for row in rows.mappings().all())
    return found


async def newest_rows(
    connection: AsyncConnection, store_id: int, barcodes: Collection[str]
) -> dict[str, tuple[bytes | None, int]]:
    """Of products on sale, by barcode: the mark of the row that made them what they are, and their receivedSeq."""
    found: dict[str, tuple[bytes | None, int]] = {}
    for some in chunks(sorted(barcodes)):
        rows = await connection.execute(
            select(products.c.barcode, products.c.row_mark, products.c.received_seq).where(
                products.c.store_id == store_id,
                is_among(connection, products.c.barcode, some),
                products.c.archived_at.is_(None),
            )
        )
        found.update((barcode, (mark, seq)) for barcode, mark, seq in rows)
    return found


async def on_sale_now(
    connection: AsyncConnection, store_id: int, barcodes: Collection[str]
) -> dict[str, tuple[str, int, bytes | None]]:
    """Of products on sale, by barcode: their content, their receivedSeq, and the mark as of `newest_rows`."""
    found: dict[str, tuple[str, int, bytes | None]] = {}
    for some in chunks(sorted(barcodes)):
        rows = await connection.execute(
            select(products.c.barcode, products.c.content, products.c.received_seq, products.c.row_mark).where(
                products.c.store_id == store_id,
                is_among(connection, products.c.barcode, some),
                products.c.archived_at.is_(None),
            )
        )
        found.update((barcode, (content, seq, mark)) for barcode, content, seq, mark in rows)
    return found


async def sells(connection: AsyncConnection, store_id: int, count: int) -> bool:
    """Whether the store has at least so many products on sale."""
    some = select(products.c.barcode).where(products.c.store_id == store_id, products.c.archived_at.is_(None))
    counted = select(func.count()).select_from(some.limit(count).subquery())
    return int((await connection.execute(counted)).scalar_one()) >= count


_WRITTEN = (
    "name",
    "category",
    "search",
    "content",
    "content_hash",
    "received_seq",
    "price_id",
    "price_since",
    "row_mark",
    "next_change_at",
    "archived_at",
    "updated_at",
)


async def save(connection: AsyncConnection, rows: Rows) -> None:
    """Store resulting products; each row holds every column."""
    await upsert(connection, products, rows, ("store_id", "barcode"), _WRITTEN)


async def raise_sequence(connection: AsyncConnection, store_id: int, seqs: dict[str, int]) -> None:
    """Remember that a newer row said the same as the product already did."""
    rows = [{"store_id": store_id, "barcode": barcode, "received_seq": seq} for barcode, seq in seqs.items()]
    await change(connection, products, rows, ("store_id", "barcode"))


async def append_prices(connection: AsyncConnection, rows: Rows) -> None:
    await upsert(connection, price_history, rows, ("store_id", "id"))


async def append_changes(connection: AsyncConnection, rows: Rows) -> None:
    await upsert(connection, product_changes, rows, ("store_id", "id"))


async def prove_prices(connection: AsyncConnection, store_id: int, price_ids: Collection[str], now: int) -> None:
    """Note when these prices were first proven to be on a shelf."""
    for some in chunks(sorted(price_ids)):
        await connection.execute(
            update(price_history)
            .where(
                price_history.c.store_id == store_id,
                is_among(connection, price_history.c.id, some),
                price_history.c.first_proven_at.is_(None),
            )
            .values(first_proven_at=now)
        )


async def not_named(
    connection: AsyncConnection, store_id: int, named: Collection[str], before: int
) -> tuple[list[str], int]:
    """Barcodes on sale, received before this number, that a full batch does not name; and how many are on sale."""
    on_sale = (products.c.store_id == store_id) & products.c.archived_at.is_(None)
    rows = await connection.execute(select(products.c.barcode, products.c.received_seq).where(on_sale))
    total, missing = 0, []
    for barcode, seq in rows:
        total += 1
        if seq < before and barcode not in named:
            missing.append(barcode)
    return sorted(missing), total


async def changing(connection: AsyncConnection, now: int, limit: int) -> dict[int, list[str]]:
    """Store -> barcodes of products whose price changes by the clock, up to `now`."""
    statement = (
        select(products.c.store_id, products.c.barcode)
        .where(products.c.next_change_at <= now)
        .order_by(products.c.next_change_at)
        .limit(limit)
    )
    due: dict[int, list[str]] = {}
    for store_id, barcode in await connection.execute(statement):
        due.setdefault(store_id, []).append(barcode)
    return due


async def set_columns(connection: AsyncConnection, rows: Sequence[dict[str, Any]]) -> None:
    """Set some columns of known products; each row holds store_id, barcode and the same columns."""
    await change(connection, products, rows, ("store_id", "barcode"))
