"""What the commands that work on the service itself share: settings, and an open service."""

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar

from service import logs
from service.cli.console import USAGE, stop, warn
from service.context import Shelfcast, opened
from service.errors import ServiceError
from service.gateways import gateway_setup
from service.settings import Settings, SettingsError, load, prepare, unknown
from service.store import revision
from service.store.database import UNAVAILABLE

T = TypeVar("T")


def settings() -> Settings:
    """The settings of the environment, their folder made; ends the command with all that is wrong in them."""
    try:
        found = load(os.environ)
        prepare(found)
    except SettingsError as error:
        stop(str(error), USAGE)
    logs.configure(found.log_level)
    for warning in unknown(os.environ):
        warn(warning)
    return found


def run(work: Callable[[Shelfcast], Awaitable[T]]) -> T:
    """Do some work on the open service; its own SQLite is brought up to date first.

    Whoever shares a PostgreSQL decides by `shelfcast migrate` or `serve` when its tables change.
    """
    found = settings()
    logs.configure("error")  # that no worker is there to hear the bell is no news to who sets up a store
    if found.database_url is None:
        bring_up_to_date(found)
    with told_of_the_database():
        return asyncio.run(_within(found, work))


async def _within(found: Settings, work: Callable[[Shelfcast], Awaitable[T]]) -> T:
    async with opened(found) as ctx:
        async with ctx.db.read() as connection:
            current = await revision.is_current(connection)
        if not current:
            stop("The database has other tables than this version; run shelfcast migrate first.")
        await gateway_setup.seal_stored(ctx)
        try:
            return await work(ctx)
        except ServiceError as error:
            stop(error.detail)


def bring_up_to_date(found: Settings) -> None:
    from service.store.migrate import migrate  # noqa: PLC0415 - Alembic, which most commands do not need

    with told_of_the_database():
        migrate(found.sqlalchemy_url)


@contextlib.contextmanager
def told_of_the_database() -> Iterator[None]:
    """End the command with a sentence if the database is not there."""
    try:
        yield
    except UNAVAILABLE as error:
        where = "SHELFCAST_DATABASE_URL" if os.environ.get("SHELFCAST_DATABASE_URL") else "SHELFCAST_DATA_DIR"
        stop(f"The database does not answer: {getattr(error, 'orig', error)}. Check {where}.")
