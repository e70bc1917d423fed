"""From a sandbox to production: what its integration did is counted, shown as a checklist, and asked with.

Counting is done beside the requests of sandbox stores, and of these alone: it neither delays a request nor fails it,
and under heavy load it leaves some out.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import msgspec
import structlog

from service.auditing import Who, by, note
from service.context import Shelfcast
from service.core import onboarding as core
from service.core.actions import Action
from service.core.happenings import Kind, ProductionPayload
from service.core.onboarding import Item, Milestone, State
from service.errors import ConflictError
from service.ids import new_id
from service.messages import Accepted, Page, RejectedRow, Status, time, time_or_none
from service.messages.tenants import ChecklistItem, IssuedToken, Production, ProductionRequest
from service.store import onboarding as store
from service.store import products, tenants
from service.store.database import Connection, Record
from service.tenants.callers import Caller
from service.tenants.issuing import issued_message
from service.webhooks.happenings import tell

SANDBOX = "sandbox"
_MOST_WAITING = 20
"""Writes under way or waiting in this process, beyond which nothing more is counted."""
_MOST_BARCODES = 20
"""Refused barcodes of one request that are remembered."""

log = structlog.get_logger(__name__)


class _Named(msgspec.Struct):
    barcode: str | None = None


_barcode_of = msgspec.json.Decoder(_Named).decode


def note_rows(
    ctx: Shelfcast, caller: Caller, kind: Milestone | None, rows: Sequence[msgspec.Raw], took: Accepted
) -> None:
    """Rows were answered; `kind`: what it counts as if one was accepted, None in a push."""
    if caller.environment != SANDBOX:
        return
    refused = {problem.barcode for problem in took.errors if problem.barcode}
    failed = {problem.index for problem in took.errors}
    accepted = {_barcode(row) for index, row in enumerate(rows) if index not in failed}
    now = ctx.clock()

    async def work(conn: Connection) -> None:
        if kind is not None and took.accepted:
            await store.count(conn, caller.store_id, kind, now)
        kinds = [f"{Milestone.REFUSED}{barcode}" for barcode in accepted if barcode]
        if await store.take(conn, caller.store_id, kinds, now - core.REMEMBERED):
            await store.count(conn, caller.store_id, Milestone.MENDED, now)
        if took.rejected:
            await store.forget(conn, caller.store_id, now)
            await store.count(conn, caller.store_id, Milestone.REJECTED, now)
        for barcode in sorted(refused)[:_MOST_BARCODES]:
            await store.count(conn, caller.store_id, f"{Milestone.REFUSED}{barcode}", now)

    _beside(ctx, work)


def _barcode(row: msgspec.Raw) -> str | None:
    """As far as it can be read: a row that is accepted may write it with blanks around."""
    try:
        barcode = _barcode_of(row).barcode
    except msgspec.MsgspecError:
        return None
    return barcode.strip() if barcode else None


def note_poll(ctx: Shelfcast, caller: Caller, status: Status) -> None:
    """A batch's status was read."""
    if caller.environment != SANDBOX:
        return
    now, batch = ctx.clock(), status.session_id

    async def work(conn: Connection) -> None:
        before = await store.last_of(conn, caller.store_id, Milestone.POLLED + batch)
        if before is None:
            await store.forget(conn, caller.store_id, now)
        elif now - before < core.HURRIED:
            await store.count(conn, caller.store_id, Milestone.HURRIED + batch, now)
        await store.count(conn, caller.store_id, Milestone.POLLED + batch, now)

    _beside(ctx, work)


def note_errors(ctx: Shelfcast, caller: Caller, page: Page[RejectedRow]) -> None:
    """Rejected rows of a batch were read."""
    if page.data:
        _note(ctx, caller, Milestone.ERRORS_READ)


def note_stream(ctx: Shelfcast, caller: Caller) -> None:
    """A batch's events are followed."""
    _note(ctx, caller, Milestone.FOLLOWED)


def _note(ctx: Shelfcast, caller: Caller, kind: Milestone) -> None:
    if caller.environment == SANDBOX:
        now = ctx.clock()
        _beside(ctx, lambda conn: store.count(conn, caller.store_id, kind, now))


def _beside(ctx: Shelfcast, work: Callable[[Connection], Awaitable[None]]) -> None:
    if ctx.db.waiting < _MOST_WAITING:
        ctx.db.begin(work).add_done_callback(_done)


def _done(task: asyncio.Task[None]) -> None:
    """A milestone is a courtesy; a full disk shows elsewhere."""
    if not task.cancelled() and (error := task.exception()):
        log.warning("milestone_not_noted", error=repr(error))


async def production(ctx: Shelfcast, caller: Caller) -> Production:
    """The checklist and the newest request; raises ConflictError for a store that is live."""
    _require_sandbox(caller)
    async with ctx.db.read() as conn:
        items = await checklist(conn, caller.store_id)
        newest = await store.newest_request(conn, caller.store_id)
    return Production(
        store=caller.store,
        complete=not core.missing(items),
        checklist=[_item(item) for item in items],
        request=None if newest is None else request_message(newest),
    )


async def checklist(conn: Connection, store_id: int) -> tuple[Item, ...]:
    counts = await store.counts(conn, store_id)
    return core.checklist(counts, await store.several_pushes(conn, store_id, core.LEAST_PUSHES))


async def ask(ctx: Shelfcast, caller: Caller, contact: str, remark: str | None) -> ProductionRequest:
    """Ask for the production token. Raises ConflictError with what is missing, and while a request is open."""
    _require_sandbox(caller)
    now = ctx.clock()

    async def work(conn: Connection) -> Record:
        await products.lock_store(conn, caller.store_id)
        await _refuse_open(conn, caller.store_id)
        items = await checklist(conn, caller.store_id)
        if missing := core.missing(items):
            what = " ".join(item.what for item in items if not item.done)
            raise ConflictError(f"The integration is not complete yet. Not seen so far: {what}", missing)
        await insert(conn, caller.store_id, contact, remark, items, by(caller), now)
        newest = await store.newest_request(conn, caller.store_id)
        assert newest is not None  # noqa: S101 - it was inserted just now
        told = ProductionPayload(request_id=newest["id"], store=caller.store, contact=contact, note=remark)
        await tell(conn, caller.store_id, now, Kind.PRODUCTION_REQUESTED, told)
        return newest

    return request_message(await ctx.db.write(work))


async def insert(
    conn: Connection, store_id: int, contact: str, remark: str | None, items: Sequence[Item], who: Who, now: int
) -> None:
    """An open request, with the checklist as it stands."""
    request_id = new_id()
    row = {
        "store_id": store_id,
        "id": request_id,
        "state": State.OPEN,
        "contact": contact,
        "note": remark,
        "checklist": msgspec.json.encode(items).decode(),
        "requested_at": now,
        "requested_by": who.actor,
    }
    await store.insert_request(conn, row)
    await note(conn, who, now, Action.PRODUCTION_REQUESTED, request_id, contact=contact)


async def _refuse_open(conn: Connection, store_id: int) -> None:
    newest = await store.newest_request(conn, store_id)
    if newest is None:
        return
    if newest["state"] == State.OPEN:
        since = time(newest["requested_at"])
        raise ConflictError(f"Production was asked for at {since}; the operator has not decided yet.")
    if newest["token"] is not None:
        raise ConflictError("Production is granted: fetch the token by POST /production/token.")


async def fetch(ctx: Shelfcast, caller: Caller) -> IssuedToken:
    """The token that was granted, once; raises ConflictError where there is none to fetch, or not any more."""
    _require_sandbox(caller)
    now = ctx.clock()

    async def work(conn: Connection) -> IssuedToken:
        await products.lock_store(conn, caller.store_id)
        newest = await store.newest_request(conn, caller.store_id)
        if newest is None or newest["token"] is None:
            raise ConflictError(_why_not(newest))
        token = await tenants.token_by_id(conn, caller.organisation_id, newest["token_id"])
        if token is None or not token.active(now):
            raise ConflictError("The token was revoked or has expired before it was fetched; ask for production again.")
        shown = issued_message(token, ctx.sealer.opened(newest["token"]), now)
        await store.set_request(conn, caller.store_id, newest["id"], token=None, fetched_at=now)
        await note(conn, by(caller), now, Action.PRODUCTION_FETCHED, newest["id"], token.name)
        return shown

    return await ctx.db.write(work)


def _why_not(newest: Record | None) -> str:
    if newest is None:
        return "Production was not asked for; POST /production does."
    if newest["fetched_at"] is not None:
        fetched = time(newest["fetched_at"])
        return f"The token was fetched at {fetched}, and is shown once; have it rotated if it is lost."
    if newest["state"] == State.GRANTED:
        return "The operator has the token and hands it over by another way."
    return f"The request is {newest['state']}; GET /production shows it."


def _require_sandbox(caller: Caller) -> None:
    if caller.environment != SANDBOX:
        raise ConflictError(f"Store {caller.store} is live; this is the way from a sandbox store to production.")


def _item(item: Item) -> ChecklistItem:
    return ChecklistItem(
        key=item.key,
        what=item.what,
        done=item.done,
        seen=item.seen,
        count=item.count,
        last_at=time_or_none(item.last_at),
        how=item.how,
    )


def request_message(row: Record) -> ProductionRequest:
    return ProductionRequest(
        id=row["id"],
        state=row["state"],
        contact=row["contact"],
        note=row["note"],
        requested_at=time(row["requested_at"]),
        requested_by=row["requested_by"],
        decided_at=time_or_none(row["decided_at"]),
        reason=row["reason"],
        live_store=row["live_store"],
        fetchable=row["token"] is not None,
        fetched_at=time_or_none(row["fetched_at"]),
    )
