"""The story of the workers, verb by verb: save what was pushed, send what is due, ask for proof, reconcile.

Each verb reads what is to be done from the database, works in transactions short enough to be repeated, and rings only
after a commit. How each part is done is told by the modules that it calls.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import structlog

from display_drivers.base import Outcome, Report
from display_drivers.errors import DriverError, UnreachableError
from service import planning, progress, proof, pushing, redrawing, retention, saving, sending
from service.batch_saving import LostLeaseError, Saver, count_failure
from service.context import Shelfcast
from service.core import updates as core
from service.core.batches import Phase, Status
from service.importing import file_keeping
from service.proof import Gathering
from service.pushing import Line
from service.sending import At, Claimed
from service.shelves import blinking
from service.store import batches, clocks, displays, gateways, products, updates
from service.store.database import UNAVAILABLE, Connection
from service.webhooks import delivering, overdue

_CHUNK = 1000
_MOST_CHUNKS = 50

log = structlog.get_logger()


async def save_due(ctx: Shelfcast, store_id: int, worker: str, until: int) -> bool:
    """Save the completed batches of one store, one after the other, unless another worker does; True: time ran out."""
    saver = Saver(ctx, store_id, worker, until)
    finished = True
    try:
        while finished and (batch_id := await _take_turn(ctx, store_id, worker)) is not None:
            with structlog.contextvars.bound_contextvars(batch_id=batch_id):
                finished = await _save_or_give_up(ctx, saver, batch_id)
    except LostLeaseError:
        log.info("saver_lost_lease", store_id=store_id)
    await ctx.db.write(batches.release_saver, store_id, worker)
    return not finished


async def _take_turn(ctx: Shelfcast, store_id: int, worker: str) -> str | None:
    now = ctx.clock()
    until = now + int(ctx.settings.lease * 1000)

    async def work(connection: Connection) -> str | None:
        if not await batches.lease_saver(connection, store_id, worker, now, until):
            return None
        return await batches.to_save(connection, store_id)

    return await ctx.db.write(work)


async def _save_or_give_up(ctx: Shelfcast, saver: Saver, batch_id: str) -> bool:
    try:
        return await saver.save(batch_id)
    except (LostLeaseError, *UNAVAILABLE):
        raise
    except Exception as error:
        log.exception("batch_saving_failed")
        await ctx.db.write(count_failure, saver.store_id, batch_id, type(error).__name__, ctx.clock())
        raise


async def send_due(ctx: Shelfcast, line: Line) -> bool:
    """Send one claim of this gateway's due updates; False if there was nothing to send, or another worker does it."""
    info = line.driver.info
    now = ctx.clock()
    until = now + int(ctx.settings.lease * 1000)
    limit = min(_CHUNK, info.max_batch * info.max_in_flight)
    claimed = await ctx.db.write(sending.claim, line.at, limit, now, until, ctx.leaps.lately(now))
    if not claimed:
        return False
    async with _kept(ctx, line, claimed):
        outcomes = await pushing.push(line, claimed)
    await _record_outcomes(ctx, line, claimed, outcomes)
    return True


@contextlib.asynccontextmanager
async def _kept(ctx: Shelfcast, line: Line, claimed: Sequence[Claimed]) -> AsyncIterator[None]:
    """Renew the claim for as long as its pushes take."""
    lease = ctx.settings.lease

    ids = [one.display_id for one in claimed]

    async def heart() -> None:
        while True:
            await asyncio.sleep(lease / 3)
            now = ctx.clock()
            with contextlib.suppress(*UNAVAILABLE):  # the next beat may still be in time
                await ctx.db.write(sending.renew, line.at, ids, now, now + int(lease * 1000))

    beat = asyncio.create_task(heart())
    try:
        yield
    finally:
        beat.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await beat


async def _record_outcomes(
    ctx: Shelfcast, line: Line, claimed: Sequence[Claimed], outcomes: dict[str, Outcome]
) -> None:
    now = ctx.clock()
    plan = sending.schedule(ctx.settings, line.driver.info)
    away = sending.silence(outcomes.values())

    async def work(connection: Connection) -> None:
        # The gateway's row before its displays', as a claim takes them: two orders would be a deadlock.
        await sending.note_reach(connection, line.at, away, ctx.settings, now)
        touched = await sending.record(connection, line.at, claimed, outcomes, plan, now)
        await progress.advance(connection, line.at.store_id, touched, now, ctx.settings)

    await ctx.db.write(work)
    if away is None:
        await ctx.bell.ring_poll(line.at.store_id, line.at.gateway_id, ctx.settings.poll_every)


async def ask(ctx: Shelfcast, line: Line, *, audit: bool = False) -> None:
    """Poll a gateway for proof: of its displays with an open update, or of all of them for an audit.

    Whoever moves the gateway's next time first is the one who asks.
    """
    if not await ctx.db.write(_take_question, ctx, line.at, audit=audit):
        return
    after = ""
    while True:
        async with ctx.db.read() as connection:
            some = await displays.addresses(
                connection, line.at.store_id, line.at.gateway_id, after, line.driver.info.max_batch, unproven=not audit
            )
        if not some:
            break
        asked_at = ctx.clock()
        try:
            reports = await asyncio.wait_for(
                line.driver.poll([address for _, address in some]), line.driver.info.send_timeout
            )
        except (DriverError, TimeoutError) as error:
            await _note_silence(ctx, line.at, error)
            return
        await hear(ctx, line, reports, asked_at)
        after = some[-1][0]
    if after and not audit:
        await ctx.bell.ring_poll(line.at.store_id, line.at.gateway_id, ctx.settings.poll_every)


async def _note_silence(ctx: Shelfcast, at: At, error: Exception) -> None:
    """A poll failed. Only a gateway that does not answer at all counts as away."""
    log.debug("poll_failed", gateway_id=at.gateway_id, error=repr(error))
    if isinstance(error, UnreachableError | TimeoutError):
        await ctx.db.write(
            sending.note_reach, at, str(error) or "No answer to a poll in time.", ctx.settings, ctx.clock()
        )


async def _take_question(connection: Connection, ctx: Shelfcast, at: At, *, audit: bool) -> bool:
    every = ctx.settings.audit_every if audit else ctx.settings.poll_every
    column = "next_audit_at" if audit else "next_poll_at"
    now = ctx.clock()
    return await gateways.take_turn(connection, at.store_id, at.gateway_id, column, now, now + int(every * 1000))


async def hear(ctx: Shelfcast, line: Line, reports: Sequence[Report], asked_at: int | None = None) -> None:
    """Record reports: answers, or what the gateway said by itself (`asked_at` None)."""
    now = ctx.clock()
    heard = Gathering(line.at.store_id, line.at.gateway_id, line.driver.info.proof, reports, asked_at, now)

    async def work(connection: Connection) -> None:
        await sending.note_reach(connection, line.at, None, ctx.settings, now)
        proven = await proof.record(connection, heard)
        await progress.advance(connection, heard.store_id, proven.batches, now, ctx.settings)

    await ctx.db.write(work)


async def reconcile(ctx: Shelfcast) -> None:
    """Find whatever is due that nobody was rung for, was lost, or has drifted, and set it going again."""
    now = ctx.clock()
    for step in _ROUND:
        await step(ctx, now)
    await _ring_all(ctx, now)


async def _heed_clock(ctx: Shelfcast, now: int) -> None:
    ctx.leaps.lately(now)
    back = await ctx.db.write(clocks.heed, now, int(ctx.settings.lease * 1000))
    if back:
        log.warning("clock_was_turned_back", seconds=back // 1000)


async def _expire_sessions(ctx: Shelfcast, now: int) -> None:
    async with ctx.db.read() as connection:
        lapsed = await batches.lapsed(connection, now)
    for store_id, batch_id in lapsed:
        await ctx.db.write(_expire, store_id, batch_id, now)


async def _expire(connection: Connection, store_id: int, batch_id: str, now: int) -> None:
    batch = await batches.get(connection, store_id, batch_id, lock=True)
    if batch is not None and batch["status"] == Status.OPEN and batch["expires_at"] <= now:
        await batches.set_columns(
            connection, store_id, batch_id, status=Status.EXPIRED, completed_at=now, reason=progress.EXPIRED
        )
        await batches.drop_staged(connection, store_id, batch_id)


async def _turn_clock(ctx: Shelfcast, now: int) -> None:
    """Sales start and end by themselves."""

    async def turn(connection: Connection, store_id: int, barcodes: Sequence[str]) -> None:
        store = await products.lock_store(connection, store_id)
        turned = await saving.turn_clock(connection, store, barcodes, now)
        affected = await displays.of_barcodes(connection, store_id, turned)
        await planning.plan_displays(connection, store_id, affected, now, "clock")

    await _in_chunks(ctx, products.changing, turn, now)


async def _repeat_overdue(ctx: Shelfcast, now: int) -> None:
    """Updates that were accepted and never proven are sent again."""
    plan = core.Schedule(int(ctx.settings.retry_first * 1000), int(ctx.settings.retry_most * 1000), 0)

    async def repeat(connection: Connection, store_id: int, display_ids: Sequence[str]) -> None:
        await sending.repeat(connection, store_id, display_ids, plan, now)

    await _in_chunks(ctx, updates.overdue, repeat, now)


async def _drive_stranded(ctx: Shelfcast, now: int) -> None:
    """Displays that are wrong with nothing on its way: after a failure, or because they drifted."""

    async def drive(connection: Connection, store_id: int, display_ids: Sequence[str]) -> None:
        await planning.redrive(connection, store_id, display_ids, now, "reconcile")

    await _in_chunks(ctx, displays.stranded, drive, now)


Find = Callable[[Connection, int, int], Awaitable[dict[int, list[str]]]]
Mend = Callable[[Connection, int, Sequence[str]], Awaitable[None]]


async def _in_chunks(ctx: Shelfcast, find: Find, mend: Mend, now: int) -> None:
    """Mend what is found, store by store, until nothing more is found or the next round may as well go on."""
    for _ in range(_MOST_CHUNKS):
        async with ctx.db.read() as connection:
            found = await find(connection, now, _CHUNK)
        for store_id, keys in found.items():
            await _contained(ctx, mend, store_id, keys)
        if sum(len(keys) for keys in found.values()) < _CHUNK:
            return


async def _contained(ctx: Shelfcast, mend: Mend, store_id: int, keys: Sequence[str]) -> None:
    """What cannot be mended in one store holds up neither the others nor the steps that follow."""
    try:
        await ctx.db.write(mend, store_id, keys)
    except UNAVAILABLE:
        raise
    except Exception:
        log.exception("not_reconciled", store_id=store_id)


async def _advance_batches(ctx: Shelfcast, now: int) -> None:
    async with ctx.db.read() as connection:
        under_way = await batches.in_phase(connection, Phase.SYNCING, Phase.VERIFYING)
    for store_id, batch_id in under_way:
        await ctx.db.write(progress.advance, store_id, [batch_id], now, ctx.settings)


_ROUND = (
    _heed_clock, _expire_sessions, file_keeping.go_on, _turn_clock, redrawing.go_on, _repeat_overdue, _drive_stranded,
    _advance_batches, blinking.ring_due, overdue.tell, retention.let_go, delivering.forget_old,
)  # fmt: skip


async def _ring_all(ctx: Shelfcast, now: int) -> None:
    async with ctx.db.read() as connection:
        to_save = await batches.stores_to_save(connection)
        to_push = await gateways.with_due(connection, now)
        to_poll = await gateways.to_poll(connection, now)
        to_audit = await gateways.to_audit(connection, now)
    for store_id in to_save:
        await ctx.bell.ring_saver(store_id)
    await ctx.bell.ring_gateways(to_push)
    for gateway in to_poll:
        await ctx.bell.ring_poll(*gateway)
    for gateway in to_audit:
        await ctx.bell.ring_poll(*gateway, audit=True)
