from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from service.context import Shelfcast
from service.store.migrate import is_current
from service.store.tables import metadata


async def test_the_migrations_make_the_tables_that_the_code_names(ctx: Shelfcast) -> None:
    async with ctx.db.read() as connection:
        differences = await connection.run_sync(
            lambda plain: compare_metadata(MigrationContext.configure(plain), metadata)
        )
    assert differences == []


async def test_a_migrated_database_is_current(ctx: Shelfcast) -> None:
    async with ctx.db.read() as connection:
        assert await is_current(connection)
