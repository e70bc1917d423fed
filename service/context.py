"""What every use case works with: settings, database, bell and clock, opened once for each process."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from service.bell import Bell
from service.counters import Counters
from service.leaps import Leaps
from service.limiting import Limits
from service.sealing import Sealer
from service.settings import Settings
from service.store.database import Database


def now() -> int:
    """Milliseconds since the epoch, UTC."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True)
class Shelfcast:
    settings: Settings
    db: Database
    bell: Bell
    leaps: Leaps
    sealer: Sealer
    limits: Limits
    clock: Callable[[], int] = now


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Shelfcast]:
    """Everything open; the database has to be migrated already."""
    db = Database(settings.sqlalchemy_url)
    bell = Bell(settings.redis_dsn)
    counters = Counters(settings.redis_dsn)
    limits = Limits(counters, settings.plans)
    try:
        yield Shelfcast(settings, db, bell, Leaps(settings.lease), Sealer(settings), limits)
    finally:
        await counters.close()
        await bell.close()
        await db.close()
