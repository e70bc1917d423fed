"""Files that this process reads: each a task of its own, since one may take longer than any job."""

import asyncio

import structlog

from service.context import Shelfcast
from service.ids import new_id
from service.importing.file_reading import Reader
from service.store.database import UNAVAILABLE

MOST = 2
"""Files read at once, so that a night of imports leaves room for everything else."""

log = structlog.get_logger()


class Files:
    """Every file of this process, by store and import."""

    def __init__(self, ctx: Shelfcast) -> None:
        self._ctx = ctx
        self._tasks: dict[tuple[int, str], asyncio.Task[None]] = {}
        self._room = asyncio.Semaphore(MOST)

    def begin(self, store_id: int, import_id: str) -> None:
        """Read this file, unless this process does already."""
        key = (store_id, import_id)
        if key not in self._tasks:
            self._tasks[key] = task = asyncio.create_task(self._read(store_id, import_id))
            task.add_done_callback(lambda _: self._tasks.pop(key, None))

    async def close(self) -> None:
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _read(self, store_id: int, import_id: str) -> None:
        async with self._room:
            try:
                await Reader(self._ctx, store_id, import_id, new_id()).run()
            except UNAVAILABLE as error:
                log.warning("file_reading_broken_off", import_id=import_id, error=repr(error))
            except Exception:
                log.exception("file_reading_failed", import_id=import_id)
