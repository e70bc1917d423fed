"""How far a batch is: its counters and phase as the API tells them, and the step to the next phase."""

from collections.abc import Iterable

from service.core import batches as core
from service.core.batches import Phase, Reach, Status
from service.core.happenings import Kind
from service.messages import ProofCounts, time, time_or_none
from service.messages import Status as StatusMessage
from service.settings import Settings
from service.store import batches, tags
from service.store.database import Connection, Record
from service.webhooks import telling


async def advance(
    connection: Connection, store_id: int, batch_ids: Iterable[str], now: int, settings: Settings
) -> None:
    """Let these batches take the step that their displays allow. Part of the transaction that moved the counters."""
    for batch_id in sorted(batch_ids):
        batch = await batches.get(connection, store_id, batch_id, lock=True)
        if batch is None or batch["status"] != Status.PROCESSING or batch["phase"] == Phase.SAVING:
            continue
        reach = await _reach(connection, batch, now - int(settings.unreachable_after * 1000))
        step = core.advance(Phase(batch["phase"]), reach, batch["verifying_at"], now, int(settings.verify_for * 1000))
        await _take(connection, batch, step, now)


async def _reach(connection: Connection, batch: Record, since: int) -> Reach:
    closed = batch["tags_confirmed"] + batch["tags_failed"] + batch["tags_superseded"]
    syncing = batch["phase"] == Phase.SYNCING
    key = (batch["store_id"], batch["id"])
    return Reach(
        total=batch["tags_total"],
        sent=batch["tags_sent"] + (await tags.closed_unsent(connection, *key) if syncing else 0),
        open=batch["tags_total"] - closed,
        waiting=syncing and await tags.any_waiting(connection, *key, since),
    )


async def _take(connection: Connection, batch: Record, step: core.Step, now: int) -> None:
    columns = {
        "status": step.status,
        "phase": step.phase,
        "progress": max(batch["progress"], step.progress),
        "verifying_at": batch["verifying_at"] or (now if step.phase is Phase.VERIFYING else None),
        "completed_at": now if step.status is Status.COMPLETED else None,
    }
    changed = {name: value for name, value in columns.items() if batch[name] != value}
    if changed:
        await batches.set_columns(connection, batch["store_id"], batch["id"], **changed)
    if step.status is Status.COMPLETED:
        await batches.drop_staged(connection, batch["store_id"], batch["id"])
        await telling.of_batch(connection, Kind.BATCH_COMPLETED, batch, now, **changed)


def status_of(batch: Record, now: int) -> Status:
    """A session past its time is expired, whether or not the reconciler has written so yet."""
    status = Status(batch["status"])
    return Status.EXPIRED if status is Status.OPEN and batch["expires_at"] <= now else status


def message(batch: Record, now: int) -> StatusMessage:
    """The batch as the API tells it."""
    status = status_of(batch, now)
    closed = batch["tags_confirmed"] + batch["tags_failed"] + batch["tags_superseded"]
    return StatusMessage(
        session_id=batch["id"],
        reference=batch["reference"],
        mode=batch["mode"],
        status=status.value,
        phase=batch["phase"] if status is Status.PROCESSING else None,
        progress=batch["progress"],
        reason=EXPIRED if status is Status.EXPIRED else batch["reason"],
        pushes=batch["pushes"],
        expected_products=batch["expected_products"],
        products_received=batch["products_received"],
        products_saved=batch["products_created"] + batch["products_updated"] + batch["products_unchanged"],
        products_created=batch["products_created"],
        products_updated=batch["products_updated"],
        products_unchanged=batch["products_unchanged"],
        products_duplicate=batch["products_duplicate"],
        products_stale=batch["products_stale"],
        products_rejected=batch["products_rejected"],
        products_archived=batch["products_archived"],
        tags_total=batch["tags_total"],
        tags_sent=batch["tags_sent"],
        tags_confirmed=batch["tags_confirmed"],
        tags_failed=batch["tags_failed"],
        tags_superseded=batch["tags_superseded"],
        tags_pending=batch["tags_total"] - closed,
        proof=ProofCounts(
            displayed=batch["proof_displayed"],
            delivered=batch["proof_delivered"],
            accepted=batch["proof_accepted"],
        ),
        started_at=time(batch["started_at"]),
        expires_at=time(batch["expires_at"]),
        processing_at=time_or_none(batch["processing_at"]),
        completed_at=time_or_none(batch["completed_at"]),
    )


EXPIRED = "Not completed in time: nothing of it was saved."
