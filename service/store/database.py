"""Connections and transactions, the same to their users on SQLite and PostgreSQL.

SQLite, as measured: default transactions lose updates, so a write is BEGIN IMMEDIATE on an engine of one connection,
one write at a time in a process, with `synchronous=FULL`, so that what was committed outlives a power cut; reads have
an engine of their own and never wait for a write. Cancelling a statement in flight inside a SQLite transaction leaves
the write lock held, so every unit of writing runs in a task of its own, behind `asyncio.shield`.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import RowMapping, event
from sqlalchemy.engine import ExceptionContext, make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from service.store import sqlite

T = TypeVar("T")
P = ParamSpec("P")
Connection = AsyncConnection
Record = RowMapping
"""A row that was read, by column name."""
Work = Callable[[Connection], Awaitable[T]]

UNAVAILABLE = (OperationalError, InterfaceError, PoolTimeoutError, ConnectionError, TimeoutError, OSError)
"""What a database that is down, full, locked or read-only raises; the caller may try again later."""
_UNAVAILABLE_STATES = ("08", "25006", "53", "57", "58")
"""SQLSTATE classes of the same on PostgreSQL: connection, read-only, resources, operator intervention, system error."""

_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "temp_store=MEMORY",
)
# SQLite's 2 MB and 4 MB are less than what one push changes: its pages would be read and written several times.
_WRITER_PRAGMAS = ("cache_size=-32000", "wal_autocheckpoint=8000")
_BUSY_TIMEOUT = 30.0
_TRIES = 5
_POSTGRESQL = {
    "command_timeout": 60,
    # Else PostgreSQL takes a generic plan for a thousand keys from their sixth time on: 15.5 s became 2.9 s without.
    "server_settings": {"plan_cache_mode": "force_custom_plan", "jit": "off"},
}
_TRY_AGAIN = {"40001", "40P01"}  # serialization_failure, deadlock_detected


class Database:
    """One store of the truth. Made once for each process and closed once; `close` waits for writes under way."""

    def __init__(self, url: str) -> None:
        self.is_sqlite = make_url(url).get_backend_name() == "sqlite"
        if self.is_sqlite:
            self._glancer = _sqlite(url, None, pool_size=2)
            self._reader = _sqlite(url, "BEGIN", pool_size=4)
            self._writer = _sqlite(url, "BEGIN IMMEDIATE", pool_size=1, pragmas=_WRITER_PRAGMAS)
        else:
            self._reader = self._writer = _postgresql(url, pool_size=10, max_overflow=10, pool_pre_ping=True)
            # Without a question beforehand, which would cost as much as the statement: after a restart of PostgreSQL
            # the first to ask are told to try again.
            self._glancer = _postgresql(url, pool_size=5, max_overflow=5, isolation_level="AUTOCOMMIT")
        self._turn = asyncio.Semaphore(1 if self.is_sqlite else 8)
        self._writes: set[asyncio.Task[Any]] = set()
        self._closing = False

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A connection that sees one moment on SQLite and, on PostgreSQL, committed rows statement by statement."""
        async with self._reader.connect() as connection:
            yield connection

    @asynccontextmanager
    async def glance(self) -> AsyncIterator[AsyncConnection]:
        """A connection for one statement, which needs no transaction around it: for what is asked all the time."""
        async with self._glancer.connect() as connection:
            yield connection

    async def write(
        self, work: Callable[Concatenate[Connection, P], Awaitable[T]], *args: P.args, **named: P.kwargs
    ) -> T:
        """Run `work(connection, …)` in one transaction, to its end even if the caller is cancelled; all or nothing.

        `work` may run again after a deadlock, so it must have no effect but its statements.
        """
        return await asyncio.shield(self.begin(work, *args, **named))

    def begin(
        self, work: Callable[Concatenate[Connection, P], Awaitable[T]], *args: P.args, **named: P.kwargs
    ) -> asyncio.Task[T]:
        """The same, for a caller that does not wait; `close` does."""
        if self._closing:
            raise RuntimeError("The database is closed.")
        task = asyncio.create_task(self._write(lambda connection: work(connection, *args, **named)))
        self._writes.add(task)
        task.add_done_callback(self._writes.discard)
        return task

    async def _write(self, work: Work[T]) -> T:
        async with self._turn:
            for _ in range(_TRIES - 1):
                try:
                    return await self._transaction(work)
                except DBAPIError as error:
                    if getattr(error.orig, "sqlstate", None) not in _TRY_AGAIN:
                        raise
            return await self._transaction(work)

    async def _transaction(self, work: Work[T]) -> T:
        async with self._writer.begin() as connection:
            return await work(connection)

    @property
    def waiting(self) -> int:
        """Writes of this process that are under way or wait for their turn."""
        return len(self._writes)

    async def let_go_of_log(self) -> None:
        """Move SQLite's log into its file and empty it, since it holds pages as they were; not while somebody reads."""
        if self.is_sqlite:
            async with self.glance() as connection:
                await connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")

    async def close(self) -> None:
        self._closing = True
        while self._writes:
            await asyncio.wait(self._writes)
        for engine in (self._glancer, self._reader, self._writer):
            await engine.dispose()


async def overwrite_deleted(connection: Connection) -> None:
    """Let what this connection replaces from now on leave no trace in the file; PostgreSQL's vacuum sees to that."""
    if connection.dialect.name == "sqlite":
        await connection.exec_driver_sql("PRAGMA secure_delete=ON")


def _postgresql(url: str, **options: Any) -> AsyncEngine:
    engine = create_async_engine(url, connect_args=_POSTGRESQL, **options)

    @event.listens_for(engine.sync_engine, "handle_error")
    def say_unavailable(context: ExceptionContext) -> None:
        """The driver tells a server that starts, ends, fails or is read-only from no other error but by its state."""
        state = str(getattr(context.original_exception, "sqlstate", None) or "")
        if state.startswith(_UNAVAILABLE_STATES) and not isinstance(context.sqlalchemy_exception, OperationalError):
            raise OperationalError(context.statement, context.parameters, context.original_exception)

    return engine


def _sqlite(url: str, begin: str | None, pool_size: int, pragmas: tuple[str, ...] = ()) -> AsyncEngine:
    engine = create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=_BUSY_TIMEOUT,
        connect_args={"timeout": _BUSY_TIMEOUT, "async_creator_fn": sqlite.connect},
    )

    @event.listens_for(engine.sync_engine, "connect")
    def settle(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        for pragma in _PRAGMAS + pragmas:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    if begin is not None:

        @event.listens_for(engine.sync_engine, "begin")
        def start(connection: Any) -> None:
            connection.exec_driver_sql(begin)

    return engine
