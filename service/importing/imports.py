"""Imports of whole files: ask for one, send its bytes, have it read, and see what came of it.

The bytes are kept in the database, a mebibyte a row and a transaction, so that API and workers share nothing else and
a broken connection costs what was on its way. Who reads them is `file_reading`.
"""

import hashlib
from collections.abc import AsyncIterator
from typing import Literal

import msgspec

from service import auditing, feed, paging
from service.context import Shelfcast
from service.core.actions import Action
from service.core.imports import CHUNK, Status, status_of
from service.core.problems import printable
from service.errors import (
    ConflictError,
    NotFoundError,
    SessionExpiredError,
    TooLargeError,
    ValidationError,
)
from service.ids import is_id, new_id
from service.importing import formats
from service.importing.decoding import known
from service.importing.file_keeping import drop_file
from service.importing.numbers import Decimal
from service.importing.outcomes import UnreadableError
from service.importing.telling import counts, message
from service.messages import Page, Window
from service.messages.imports import Compared, Difference, Differences, Import
from service.store import imports
from service.store.database import Connection, Record
from service.tenants.tokens import Caller

Mode = Literal["merge", "full"]
MOST_OPEN = 20
"""Imports of one store that take bytes at once."""

_encode = msgspec.json.Encoder().encode
_decode_fields = msgspec.json.Decoder(dict[str, tuple[msgspec.Raw, msgspec.Raw]]).decode


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What the caller says of a file, as it is kept; see `importing.reading.Wish`."""

    format: str | None = None
    columns: dict[str, str] | None = None
    encoding: str | None = None
    delimiter: str | None = None
    decimal: Decimal | None = None
    key_fallback: str | None = None
    location: str | None = None


class Part(msgspec.Struct, frozen=True):
    """Which bytes of the file a request brings: from `first` on; None: the whole file, from its beginning.

    Attributes:
        length: Bytes of this request; None where it does not say.
        total: Bytes of the whole file; None where that is not known.
    """

    first: int | None
    length: int | None
    total: int | None


async def start(
    ctx: Shelfcast,
    caller: Caller,
    options: Options,
    mode: Mode,
    reference: str | None,
    *,
    dry: bool,
) -> Import:
    """Ask for an upload. Raises ValidationError for options that no file can have, ConflictError over 20 open ones."""
    _check(options)
    now = ctx.clock()
    row = {
        "store_id": caller.store_id,
        "id": new_id(),
        "reference": reference,
        "mode": mode,
        "dry_run": int(dry),
        "options": _encode(options).decode(),
        "status": Status.OPEN,
        "token_id": caller.token_id,
        "started_at": now,
        "expires_at": _expiry(ctx, now),
    }

    async def work(connection: Connection) -> Record:
        if await imports.count_open(connection, caller.store_id, now) >= MOST_OPEN:
            raise ConflictError(f"{MOST_OPEN} imports of this store are open; finalize or cancel some of them.")
        await imports.insert(connection, row)
        who = auditing.by(caller)
        await auditing.note(connection, who, now, Action.IMPORT_STARTED, str(row["id"]), reference, mode=mode, dry=dry)
        return await _import(connection, caller, str(row["id"]))

    return _message(ctx, await ctx.db.write(work))


def _check(options: Options) -> None:
    try:
        if options.format is not None:
            formats.named(options.format)
    except UnreadableError as error:
        raise ValidationError(error.detail, {"format": "is not known"}) from None
    try:
        if options.encoding is not None:
            known(options.encoding)
    except UnreadableError as error:
        raise ValidationError(error.detail, {"encoding": "is not known"}) from None
    if strangers := formats.strangers(options.columns or {}):
        named = [printable(name) for name in strangers]
        detail = f"The feed has no field {', '.join(named)}; it has {', '.join(sorted(formats.NAMES))}."
        raise ValidationError(detail, {f"columns.{named[0]}": "is no field of the feed"})


async def receive(ctx: Shelfcast, caller: Caller, import_id: str, part: Part, body: AsyncIterator[bytes]) -> Import:
    """Take bytes of the file, a mebibyte a transaction; what came before a connection broke is kept.

    Raises ConflictError where other bytes are wanted first, and for an import that takes none; TooLargeError;
    SessionExpiredError; ValidationError if other bytes came than were announced.
    """
    limit = ctx.settings.max_import
    if max((part.first or 0) + (part.length or 0), part.total or 0) > limit:
        raise _too_large(limit)
    upload = new_id()
    place = await ctx.db.write(_begin, ctx, caller, import_id, part, upload)
    first, gathered = place, bytearray()
    try:
        async for piece in body:
            gathered += piece
            if place + len(gathered) > limit:
                raise _too_large(limit)
            while len(gathered) >= CHUNK:
                place = await ctx.db.write(_append, ctx, caller, import_id, upload, place, bytes(gathered[:CHUNK]))
                del gathered[:CHUNK]
    except ValidationError:  # the connection broke
        await ctx.db.write(_append, ctx, caller, import_id, upload, place, bytes(gathered))
        raise
    if gathered:
        place = await ctx.db.write(_append, ctx, caller, import_id, upload, place, bytes(gathered))
    if part.length is not None and place - first != part.length:
        detail = f"{place - first} bytes came where {part.length} were announced; go on at {place}."
        raise ValidationError(detail, {"body": "is not as long as announced"})
    return await one(ctx, caller, import_id)


async def _begin(
    connection: Connection, ctx: Shelfcast, caller: Caller, import_id: str, part: Part, upload: str
) -> int:
    """Where the next byte goes; from now on no other request adds any."""
    row = await _import(connection, caller, import_id, lock=True)
    _require_open(row, ctx.clock())
    place: int = row["received_bytes"]
    if part.first is not None and part.first != place:
        raise ConflictError(
            f"{place} bytes of the file are here; go on with Content-Range: bytes {place}-….",
            {"Content-Range": f"begins at {part.first} instead of {place}"},
        )
    if part.first is None and place:
        while await imports.drop_chunks(connection, caller.store_id, import_id):
            pass
        place = 0
    await imports.set_columns(
        connection,
        caller.store_id,
        import_id,
        worker=upload,
        received_bytes=place,
        total_bytes=part.total if part.total is not None or part.first is None else row["total_bytes"],
        expires_at=_expiry(ctx, ctx.clock()),
    )
    return place


async def _append(
    connection: Connection, ctx: Shelfcast, caller: Caller, import_id: str, upload: str, place: int, data: bytes
) -> int:
    if not data:
        return place
    row = await _import(connection, caller, import_id, lock=True)
    _require_open(row, ctx.clock())
    if row["worker"] != upload:
        raise ConflictError("Another request sends this file now; only the latest one counts.")
    await imports.insert_chunk(connection, caller.store_id, import_id, place, data)
    await imports.set_columns(connection, caller.store_id, import_id, received_bytes=place + len(data))
    return place + len(data)


async def finalize(ctx: Shelfcast, caller: Caller, import_id: str, sha256: str | None) -> Import:
    """Have the file read; repeating it gives the import as it stands.

    Raises ConflictError where bytes are missing, ValidationError if they are not those of the digest.
    """
    row = await _found(ctx, caller, import_id)
    if sha256 is not None and status_of(row["status"], row["expires_at"], ctx.clock()) is Status.OPEN:
        await _check_digest(ctx, row, sha256.lower())
    now = ctx.clock()

    async def work(connection: Connection) -> Record:
        row = await _import(connection, caller, import_id, lock=True)
        if row["finalized_at"] is None:
            _require_open(row, now)
            _require_whole(row)
            columns = {"status": Status.PROCESSING, "finalized_at": now, "worker": None, "lease_until": None}
            await imports.set_columns(connection, caller.store_id, import_id, **columns)
        elif row["status"] == Status.CANCELLED:
            raise ConflictError("The import was cancelled; start another.")
        return await _import(connection, caller, import_id)

    finalized = await ctx.db.write(work)
    await ctx.bell.ring_import(caller.store_id, import_id)
    return _message(ctx, finalized)


async def _check_digest(ctx: Shelfcast, row: Record, sha256: str) -> None:
    digest, place = hashlib.sha256(), 0
    while place < row["received_bytes"]:
        async with ctx.db.glance() as connection:
            data = await imports.chunk(connection, row["store_id"], row["id"], place)
        if not data:
            raise ConflictError("The file is being sent anew; finalize once that is over.")
        digest.update(data)
        place += len(data)
    if digest.hexdigest() != sha256:
        detail = f"The {place} bytes that came have the SHA-256 {digest.hexdigest()}; send the file again."
        raise ValidationError(detail, {"sha256": "is not that of what came"})


async def one(ctx: Shelfcast, caller: Caller, import_id: str) -> Import:
    return _message(ctx, await _found(ctx, caller, import_id))


async def listed(ctx: Shelfcast, caller: Caller, status: str | None, window: Window) -> Page[Import]:
    """Imports of the store, newest first."""
    after = paging.decode(window.cursor, paging.Id)
    async with ctx.db.read() as connection:
        rows, total = await imports.listing(
            connection, caller.store_id, status, after, paging.shallow(window), window.per_page + 1
        )
    shown = rows[: window.per_page]
    last = shown[-1]["id"] if len(rows) > len(shown) else None
    return paging.page(window, [_message(ctx, row) for row in shown], last, total)


async def cancel(ctx: Shelfcast, caller: Caller, import_id: str) -> Import:
    """Nothing of the file is saved. Raises ConflictError once it is over, since its batch goes on then."""
    now = ctx.clock()

    async def work(connection: Connection) -> Record:
        row = await _import(connection, caller, import_id, lock=True)
        status = status_of(row["status"], row["expires_at"], now)
        if status is Status.EXPIRED:
            raise SessionExpiredError("The import expired before; nothing of it was saved.")
        if status in {Status.COMPLETED, Status.FAILED}:
            raise ConflictError(f"The import is {status} already; what it handed over is its batch's to cancel.")
        if status is not Status.CANCELLED:
            columns = {"status": Status.CANCELLED, "reason": "Cancelled by the caller.", "completed_at": now}
            await imports.set_columns(connection, caller.store_id, import_id, **columns, worker=None)
            who = auditing.by(caller)
            await auditing.note(connection, who, now, Action.IMPORT_CANCELLED, import_id, row["reference"])
        return await _import(connection, caller, import_id)

    row = await ctx.db.write(work)
    if row["session_id"]:
        await _cancel_batch(ctx, caller, row["session_id"])
    await drop_file(ctx, caller.store_id, import_id)
    return _message(ctx, row)


async def _cancel_batch(ctx: Shelfcast, caller: Caller, session_id: str) -> None:
    """The batch that it was to become, if it is still open."""
    try:
        await feed.cancel(ctx, caller, session_id)
    except (ConflictError, SessionExpiredError):
        return


async def differences(ctx: Shelfcast, caller: Caller, import_id: str, window: Window) -> Differences:
    """What a dry run found. Raises ConflictError for an import that is none."""
    after = paging.decode(window.cursor, paging.Place)
    row = await _found(ctx, caller, import_id)
    if not row["dry_run"]:
        raise ConflictError("This import is no dry run; its batch says what became of products.")
    rows: list[Record] = []
    if row["status"] == Status.COMPLETED:
        key = None if after is None else [after]
        async with ctx.db.read() as connection:
            rows = await imports.differences(
                connection, caller.store_id, import_id, key, paging.shallow(window), window.per_page + 1
            )
    shown = rows[: window.per_page]
    last = shown[-1]["number"] if len(rows) > len(shown) else None
    page = paging.page(window, [_difference(row) for row in shown], last, None)
    return Differences(data=page.data, meta=page.meta, summary=counts(row["summary"]))


def _difference(row: Record) -> Difference:
    fields = {
        name: Compared(before=before, after=after) for name, (before, after) in _decode_fields(row["fields"]).items()
    }
    return Difference(barcode=row["barcode"], number=row["number"], kind=row["kind"], fields=fields)


async def _found(ctx: Shelfcast, caller: Caller, import_id: str) -> Record:
    async with ctx.db.glance() as connection:
        return await _import(connection, caller, import_id)


async def _import(connection: Connection, caller: Caller, import_id: str, *, lock: bool = False) -> Record:
    row = await imports.get(connection, caller.store_id, import_id, lock=lock) if is_id(import_id) else None
    if row is None:
        raise NotFoundError("This store has no import with this id.")
    return row


def _require_open(row: Record, now: int) -> None:
    status = status_of(row["status"], row["expires_at"], now)
    if status is Status.EXPIRED:
        raise SessionExpiredError("The import expired; start another. Nothing of it was saved.")
    if status is not Status.OPEN:
        raise ConflictError(f"The import is {status}; it takes no more bytes.")


def _require_whole(row: Record) -> None:
    received, total = row["received_bytes"], row["total_bytes"]
    if not received:
        raise ConflictError("No byte of the file came; PUT it first.")
    if total is not None and received != total:
        raise ConflictError(f"{received} of {total} bytes came; send the rest with Content-Range: bytes {received}-….")


def _too_large(limit: int) -> TooLargeError:
    return TooLargeError(f"A file has at most {limit} bytes; compress it with gzip, or send it in parts.")


def _expiry(ctx: Shelfcast, now: int) -> int:
    return now + int(ctx.settings.import_open_for * 1000)


def _message(ctx: Shelfcast, row: Record) -> Import:
    return message(row, ctx.clock(), ctx.settings.max_import)
