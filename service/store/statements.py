"""The few shapes of statement that need a word about the database below, and the habits of bulk writing.

Rows are deduplicated by their key and sorted by it first, so that writers meet each other's locks in one order. They go
past SQLAlchemy's handling of parameters, which costs as much again as writing them, and in the form that each database
takes fastest: executemany on SQLite (5.8 µs a row where it was 10.6), arrays on PostgreSQL, where executemany is a
message for each row (14 to 22 µs where it was 28 to 42).
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import islice
from operator import itemgetter
from typing import Any, TypeVar

import msgspec
from sqlalchemy import BigInteger, ColumnElement, Integer, LargeBinary, Table, Text, any_, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

T = TypeVar("T")
Rows = Sequence[dict[str, Any]]

CHUNK = 1000
"""Rows in one statement, keys in one `is_among`."""

_encode = msgspec.json.Encoder().encode
_ARRAYS = {Text: "text[]", BigInteger: "bigint[]", Integer: "integer[]", LargeBinary: "bytea[]"}


def chunks(items: Iterable[T], size: int = CHUNK) -> Iterator[list[T]]:
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk


def is_among(connection: AsyncConnection, column: ColumnElement[str], texts: Collection[str]) -> ColumnElement[bool]:
    """Whether the column is one of these: one parameter, where a thousand would be planned each time."""
    if connection.dialect.name == "sqlite":
        return column.in_(select(func.json_each(_encode(list(texts)).decode()).table_valued("value").c.value))
    return column == any_(literal(list(texts), ARRAY(Text)))


def contains(connection: AsyncConnection, column: ColumnElement[str], text: str) -> ColumnElement[bool]:
    """Whether the column has this text in it, as it is written: for less than LIKE, which has signs of its own."""
    place = func.instr if connection.dialect.name == "sqlite" else func.strpos
    return place(column, text) > 0


async def upsert(
    connection: AsyncConnection, table: Table, rows: Rows, key: Sequence[str], replace: Sequence[str] = ()
) -> None:
    """Insert rows of the same columns; where the key is there already, set the columns `replace`, or leave it."""
    if rows:
        await _write(connection, _upsert, table, rows, tuple(key), tuple(replace))


async def change(connection: AsyncConnection, table: Table, rows: Rows, key: Sequence[str]) -> None:
    """Update rows by key; each row holds its key and the columns to set, the same in all of them."""
    if rows:
        await _write(connection, _update, table, rows, tuple(key))


async def _write(
    connection: AsyncConnection, shape: Any, table: Table, rows: Rows, key: tuple[str, ...], *more: Any
) -> None:
    sets = tuple(name for name in rows[0] if name not in key)
    columns = sets + key  # in the order of an UPDATE's placeholders
    is_sqlite = connection.dialect.name == "sqlite"
    statement = shape(table, is_sqlite, columns, key, *more)
    tuples = list(map(itemgetter(*columns), sorted(rows, key=itemgetter(*key))))
    await connection.exec_driver_sql(statement, tuples if is_sqlite else tuple(map(list, zip(*tuples, strict=True))))


@lru_cache(maxsize=256)
def _upsert(
    table: Table, is_sqlite: bool, columns: tuple[str, ...], key: tuple[str, ...], replace: tuple[str, ...]
) -> str:
    values = f"VALUES ({', '.join('?' * len(columns))})" if is_sqlite else f"SELECT * FROM {_arrays(table, columns)}"
    settled = f"DO UPDATE SET {_each(replace, '{0} = excluded.{0}', ', ')}" if replace else "DO NOTHING"
    return f'INSERT INTO "{table.name}" ({_names(columns)}) {values} ON CONFLICT ({_names(key)}) {settled}'


@lru_cache(maxsize=256)
def _update(table: Table, is_sqlite: bool, columns: tuple[str, ...], key: tuple[str, ...]) -> str:
    sets = columns[: -len(key)]
    if is_sqlite:
        return f'UPDATE "{table.name}" SET {_each(sets, "{0} = ?", ", ")} WHERE {_each(key, "{0} = ?", " AND ")}'
    same = _each(key, f'"{table.name}".{{0}} = v.{{0}}', " AND ")
    source = f"{_arrays(table, columns)} AS v ({_names(columns)})"
    return f'UPDATE "{table.name}" SET {_each(sets, "{0} = v.{0}", ", ")} FROM {source} WHERE {same}'


def _arrays(table: Table, columns: Sequence[str]) -> str:
    """The rows, column by column, as a table."""
    types = (_ARRAYS[type(table.c[name].type)] for name in columns)
    return f"unnest({', '.join(f'${number}::{kind}' for number, kind in enumerate(types, 1))})"


def _names(columns: Sequence[str]) -> str:
    return _each(columns, "{0}", ", ")


def _each(columns: Sequence[str], form: str, between: str) -> str:
    return between.join(form.format(f'"{name}"') for name in columns)
