from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from service.context import Shelfcast
from service.store.database import Database
from service.store.migrate import config
from service.store.revision import is_current, newest
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


async def test_a_database_that_was_never_migrated_is_not_current(tmp_path: Path) -> None:
    db = Database(f"sqlite+aiosqlite:///{tmp_path}/empty.db")
    async with db.read() as connection:
        assert not await is_current(connection)
    await db.close()


def test_the_newest_revision_is_alembics() -> None:
    assert newest() == ScriptDirectory.from_config(config("sqlite://")).get_current_head()
