"""Pages of a list by the keys of its rows: the last is as fast as the first, and right while rows come and go."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

MOST_COUNTED = 10_000
"""Rows that a list counts; beyond, its total is not said, since counting would read them all."""


def paged(
    statement: Select[*tuple[Any, ...]],
    key: Sequence[ColumnElement[Any]],
    after: Sequence[Any] | None,
    offset: int,
    limit: int,
    *,
    descending: bool = False,
) -> Select[*tuple[Any, ...]]:
    """The statement's rows in the order of `key`, which has to tell them apart: those beyond the key `after`."""
    if after is not None:
        place = tuple_(*key)
        statement = statement.where(place < tuple_(*after) if descending else place > tuple_(*after))
    order = [column.desc() if descending else column for column in key]
    return statement.order_by(*order).offset(offset).limit(limit)


async def counted(connection: AsyncConnection, statement: Select[*tuple[Any, ...]]) -> int | None:
    """How many rows the statement has; None if they are more than `MOST_COUNTED`."""
    some = statement.order_by(None).limit(MOST_COUNTED + 1).subquery()
    found = int((await connection.execute(select(func.count()).select_from(some))).scalar_one())
    return found if found <= MOST_COUNTED else None
