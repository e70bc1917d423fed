"""How Alembic reaches the database: through the same asynchronous drivers as the service."""

import asyncio

from alembic import context
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from service.store import chain_tables, tables  # noqa: F401 - they fill the metadata
from service.store.table_parts import metadata

_LOCK = 7_413_550_264_119  # any number that nobody else takes; one migration at a time on a PostgreSQL database


def upgrade(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    context.configure(connection=connection, target_metadata=metadata, transactional_ddl=True)
    context.run_migrations()


async def main() -> None:
    engine = create_async_engine(context.config.attributes["url"], poolclass=NullPool)
    async with engine.begin() as connection:
        await connection.run_sync(upgrade)
    if engine.dialect.name == "sqlite":
        # Once and for all, while nobody else is there: two who open a file for the first time and both want its log
        # would each have the other's lock in the way.
        async with engine.connect() as connection:
            alone = await connection.execution_options(isolation_level="AUTOCOMMIT")
            await alone.exec_driver_sql("PRAGMA journal_mode=WAL")
    await engine.dispose()


asyncio.run(main())
