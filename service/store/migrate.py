"""Bringing a database to this version's tables: Alembic, forward only, one process at a time."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy.engine import make_url

_FOLDER = Path(__file__).parent / "migrations"


def config(url: str) -> Config:
    settings = Config()
    settings.set_main_option("script_location", str(_FOLDER))
    settings.attributes["url"] = url
    return settings


def migrate(url: str) -> None:
    """Bring the database at this SQLAlchemy URL to the newest revision; not to be called inside an event loop.

    Safe to call from several processes at once: on SQLite a lock file beside the database, on PostgreSQL an advisory
    lock (migrations/env.py) lets one go first.
    """
    with _alone(url):
        command.upgrade(config(url), "head")


@contextmanager
def _alone(url: str) -> Iterator[None]:
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database:
        yield
        return
    file = Path(parsed.database)
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.with_suffix(".migrating").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
