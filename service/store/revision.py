"""Whether a database has the tables of this version. Without Alembic, which costs every start a tenth of a second."""

from pathlib import Path

from sqlalchemy import Column, MetaData, Table, Text, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

_VERSIONS = Path(__file__).parent / "migrations" / "versions"
_revision = Table("alembic_version", MetaData(), Column("version_num", Text))


def newest() -> str:
    """The number that begins the last migration's file name."""
    return max(file.name.partition("_")[0] for file in _VERSIONS.glob("[0-9]*.py"))


async def is_current(connection: AsyncConnection) -> bool:
    """Whether the tables are those of this version; False also for a database that was never migrated."""
    try:
        found = (await connection.execute(select(_revision.c.version_num))).scalar_one_or_none()
    except DBAPIError as error:
        if "alembic_version" in str(error.orig):
            return False
        raise
    return found == newest()
