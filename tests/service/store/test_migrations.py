import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import select, text

from service.context import Shelfcast
from service.core.product import Product
from service.core.searching import text_of
from service.store import tables
from service.store.database import Connection, Database
from service.store.migrate import config, migrate
from service.store.revision import is_current, newest
from service.store.table_parts import metadata

T = TypeVar("T")


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


def test_a_migrated_file_has_its_log_whoever_opens_it_first(tmp_path: Path) -> None:
    migrate(f"sqlite+aiosqlite:///{tmp_path / 'new.db'}")
    written, read = (tmp_path / "new.db").read_bytes()[18:20]  # sqlite.org/fileformat.html, 1.3: 2 is WAL
    assert (written, read) == (2, 2)


def test_a_database_of_the_first_version_keeps_its_rows(never_migrated: str) -> None:
    command.upgrade(config(never_migrated), "0001")
    asyncio.run(_in(never_migrated, _fill))
    migrate(never_migrated)
    assert asyncio.run(_in(never_migrated, _read)) == [("chain", "shop", "g1")]


def test_products_can_be_searched_and_displays_know_what_is_bound_once_they_are_migrated(never_migrated: str) -> None:
    command.upgrade(config(never_migrated), "0004")
    asyncio.run(_in(never_migrated, _fill))
    asyncio.run(_in(never_migrated, _fill_shelf))
    migrate(never_migrated)
    found, bound, since = asyncio.run(_in(never_migrated, _read_shelf))
    assert found == [text_of(Product("B", name="ÄPFEL", sku="7", brand="Obst"))] * 1500
    assert bound == [2]
    assert sorted(since, key=str) == [7, *[None] * 1499]


async def _fill_shelf(connection: Connection) -> None:
    product = text(
        "INSERT INTO products"
        " (store_id, barcode, id, name, content, content_hash, received_seq, created_at, updated_at)"
        " VALUES (1, :key, :key, 'x', :content, 'h', 1, 1, 1)"
    )
    content = '{"barcode":"B","name":"ÄPFEL","sku":"7","brand":"Obst"}'
    await connection.execute(product, [{"key": f"B{number:04}", "content": content} for number in range(1500)])
    display = (
        "INSERT INTO displays (store_id, id, organisation_id, driver, address, gateway_id, panel, created_at)"
        " VALUES (1, 'd', 1, 'simulator', 'A', 'g', '296x128-BWR', 1)"
    )
    bound = (
        "INSERT INTO bindings (store_id, id, display_id, slot, barcode, bound_at, unbound_at) VALUES"
        " (1, 'x', 'd', 0, 'A', 1, 2), (1, 'y', 'd', 0, 'B', 2, NULL), (1, 'z', 'd', 1, 'C', 2, NULL)"
    )
    price = (
        "INSERT INTO price_history"
        " (store_id, id, barcode, regular, effective, currency, cause, received_at, effective_at)"
        " VALUES (1, 'p', 'B0000', 10000, 10000, 'EUR', 'add', 6, 7)"
    )
    its_product = "UPDATE products SET price_id = 'p' WHERE barcode = 'B0000'"
    for statement in (display, bound, price, its_product):
        await connection.execute(text(statement))


async def _read_shelf(connection: Connection) -> tuple[list[str], list[int], list[int | None]]:
    found = (await connection.execute(select(tables.products.c.search))).scalars()
    bound = (await connection.execute(select(tables.displays.c.bound))).scalars()
    since = (await connection.execute(select(tables.products.c.price_since))).scalars()
    return list(found), list(bound), list(since)


async def _in(url: str, work: Callable[[Connection], Awaitable[T]]) -> T:
    db = Database(url)
    try:
        return await db.write(work)
    finally:
        await db.close()


async def _fill(connection: Connection) -> None:
    """By the names of the first version, whatever the code calls its columns today."""
    for statement in (
        "INSERT INTO organisations (id, ulid, slug, name, created_at) VALUES (1, 'o', 'chain', 'Chain', 1)",
        (
            "INSERT INTO stores (id, ulid, organisation_id, slug, environment, currency, timezone, locale, created_at)"
            " VALUES (1, 's', 1, 'shop', 'sandbox', 'EUR', 'UTC', 'en', 1)"
        ),
        "INSERT INTO gateways (store_id, id, name, driver, created_at) VALUES (1, 'g', 'g1', 'simulator', 1)",
    ):
        await connection.execute(text(statement))


async def _read(connection: Connection) -> list[tuple[Any, ...]]:
    joined = tables.organisations.join(tables.stores).join(tables.gateways)
    names = (tables.organisations.c.slug, tables.stores.c.slug, tables.gateways.c.name)
    return [tuple(row) for row in await connection.execute(select(*names).select_from(joined))]


def test_the_newest_revision_is_alembics() -> None:
    assert newest() == ScriptDirectory.from_config(config("sqlite://")).get_current_head()
