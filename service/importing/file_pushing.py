"""Rows of a file on their way into a batch: pushed with their sequence, so that repeating them changes nothing."""

from typing import Any

from service import feed
from service.context import Shelfcast
from service.core.batches import Status
from service.errors import ConflictError, SessionExpiredError
from service.importing.file_rows import Some
from service.progress import status_of
from service.store import batches, imports
from service.store.database import Connection, Record
from service.tenants.tokens import Caller


class EndedError(Exception):
    """The batch was ended by somebody else while the file was read into it."""


class Pushing:
    """The batch that one file becomes."""

    def __init__(self, ctx: Shelfcast, caller: Caller, row: Record) -> None:
        self._ctx = ctx
        self._caller = caller
        self._import = row
        self._session_id = ""
        self._sequence = 0

    async def begin(self) -> bool:
        """The batch, open; False if the file was read into it before, to its end. Raises EndedError."""
        self._session_id, is_open = await self._ctx.db.write(self._open)
        return is_open

    async def take(self, some: Some) -> None:
        """Raises EndedError; ConflictError if this file was read otherwise before, whereupon it begins anew."""
        try:
            await feed.hold(
                self._ctx,
                self._caller,
                self._session_id,
                some.raws,
                some.checked,
                sequence=self._sequence,
                body_hash=some.digest,
            )
        except (ConflictError, SessionExpiredError):
            await self._ctx.db.write(self._heed_end)
            await self.drop("Its file was read otherwise before; it is read anew into another batch.")
            raise
        self._sequence += 1

    async def end(self) -> dict[str, Any]:
        """Every row is held: what is noted of the import."""
        try:
            await feed.complete(self._ctx, self._caller, self._session_id)
        except ConflictError:
            await self._ctx.db.write(self._heed_end)
            raise
        return {}

    async def drop(self, reason: str) -> None:
        """Nothing of the file is saved; a later reading has a batch of its own."""
        await self._ctx.db.write(self._drop, reason)

    async def _open(self, connection: Connection) -> tuple[str, bool]:
        store_id, import_id, now = self._caller.store_id, self._import["id"], self._ctx.clock()
        row = await imports.get(connection, store_id, import_id, lock=True)
        known = None if row is None or row["session_id"] is None else row["session_id"]
        batch = None if known is None else await batches.get(connection, store_id, known, lock=True)
        status = None if batch is None else status_of(batch, now)
        if status is Status.CANCELLED:
            raise EndedError
        if known is not None and status not in {None, Status.EXPIRED}:
            return known, status is Status.OPEN
        until = now + int(self._ctx.settings.import_open_for * 1000)
        reference, mode = self._import["reference"], self._import["mode"]
        opened = await feed.open_session(connection, self._caller, reference, mode, None, now, until)
        await imports.set_columns(connection, store_id, import_id, session_id=opened)
        return opened, True

    async def _heed_end(self, connection: Connection) -> None:
        batch = await batches.get(connection, self._caller.store_id, self._session_id)
        if batch is not None and batch["status"] == Status.CANCELLED:
            raise EndedError

    async def _drop(self, connection: Connection, reason: str) -> None:
        store_id, now = self._caller.store_id, self._ctx.clock()
        batch = await batches.get(connection, store_id, self._session_id, lock=True)
        if batch is not None and batch["status"] == Status.OPEN:
            columns = {"status": Status.CANCELLED, "completed_at": now, "reason": reason}
            await batches.set_columns(connection, store_id, self._session_id, **columns)
            await batches.drop_staged(connection, store_id, self._session_id)
        await imports.set_columns(connection, store_id, self._import["id"], session_id=None)
