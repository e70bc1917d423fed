"""Answers of requests that must not be done twice, kept by their Idempotency-Key."""

from sqlalchemy import RowMapping, delete, insert, select

from service.store.chain_tables import answered
from service.store.database import Connection


async def find(connection: Connection, store_id: int, key: str) -> RowMapping | None:
    mine = (answered.c.store_id == store_id) & (answered.c.key == key)
    return (await connection.execute(select(answered).where(mine))).mappings().first()


async def keep(connection: Connection, store_id: int, key: str, body_hash: str, answer: bytes, now: int) -> None:
    row = {"store_id": store_id, "key": key, "body_hash": body_hash, "answer": answer, "at": now}
    await connection.execute(insert(answered).values(row))


async def forget(connection: Connection, store_id: int, before: int) -> None:
    """Drop what was answered before this time."""
    await connection.execute(delete(answered).where(answered.c.store_id == store_id, answered.c.at < before))
