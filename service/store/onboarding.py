"""Statements about what sandbox integrations did, and their requests for production."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import delete, func, insert, select, update

from service.core.onboarding import Batches, Count
from service.store.chain_tables import milestones, production_requests
from service.store.database import Connection, Record
from service.store.statements import is_among, upsert
from service.store.tables import batches, organisations, stores

_KEPT_FOR = 30 * 86_400_000
"""Milliseconds; milestones of one batch or one barcode that are older count no more."""
_MOST_OF_A_KIND = 200


async def count(connection: Connection, store_id: int, kind: str, now: int) -> None:
    """One more of this kind."""
    more = (
        update(milestones)
        .where(milestones.c.store_id == store_id, milestones.c.kind == kind)
        .values(count=milestones.c.count + 1, last_at=now)
    )
    if (await connection.execute(more)).rowcount == 0:
        row = {"store_id": store_id, "kind": kind, "count": 1, "first_at": now, "last_at": now}
        await upsert(connection, milestones, [row], ("store_id", "kind"))


async def last_of(connection: Connection, store_id: int, kind: str) -> int | None:
    statement = select(milestones.c.last_at).where(milestones.c.store_id == store_id, milestones.c.kind == kind)
    return (await connection.execute(statement)).scalar_one_or_none()


async def counts(connection: Connection, store_id: int) -> dict[str, Count]:
    """By kind; the newest, where there are very many."""
    statement = select(milestones).where(milestones.c.store_id == store_id)
    rows = await connection.execute(statement.order_by(milestones.c.last_at.desc()).limit(4 * _MOST_OF_A_KIND))
    return {row["kind"]: Count(row["count"], row["first_at"], row["last_at"]) for row in rows.mappings()}


async def take(connection: Connection, store_id: int, kinds: Collection[str], since: int) -> bool:
    """Whether one of these was counted since then; they are counted no more."""
    mine = (milestones.c.store_id == store_id) & is_among(connection, milestones.c.kind, kinds)
    found = await connection.execute(select(milestones.c.kind).where(mine, milestones.c.last_at >= since).limit(1))
    if found.first() is None:
        return False
    await connection.execute(delete(milestones).where(mine))
    return True


async def forget(connection: Connection, store_id: int, now: int) -> None:
    """Let go of what is old; what a batch or barcode names is told by its slash."""
    named = milestones.c.kind.like("%/%")
    old = milestones.c.last_at < now - _KEPT_FOR
    await connection.execute(delete(milestones).where(milestones.c.store_id == store_id, named, old))


async def several_pushes(connection: Connection, store_id: int, least: int) -> Batches:
    """Completed batches of at least so many pushes."""
    statement = select(func.count(), func.max(batches.c.completed_at)).where(
        batches.c.store_id == store_id, batches.c.status == "completed", batches.c.pushes >= least
    )
    found = (await connection.execute(statement)).one()
    return Batches(*found)


async def insert_request(connection: Connection, row: dict[str, Any]) -> None:
    await connection.execute(insert(production_requests).values(**row))


async def set_request(connection: Connection, store_id: int, request_id: str, **columns: Any) -> None:
    key = (production_requests.c.store_id == store_id) & (production_requests.c.id == request_id)
    await connection.execute(update(production_requests).where(key).values(**columns))


_live = stores.alias("live")
_requests = (
    select(production_requests, stores.c.slug.label("store"), _live.c.slug.label("live_store"))
    .join(stores, stores.c.id == production_requests.c.store_id)
    .outerjoin(_live, _live.c.id == production_requests.c.live_store_id)
)


async def newest_request(connection: Connection, store_id: int) -> Record | None:
    """The store's; requests follow one another."""
    statement = _requests.where(production_requests.c.store_id == store_id)
    return (await connection.execute(statement.order_by(production_requests.c.id.desc()).limit(1))).mappings().first()


async def requests(connection: Connection, state: str | None = None) -> list[Record]:
    """Of all stores, the oldest first, each with its organisation's slug."""
    statement = _requests.add_columns(organisations.c.slug.label("organisation")).join(
        organisations, organisations.c.id == stores.c.organisation_id
    )
    if state is not None:
        statement = statement.where(production_requests.c.state == state)
    return list((await connection.execute(statement.order_by(production_requests.c.id))).mappings())
