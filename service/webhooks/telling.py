"""What happens, put into words for webhooks: one function for each cause, called in the transaction that causes it.

Each asks first whether anybody wants to hear of it, so that it costs one small statement where nobody does.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from display_drivers.base import Proof
from service.core.happenings import (
    BATTERY_LOW,
    MOST_DISPLAYS,
    MOST_ROWS,
    BatchPayload,
    BatteryPayload,
    ConfirmedDisplay,
    ConfirmedPayload,
    Kind,
    OfflinePayload,
    OnlinePayload,
    OverdueDisplay,
    OverduePayload,
    RefusedRow,
    RejectedPayload,
    WeakDisplay,
)
from service.core.product import Problem
from service.messages import time, time_or_none
from service.reasons import word_of
from service.store import batches
from service.store.database import Connection, Record
from service.store.statements import chunks
from service.webhooks import happenings

Batch = Record | Mapping[str, Any]


async def of_batch(connection: Connection, kind: Kind, batch: Record, now: int, **changed: Any) -> None:
    """A batch is completed, held or failed; `changed`: what this transaction made of it since it was read."""
    if heard_by := await happenings.ears(connection, batch["store_id"], kind):
        payload = _batch({**batch, **changed})
        await happenings.write(connection, batch["store_id"], now, kind, [payload], heard_by)


def _batch(batch: Batch) -> BatchPayload:
    closed = batch["tags_confirmed"] + batch["tags_failed"] + batch["tags_superseded"]
    return BatchPayload(
        session_id=batch["id"],
        reference=batch["reference"],
        mode=batch["mode"],
        status=batch["status"],
        reason=batch["reason"],
        products_received=batch["products_received"],
        products_saved=batch["products_created"] + batch["products_updated"] + batch["products_unchanged"],
        products_rejected=batch["products_rejected"],
        products_archived=batch["products_archived"],
        tags_total=batch["tags_total"],
        tags_confirmed=batch["tags_confirmed"],
        tags_failed=batch["tags_failed"],
        tags_superseded=batch["tags_superseded"],
        tags_pending=batch["tags_total"] - closed,
        started_at=time(batch["started_at"]),
        completed_at=time_or_none(batch["completed_at"]),
    )


async def of_refused_rows(
    connection: Connection, store_id: int, source: str, received: int, problems: Sequence[Problem], now: int
) -> None:
    """Rows of an /add or a /productUpdate (`source`: add or update) were refused."""
    if problems and (heard_by := await happenings.ears(connection, store_id, Kind.PRODUCT_REJECTED)):
        payload = RejectedPayload(
            source=source,
            session_id=None,
            reference=None,
            received=received,
            rejected=len({problem.index for problem in problems}),
            rows=[
                RefusedRow(
                    push=None,
                    index=one.index,
                    barcode=one.barcode,
                    field=one.field,
                    code=one.code,
                    detail=one.detail,
                )
                for one in problems[:MOST_ROWS]
            ],
        )
        await happenings.write(connection, store_id, now, Kind.PRODUCT_REJECTED, [payload], heard_by)


async def of_refused_rows_of_batch(connection: Connection, batch: Record, now: int) -> None:
    """Once a batch is saved: all of its rows that were refused, by a push or while saving."""
    store_id = batch["store_id"]
    if not batch["products_rejected"]:
        return
    if heard_by := await happenings.ears(connection, store_id, Kind.PRODUCT_REJECTED):
        first = await batches.errors(connection, store_id, batch["id"], None, 0, MOST_ROWS)
        payload = RejectedPayload(
            source="batch",
            session_id=batch["id"],
            reference=batch["reference"],
            received=batch["products_received"],
            rejected=batch["products_rejected"],
            rows=[
                RefusedRow(
                    push=row["push"],
                    index=row["row"],
                    barcode=row["barcode"],
                    field=row["field"],
                    code=row["code"],
                    detail=row["detail"],
                )
                for row in first
            ],
        )
        await happenings.write(connection, store_id, now, Kind.PRODUCT_REJECTED, [payload], heard_by)


async def of_proof(
    connection: Connection, store_id: int, gateway_id: str, proven: Sequence[tuple[Record, str, Proof]], now: int
) -> None:
    """Displays of a gateway were proven to show a new face: (display, digest, level of the proof)."""
    if proven and (heard_by := await happenings.ears(connection, store_id, Kind.DISPLAY_CONFIRMED)):
        shown = [
            ConfirmedDisplay(display_id=display["id"], address=display["address"], shows=digest, proof=word_of(level))
            for display, digest, level in proven
        ]
        happened = [
            ConfirmedPayload(gateway_id=gateway_id, confirmed_at=time(now), displays=some)
            for some in chunks(shown, MOST_DISPLAYS)
        ]
        await happenings.write(connection, store_id, now, Kind.DISPLAY_CONFIRMED, happened, heard_by)


async def of_batteries(
    connection: Connection,
    store_id: int,
    gateway_id: str,
    before: Mapping[str, Record],
    after: Iterable[Mapping[str, Any]],
    now: int,
) -> None:
    """Displays, as they were and as a gateway reports them (id, battery); told of those whose battery became low."""
    weak = [
        WeakDisplay(display_id=row["id"], address=before[row["id"]]["address"], battery=row["battery"])
        for row in after
        if _is_low(row["battery"]) and not _is_low(before[row["id"]]["battery"])
    ]
    if weak and (heard_by := await happenings.ears(connection, store_id, Kind.DISPLAY_BATTERY_LOW)):
        happened = [BatteryPayload(gateway_id=gateway_id, displays=some) for some in chunks(weak, MOST_DISPLAYS)]
        await happenings.write(connection, store_id, now, Kind.DISPLAY_BATTERY_LOW, happened, heard_by)


def _is_low(battery: int | None) -> bool:
    return battery is not None and battery < BATTERY_LOW


async def of_gateway_offline(connection: Connection, gateway: Record, since: int, error: str, now: int) -> None:
    payload = OfflinePayload(
        gateway_id=gateway["id"],
        gateway=gateway["name"],
        driver=gateway["driver"],
        since=time(since),
        error=error,
    )
    await happenings.tell(connection, gateway["store_id"], now, Kind.GATEWAY_OFFLINE, payload)


async def of_gateway_online(connection: Connection, gateway: Record, since: int, now: int) -> None:
    payload = OnlinePayload(
        gateway_id=gateway["id"],
        gateway=gateway["name"],
        driver=gateway["driver"],
        since=time(since),
        away_seconds=(now - since) // 1000,
    )
    await happenings.tell(connection, gateway["store_id"], now, Kind.GATEWAY_ONLINE, payload)


async def of_overdue(connection: Connection, store_id: int, rows: Sequence[Record], now: int) -> None:
    """Displays that do not show their face, as `store.overdue` finds them."""
    late = [
        OverdueDisplay(
            display_id=row["id"],
            address=row["address"],
            gateway_id=row["gateway_id"],
            wants=row["desired_digest"],
            since=time(row["desired_at"]),
            attempts=row["attempts"] or 0,
            reason=row["error"] or row["failure"],
        )
        for row in rows
    ]
    happened = [OverduePayload(displays=some) for some in chunks(late, MOST_DISPLAYS)]
    await happenings.tell_all(connection, store_id, now, Kind.DISPLAY_OVERDUE, happened)
