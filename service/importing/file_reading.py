"""Reading the file of an import, in a worker: its rows go through the feed as a POS's do, or a dry run compares them.

Whoever reads holds a lease. A reader that is killed leaves everything to the next one, which begins at the file's first
byte: pushes carry their sequence, so those that were held before are recognised. The file is read in a thread, a push
at a time, from chunks that are fetched as they are needed: nothing holds the file.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from typing import Any

import msgspec
import structlog

from service.context import Shelfcast
from service.core.imports import Status
from service.importing.file_comparing import Comparing
from service.importing.file_keeping import drop_file
from service.importing.file_pushing import EndedError, Pushing
from service.importing.file_rows import take
from service.importing.imports import Options
from service.importing.outcomes import UnreadableError
from service.importing.reading import Reading, Wish
from service.saving import facts_of
from service.store import imports, tenants
from service.store.database import UNAVAILABLE, Connection, Record
from service.tenants.tokens import Caller

_HOPELESS = 5
"""Failures of the same import after which it is given up; a database that is away does not count."""
_CANCELLED = "Its batch was cancelled while the file was read."

log = structlog.get_logger()

_encode = msgspec.json.Encoder().encode
_decode_options = msgspec.json.Decoder(Options).decode


class LostError(Exception):
    """Another worker reads this file now, or it is no longer to be read."""


class Reader:
    """One worker's reading of one file."""

    def __init__(self, ctx: Shelfcast, store_id: int, import_id: str, worker: str) -> None:
        self._ctx = ctx
        self._key = (store_id, import_id)
        self._worker = worker
        self._loop = asyncio.get_running_loop()
        self._over = False

    async def run(self) -> None:
        """Read the file to its end, unless another worker does. Whatever it raises, the file can be read again."""
        try:
            row = await self._keep()
            async with self._kept():
                await self._read(row)
            await drop_file(self._ctx, *self._key)
        except LostError:
            return
        except asyncio.CancelledError:  # this worker stops: the next one need not wait for the lease to end
            await self._ctx.db.write(imports.release, *self._key, self._worker)
            raise

    async def _read(self, row: Record) -> None:
        async with self._ctx.db.read() as connection:
            store = await tenants.store_record(connection, self._key[0])
        caller = _caller(store, row["token_id"])
        taker = (Comparing if row["dry_run"] else Pushing)(self._ctx, caller, row)
        try:
            if await taker.begin():
                await self._hand_over(taker, store, row)
            await self._end(Status.COMPLETED, **await taker.end())
        except UnreadableError as error:
            await taker.drop(f"The file could not be read: {error.detail}")
            await self._end(Status.FAILED, reason=error.detail)
        except EndedError:
            await self._end(Status.CANCELLED, reason=_CANCELLED)
        except (LostError, *UNAVAILABLE):
            raise
        except Exception as error:
            await self._ctx.db.write(self._count_failure, type(error).__name__)
            raise

    async def _hand_over(self, taker: Comparing | Pushing, store: Record, row: Record) -> None:
        facts, wish = facts_of(store), _wish(_decode_options(row["options"]), store)
        reading = await asyncio.to_thread(Reading, self._chunks(row["received_bytes"]), wish)
        rows, unit = iter(reading), "Product" if reading.found.kind == "xml" else "Line"
        read = rejected = 0
        while (some := await asyncio.to_thread(take, rows, facts, unit)) is not None:
            await taker.take(some)
            read, rejected = read + len(some.rows), rejected + some.rejected
            found = _encode(reading.found).decode()
            await self._keep(rows_read=read, rows_accepted=read - rejected, rows_rejected=rejected, detected=found)
        await self._keep(detected=_encode(reading.found).decode())

    def _chunks(self, size: int) -> Iterator[bytes]:
        """The bytes of the file, for a thread. Raises LostError where they were let go of meanwhile."""
        place = 0
        while place < size:
            data = asyncio.run_coroutine_threadsafe(self._chunk(place), self._loop).result()
            if not data:
                raise LostError
            place += len(data)
            yield data

    async def _chunk(self, place: int) -> bytes | None:
        if self._over:
            raise LostError
        async with self._ctx.db.glance() as connection:
            return await imports.chunk(connection, *self._key, place)

    @contextlib.asynccontextmanager
    async def _kept(self) -> AsyncIterator[None]:
        """The lease, renewed for as long as the reading takes."""

        async def heart() -> None:
            while True:
                await asyncio.sleep(self._ctx.settings.lease / 3)
                with contextlib.suppress(LostError, *UNAVAILABLE):  # whoever reads finds that out by itself
                    await self._keep()

        beat = asyncio.create_task(heart())
        try:
            yield
        finally:
            self._over = True  # a thread that is still reading ends with its next chunk
            beat.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await beat

    async def _keep(self, **columns: Any) -> Record:
        """Renew the lease, and write down how far the reading is. Raises LostError."""
        return await self._ctx.db.write(self._renew, columns)

    async def _renew(self, connection: Connection, columns: dict[str, Any]) -> Record:
        now = self._ctx.clock()
        until = now + int(self._ctx.settings.lease * 1000)
        row = await imports.lease(connection, *self._key, self._worker, now, until)
        if row is None:
            raise LostError
        if columns:
            await imports.set_columns(connection, *self._key, **columns)
        return row

    async def _end(self, status: Status, **columns: Any) -> None:
        columns |= {"status": status, "completed_at": self._ctx.clock(), "worker": None, "lease_until": None}
        await self._keep(**columns)

    async def _count_failure(self, connection: Connection, error: str) -> None:
        """It is tried again once the lease is over."""
        row = await imports.get(connection, *self._key, lock=True)
        if row is None or row["status"] != Status.PROCESSING:
            return
        columns: dict[str, Any] = {"failures": row["failures"] + 1}
        if row["failures"] + 1 >= _HOPELESS:
            reason = f"Reading failed {_HOPELESS} times ({error}); see the log. Nothing of the file was saved."
            columns |= {"status": Status.FAILED, "completed_at": self._ctx.clock(), "reason": reason, "worker": None}
        await imports.set_columns(connection, *self._key, **columns)


def _wish(options: Options, store: Record) -> Wish:
    return Wish(
        format=options.format,
        columns=options.columns or None,
        encoding=options.encoding,
        delimiter=options.delimiter,
        decimal=options.decimal,
        key_fallback=options.key_fallback,
        location=options.location,
        store=[name for name in (store["name"], store["slug"]) if name],
        locale=store["locale"],
    )


def _caller(store: Record, token_id: str | None) -> Caller:
    """As whom the rows are pushed: the store, and the token that asked for the import."""
    return Caller(
        store_id=store["id"],
        organisation_id=store["organisation_id"],
        store=store["slug"],
        environment=store["environment"],
        currency=store["currency"],
        timezone=store["timezone"],
        locale=store["locale"],
        token_id=token_id or "",
        token="",
        scopes=(),
    )
