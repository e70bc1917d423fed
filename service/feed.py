"""The POS's verbs: add and update products, open a batch, push to it, complete it, look at it.

Each takes the caller, whose token alone says which store; a batch of another store is as unknown as one that never was.
"""

from collections.abc import Sequence
from typing import Any, Literal

import msgspec
import structlog

from service import paging, planning, progress, reasons, saving
from service.context import Shelfcast
from service.core import staged
from service.core.batches import Phase, Status
from service.core.problems import Code
from service.core.product import Problem, StoreFacts
from service.core.row_rules import Kind
from service.core.rows import Checked, Parsed, check_rows, parse_rows
from service.errors import ConflictError, NotFoundError, SessionExpiredError, TooLargeError, ValidationError
from service.ids import is_id, new_id
from service.messages import (
    Accepted,
    BatchDisplay,
    Completing,
    Page,
    RejectedRow,
    Session,
    TagState,
    Window,
    time,
    time_or_none,
)
from service.messages import Status as StatusMessage
from service.saving import Received, Saved, Source
from service.store import batches, displays, products, tags
from service.store.database import Connection, Record
from service.tenants.callers import Caller
from service.webhooks import telling

MAX_PRODUCTS = 1000
"""Rows in one request."""

_encode = msgspec.json.Encoder().encode
_decode_answer = msgspec.json.Decoder(Accepted).decode


async def change(ctx: Shelfcast, caller: Caller, kind: Kind, rows: Sequence[msgspec.Raw]) -> Accepted:
    """`/add` (whole) and `/productUpdate` (patch): saved, and every display bound to them on its way, at return.

    Raises TooLargeError over 1,000 rows and ValidationError for none.
    """
    _check_size(rows)
    if not rows:
        raise ValidationError("Send at least one product.", {"products": "is empty"})
    parsed = parse_rows(rows, kind, _facts(caller))
    request = structlog.contextvars.get_contextvars().get("request_id")
    now = ctx.clock()

    async def work(connection: Connection) -> tuple[Saved, planning.Planned]:
        await products.lock_store(connection, caller.store_id)
        first = await products.next_sequence(connection, caller.store_id, len(parsed.rows))
        received = [Received(first + place, row) for place, row in enumerate(parsed.rows)]
        cause: Literal["add", "update"] = "add" if kind == "whole" else "update"
        source = Source(cause, kind, now, cause_id=request, token_id=caller.token_id)
        last = {row.barcode: (seq, row) for seq, row in received}
        winners = [Received(*pair) for pair in last.values()]
        saved = await saving.save_rows(connection, caller.store_id, _facts(caller), winners, source)
        affected = await displays.of_barcodes(connection, caller.store_id, saved.touched)
        planned = await planning.plan_displays(connection, caller.store_id, affected, now, cause, known=saved.touched)
        await progress.advance(connection, caller.store_id, planned.batches, now, ctx.settings)
        refused = _refused(parsed, saved)
        await telling.of_refused_rows(connection, caller.store_id, cause, len(rows), refused, now)
        return saved, planned

    saved, planned = await ctx.db.write(work)
    await ctx.bell.ring_gateways(planned.gateways)
    return _changed(len(rows), parsed, saved, len(planned.changed))


def _changed(received: int, parsed: Parsed, saved: Saved, tag_count: int) -> Accepted:
    doubles = _duplicates([(row.index, row.barcode) for row in parsed.rows])
    errors = _refused(parsed, saved)
    rejected = len({problem.index for problem in errors})
    return Accepted(
        received=received,
        accepted=received - rejected,
        rejected=rejected,
        created=saved.created,
        updated=saved.updated,
        unchanged=saved.unchanged,
        duplicate=len(doubles),
        stale=saved.stale,
        tags=tag_count,
        errors=errors,
        warnings=[*parsed.warnings, *doubles],
    )


def _refused(parsed: Parsed, saved: Saved) -> list[Problem]:
    return sorted([*parsed.errors, *saved.problems], key=lambda problem: problem.index)


def _duplicates(accepted: Sequence[tuple[int, str]]) -> list[Problem]:
    """A warning for each row, by index and barcode, whose barcode comes again later."""
    last = {barcode: index for index, barcode in accepted}
    if len(last) == len(accepted):
        return []
    return [
        Problem(index, barcode, "barcode", Code.DUPLICATE, f"Row {last[barcode]} has it too and counts.")
        for index, barcode in accepted
        if last[barcode] != index
    ]


async def start(
    ctx: Shelfcast, caller: Caller, reference: str | None, mode: Literal["merge", "full"], expected: int | None
) -> Session:
    """`/batch/start`."""
    now = ctx.clock()
    expires_at = now + int(ctx.settings.session_open_for * 1000)
    id_ = await ctx.db.write(open_session, caller, reference, mode, expected, now, expires_at)
    return Session(
        session_id=id_,
        expires_at=time(expires_at),
        max_products_per_push=MAX_PRODUCTS,
        reference=reference,
        mode=mode,
    )


async def open_session(
    connection: Connection,
    caller: Caller,
    reference: str | None,
    mode: str,
    expected: int | None,
    now: int,
    expires_at: int,
) -> str:
    """A new batch, in the transaction of whoever needs one; its id."""
    id_ = new_id()
    row = {
        "store_id": caller.store_id,
        "id": id_,
        "reference": reference,
        "mode": mode,
        "expected_products": expected,
        "token_id": caller.token_id,
        "status": Status.OPEN,
        "started_at": now,
        "expires_at": expires_at,
    }

    started_seq = await products.next_sequence(connection, caller.store_id, 1)
    await batches.insert(connection, {**row, "started_seq": started_seq})
    return id_


async def push(
    ctx: Shelfcast,
    caller: Caller,
    session_id: str,
    rows: Sequence[msgspec.Raw],
    *,
    key: str | None = None,
    sequence: int | None = None,
    body_hash: str,
) -> Accepted:
    """`/batch/push`: held durably at return, saved after `/batch/complete`.

    The same key, or the same sequence, with the same body is answered as the first time, also after completion.
    Raises ConflictError for another body and after completion, SessionExpiredError, TooLargeError over 1,000 rows.
    """
    _check_size(rows)
    checked = check_rows(rows, "whole", _facts(caller))
    return await hold(ctx, caller, session_id, rows, checked, key=key, sequence=sequence, body_hash=body_hash)


async def hold(
    ctx: Shelfcast,
    caller: Caller,
    session_id: str,
    rows: Sequence[msgspec.Raw],
    checked: Checked,
    *,
    key: str | None = None,
    sequence: int | None = None,
    body_hash: str,
) -> Accepted:
    """The same of rows that were checked already."""
    answer = _held(session_id, sequence, len(rows), checked)
    now = ctx.clock()
    row = {
        "store_id": caller.store_id,
        "batch_id": session_id,
        "sequence": sequence,
        "idempotency_key": key,
        "body_hash": body_hash,
        "answer": _encode(answer),
        "rows": staged.hold(rows, {problem.index for problem in checked.errors}),
        "received_at": now,
    }
    return await ctx.db.write(_stage_once, caller, row, answer)


async def _stage_once(connection: Connection, caller: Caller, row: dict[str, Any], answer: Accepted) -> Accepted:
    """Hold the push, unless it was held before: then what was answered then."""
    batch = await _batch(connection, caller, row["batch_id"], lock=True)
    key, sequence = row["idempotency_key"], row["sequence"]
    before = await batches.pushed_before(connection, caller.store_id, batch["id"], key, sequence)
    if before is None:
        _require_open(batch, row["received_at"])
        await _stage(connection, batch, row, answer)
        return answer
    if before["body_hash"] != row["body_hash"]:
        raise ConflictError("This Idempotency-Key or sequence came with another body before.")
    return _decode_answer(before["answer"])


def _held(session_id: str, sequence: int | None, received: int, checked: Checked) -> Accepted:
    return Accepted(
        received=received,
        accepted=len(checked.accepted),
        rejected=received - len(checked.accepted),
        session_id=session_id,
        sequence=sequence,
        errors=checked.errors,
        warnings=[*checked.warnings, *_duplicates(checked.accepted)],
    )


async def _stage(connection: Connection, batch: Record, row: dict[str, Any], answer: Accepted) -> None:
    """Hold one more push of an open batch, whose row is locked."""
    store_id, number = batch["store_id"], batch["pushes"]
    first = await products.next_sequence(connection, store_id, answer.received)
    errors = batches.error_rows(store_id, batch["id"], number, answer.errors)
    await batches.insert_push(connection, {**row, "number": number, "first_seq": first}, errors)
    await batches.add_to(
        connection,
        store_id,
        batch["id"],
        pushes=1,
        products_received=answer.received,
        products_rejected=answer.rejected,
    )


async def complete(ctx: Shelfcast, caller: Caller, session_id: str) -> Completing:
    """`/batch/complete`; repeating it gives the same answer.

    Raises ConflictError after cancellation and where rows are missing of `expectedProducts`, SessionExpiredError.
    """
    now = ctx.clock()

    async def work(connection: Connection) -> Record:
        batch = await _batch(connection, caller, session_id, lock=True)
        if progress.status_of(batch, now) in {Status.CANCELLED, Status.EXPIRED, Status.OPEN}:
            _require_open(batch, now)
            _require_all(batch)
            await batches.set_columns(
                connection,
                caller.store_id,
                session_id,
                status=Status.PROCESSING,
                phase=Phase.SAVING,
                processing_at=now,
            )
        return batch

    batch = await ctx.db.write(work)
    await ctx.bell.ring_saver(caller.store_id)
    return Completing(session_id=session_id, reference=batch["reference"])


async def cancel(ctx: Shelfcast, caller: Caller, session_id: str) -> StatusMessage:
    """`/batch/{id}/cancel`: open, nothing is saved; later, what is saved stays and what is not yet sent leaves it.

    Displays whose new price is saved already still get it, since a saved price belongs on the shelf.
    Raises ConflictError once the batch is over, SessionExpiredError.
    """
    now = ctx.clock()

    async def work(connection: Connection) -> None:
        await _batch(connection, caller, session_id)
        # Displays before their batch, as whoever notes an outcome takes them.
        await displays.lock(connection, caller.store_id, await tags.unsent(connection, caller.store_id, session_id))
        batch = await _batch(connection, caller, session_id, lock=True)
        status = progress.status_of(batch, now)
        if status is Status.CANCELLED:
            return
        if status is Status.EXPIRED:
            raise SessionExpiredError("The session expired before; nothing of it was saved.")
        if status in {Status.COMPLETED, Status.FAILED}:
            raise ConflictError(f"The batch is {status} already.")
        saving_now = batch["phase"] == Phase.SAVING and status is Status.PROCESSING
        # While it saves, the saver takes the rest out: displays of saved products still have to be planned.
        dropped = 0 if saving_now else await tags.drop_unsent(connection, caller.store_id, session_id)
        await batches.set_columns(
            connection,
            caller.store_id,
            session_id,
            status=Status.CANCELLED,
            reason="Cancelled by the caller.",
            cancelled_by=f"token {caller.token}",
            completed_at=now,
            tags_total=batch["tags_total"] - dropped,
            phase=Phase.SAVING if saving_now else None,
        )
        if not saving_now:
            await batches.drop_staged(connection, caller.store_id, session_id)

    await ctx.db.write(work)
    await ctx.bell.ring_saver(caller.store_id)
    return await status(ctx, caller, session_id)


async def status(ctx: Shelfcast, caller: Caller, session_id: str) -> StatusMessage:
    """`/batch/{id}/status`."""
    async with ctx.db.glance() as connection:
        return progress.message(await _batch(connection, caller, session_id), ctx.clock())


async def errors(ctx: Shelfcast, caller: Caller, session_id: str, window: Window) -> Page[RejectedRow]:
    """`/batch/{id}/errors`: every refused row, in the order of pushes and rows."""
    after = paging.decode(window.cursor, tuple[paging.Place, paging.Place, paging.Place])
    async with ctx.db.read() as connection:
        await _batch(connection, caller, session_id)
        rows = await batches.errors(
            connection, caller.store_id, session_id, after, paging.offset(window), window.per_page + 1
        )
        total = await batches.count_errors(connection, caller.store_id, session_id)
    shown = rows[: window.per_page]
    last = (shown[-1]["push"], shown[-1]["row"], shown[-1]["number"]) if len(rows) > len(shown) else None
    return paging.page(window, [rejected(row) for row in shown], last, total)


async def displays_of(
    ctx: Shelfcast, caller: Caller, session_id: str, state: TagState | None, window: Window
) -> Page[BatchDisplay]:
    """`/batch/{id}/displays`: every display with a new face, whether it is proven, and else why not."""
    after = paging.decode(window.cursor, paging.Id) or ""
    async with ctx.db.read() as connection:
        await _batch(connection, caller, session_id)
        rows = await tags.listing(
            connection, caller.store_id, session_id, state, after, paging.offset(window), window.per_page + 1
        )
        total = await tags.count(connection, caller.store_id, session_id, state)
        shown = rows[: window.per_page]
        bound = await displays.slots(connection, caller.store_id, [row["display_id"] for row in shown])
    last = shown[-1]["display_id"] if len(rows) > len(shown) else None
    return paging.page(window, [_display(row, bound.get(row["display_id"], {})) for row in shown], last, total)


def rejected(row: Record) -> RejectedRow:
    return RejectedRow(
        push=row["push"],
        index=row["row"],
        barcode=row["barcode"],
        field=row["field"],
        code=row["code"],
        detail=row["detail"],
    )


def _display(row: dict[str, Any], bound: dict[int, str]) -> BatchDisplay:
    reason, detail = reasons.of_tag(row)
    return BatchDisplay(
        display_id=row["display_id"],
        address=row["address"],
        gateway=row["gateway"],
        barcodes=[bound[slot] for slot in sorted(bound)],
        state=row["state"],
        digest=row["digest"],
        proof=reasons.proof_word(row["proof"]),
        reason=reason,
        detail=detail,
        planned_at=time(row["planned_at"]),
        sent_at=time_or_none(row["sent_at"]),
        confirmed_at=time_or_none(row["closed_at"]) if row["state"] == "confirmed" else None,
    )


async def _batch(connection: Connection, caller: Caller, session_id: str, *, lock: bool = False) -> Record:
    batch = await batches.get(connection, caller.store_id, session_id, lock=lock) if is_id(session_id) else None
    if batch is None:
        raise NotFoundError("This store has no batch with this sessionId.")
    return batch


def _require_open(batch: Record, now: int) -> None:
    status = progress.status_of(batch, now)
    if status is Status.EXPIRED:
        raise SessionExpiredError("The session expired; start a new one and push again. Nothing of it was saved.")
    if status is not Status.OPEN:
        raise ConflictError(f"The batch is {status}; it takes no more.")


def _require_all(batch: Record) -> None:
    expected, received = batch["expected_products"], batch["products_received"]
    if expected is not None and received < expected:
        raise ConflictError(f"{received} of {expected} expected products came; push the rest and complete again.")


def _check_size(rows: Sequence[msgspec.Raw]) -> None:
    if len(rows) > MAX_PRODUCTS:
        raise TooLargeError(f"{len(rows)} products in one request; send at most {MAX_PRODUCTS}.")


def _facts(caller: Caller) -> StoreFacts:
    return StoreFacts(caller.currency, caller.timezone, caller.locale)
