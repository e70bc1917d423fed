"""Migrated PostgreSQL databases for one test after the other: emptying one takes a tenth of the time of making one."""

import asyncio
import itertools
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
from sqlalchemy import delete

from bench.places import execute, url_of
from service.store import chain_tables, tables
from service.store.migrate import migrate

_TEMPLATE = "shelfcast_template"
_ALONE = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()"""
_FROM_THE_START = "SELECT setval(oid::regclass, 1, false) FROM pg_class WHERE relkind = 'S'"
_EMPTY = (
    _ALONE,
    "SET session_replication_role = replica",  # which does not ask for foreign keys, so that any order will do
    *(str(delete(table)) for table in (tables.metadata.tables | chain_tables.metadata.tables).values()),
    _FROM_THE_START,
)


class Databases:
    """Those of one server."""

    def __init__(self, server: str) -> None:
        self._server = server
        self._numbers = itertools.count()
        self._free: list[str] = []
        self._version = ""

    @contextmanager
    def one(self) -> Iterator[str]:
        """The URL of an empty one of its own; what a test does to the version of its tables ends with it."""
        name = self._free.pop() if self._free else self._new()
        yield url_of(self._server, name)
        if asyncio.run(self._empty(name)):
            self._free.append(name)
        else:
            asyncio.run(execute(self._server, f"DROP DATABASE {name} WITH (FORCE)"))

    def _new(self) -> str:
        if not self._version:
            asyncio.run(execute(self._server, f"CREATE DATABASE {_TEMPLATE}"))
            migrate(url_of(self._server, _TEMPLATE))
            self._version = asyncio.run(self._version_of(_TEMPLATE))
        name = f"test_{next(self._numbers)}"
        asyncio.run(execute(self._server, f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE}"))
        return name

    async def _empty(self, name: str) -> bool:
        """Whether its tables are still those that were made."""
        await execute(self._at(name), *_EMPTY)
        return await self._version_of(name) == self._version

    async def _version_of(self, name: str) -> str:
        connection = await asyncpg.connect(self._at(name))
        try:
            return str(await connection.fetchval("SELECT version_num FROM alembic_version"))
        finally:
            await connection.close()

    def _at(self, name: str) -> str:
        return url_of(self._server, name).replace("+asyncpg", "")
