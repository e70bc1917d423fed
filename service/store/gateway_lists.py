"""Statements about gateways for those who look at them, and who set them up."""

from collections.abc import Mapping
from typing import Any, Literal

from sqlalchemy import ColumnElement, RowMapping, Select, case, func, or_, select, update

from service.ids import first_of
from service.store.database import Connection
from service.store.pages import counted, paged
from service.store.tables import (
    display_is_retired,
    display_is_wrong,
    displays,
    gateways,
    update_is_pending,
    update_is_sent,
    updates,
)

State = Literal["ok", "unreachable", "maintenance", "retired"]

_HERE = gateways.c.retired_at.is_(None)
_MAINTAINED = gateways.c.maintenance_since.is_not(None)
_AWAY = gateways.c.unreachable_since.is_not(None)
_IN: Mapping[State, ColumnElement[bool]] = {
    "ok": _HERE & ~_MAINTAINED & ~_AWAY,
    "unreachable": _HERE & ~_MAINTAINED & _AWAY,
    "maintenance": _HERE & _MAINTAINED,
    "retired": gateways.c.retired_at.is_not(None),
}

_MOST_PUSHES = 20_000
"""Updates that the rate of pushes is read from."""


def state_of(row: RowMapping) -> State:
    if row["retired_at"] is not None:
        return "retired"
    if row["maintenance_since"] is not None:
        return "maintenance"
    return "ok" if row["unreachable_since"] is None else "unreachable"


async def listing(
    connection: Connection, store_id: int, state: State | None, after: str | None, offset: int, limit: int
) -> tuple[list[RowMapping], int | None]:
    """A store's gateways by name, and how many they are; beyond `after`, a name."""
    statement = _of_store(store_id, state)
    key = None if after is None else [after]
    rows = await connection.execute(paged(statement, [gateways.c.name], key, offset, limit))
    return list(rows.mappings()), await counted(connection, statement)


def _of_store(store_id: int, state: State | None) -> Select[Any]:
    statement = select(gateways).where(gateways.c.store_id == store_id)
    return statement if state is None else statement.where(_IN[state])


async def named(connection: Connection, store_id: int, name: str, *, lock: bool = False) -> RowMapping | None:
    """The gateway of this id or name, also a retired one; with `lock` held to the end of the transaction."""
    which = or_(gateways.c.id == name, gateways.c.name == name)
    statement = select(gateways).where(gateways.c.store_id == store_id, which)
    if lock:
        statement = statement.with_for_update(key_share=True)
    return (await connection.execute(statement)).mappings().first()


async def displays_on(connection: Connection, store_id: int, gateway_id: str) -> int:
    """How many displays in use are on it; of very many, by their indexes alone."""
    mine = displays.c.store_id == store_id
    everything = await connection.execute(select(func.count()).where(mine, displays.c.gateway_id == gateway_id))
    retired = await connection.execute(select(func.count()).where(mine, display_is_retired, _of_few(gateway_id)))
    return int(everything.scalar_one() - retired.scalar_one())


async def figures(connection: Connection, store_id: int, gateway_id: str, now: int) -> dict[str, int]:
    """Its displays: `total`, `wrong`, `in_flight`; its updates: `waiting`, `unconfirmed`."""
    found = {"total": await displays_on(connection, store_id, gateway_id)}
    in_flight = displays.c.pusher.is_not(None) & (displays.c.pusher_until > now)
    # A push in the air makes a display wrong, so that both are found by the index of those that are.
    statement = select(
        func.coalesce(func.sum(case((displays.c.desired_digest.is_not(None), 1), else_=0)), 0).label("wrong"),
        func.coalesce(func.sum(case((in_flight, 1), else_=0)), 0).label("in_flight"),
    ).where(
        displays.c.store_id == store_id,
        display_is_wrong,
        _of_few(gateway_id),
        displays.c.retired_at.is_(None),
    )
    found |= {name: int(count) for name, count in (await connection.execute(statement)).mappings().one().items()}
    for name, phase in (("waiting", update_is_pending), ("unconfirmed", update_is_sent)):
        of_phase = select(func.count()).where(updates.c.store_id == store_id, updates.c.gateway_id == gateway_id, phase)
        found[name] = int((await connection.execute(of_phase)).scalar_one())
    return found


def _of_few(gateway_id: str) -> ColumnElement[bool]:
    """That a display is on this gateway, of those that another index found: its own would find many more."""
    return func.coalesce(displays.c.gateway_id, "") == gateway_id


async def pushed_lately(connection: Connection, store_id: int, gateway_id: str, since: int) -> tuple[int, int]:
    """Updates made and handed over since then by this gateway, and since when they were counted.

    Only the newest of the store's updates are looked at, by their key: since a later time, where they are very many.
    """
    newest = (
        select(updates.c.id, updates.c.gateway_id, updates.c.sent_at, updates.c.created_at)
        .where(updates.c.store_id == store_id, updates.c.id >= first_of(since))
        .order_by(updates.c.id.desc())
        .limit(_MOST_PUSHES)
        .subquery()
    )
    sent = case(((newest.c.gateway_id == gateway_id) & newest.c.sent_at.is_not(None), 1), else_=0)
    row = (await connection.execute(select(func.count(), func.sum(sent), func.min(newest.c.created_at)))).one()
    seen, pushes, first = row
    return int(pushes or 0), since if seen < _MOST_PUSHES else int(first)


async def postponed(
    connection: Connection, store_id: int, gateway_id: str, now: int, after: str, limit: int
) -> list[str]:
    """Displays whose update waits for a later moment, in the order of ids."""
    rows = await connection.execute(
        select(updates.c.display_id)
        .where(
            updates.c.store_id == store_id,
            updates.c.gateway_id == gateway_id,
            update_is_pending,
            updates.c.due_at > now,
            updates.c.display_id > after,
        )
        .order_by(updates.c.display_id)
        .limit(limit)
    )
    return list(rows.scalars())


async def configurations(connection: Connection, after: tuple[int, str], limit: int) -> list[RowMapping]:
    """What gateways are set to, of all stores, in the order of keys."""
    key = (gateways.c.store_id, gateways.c.id)
    statement = paged(select(*key, gateways.c.driver, gateways.c.config), key, after, 0, limit)
    return list((await connection.execute(statement)).mappings())


async def replace_config(connection: Connection, store_id: int, gateway_id: str, before: str, after: str) -> None:
    """Unless somebody else changed it meanwhile."""
    mine = (gateways.c.store_id == store_id) & (gateways.c.id == gateway_id) & (gateways.c.config == before)
    await connection.execute(update(gateways).where(mine).values(config=after))


async def is_taken(connection: Connection, store_id: int, name: str) -> bool:
    """Whether a gateway has this name, be it retired."""
    statement = select(gateways.c.id).where(gateways.c.store_id == store_id, gateways.c.name == name)
    return (await connection.execute(statement)).first() is not None
