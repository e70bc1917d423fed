"""Pushes: what is claimed, what the gateway answered, and what follows for updates, displays, batches and the gateway.

A claim is a lease on the display, whatever becomes of its update: a display whose last push may still be in the air is
not sent another one, so that an older frame cannot land after a newer one. `pushed_revision` says from then on that
what the display was proven to show may no longer be what it shows.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import structlog

from display_drivers.base import DriverInfo, Outcome
from display_drivers.errors import (
    BusyError,
    DriverError,
    FrameRefusedError,
    StaleError,
    TransientError,
    UnreachableError,
)
from service.core import updates as core
from service.core.faces import Face, from_content
from service.core.template_file import TemplateError
from service.core.templates import Template
from service.core.updates import Phase, Schedule
from service.settings import Settings
from service.store import displays, gateways, tags, updates
from service.store.database import Connection, Record
from service.store.tags import Tally
from service.templates import of_faces
from service.webhooks import telling

_GATEWAY_PAUSE_MOST = 60_000
"""Milliseconds; a gateway that is back is noticed within a minute, however long it was away."""

log = structlog.get_logger()


@dataclass(frozen=True)
class At:
    """One gateway, and the worker that serves it."""

    store_id: int
    gateway_id: str
    worker: str


class Claimed(msgspec.Struct, frozen=True):
    """An update that this worker may send now.

    Attributes:
        template: What its face is drawn from, or why it cannot be.
        again: Somebody saw another face than the one proven: hardware that has this one already is to take it again.
    """

    id: str
    display_id: str
    address: str
    revision: int
    digest: str
    content: str
    template: Template | TemplateError
    again: bool = False

    @property
    def face(self) -> Face:
        """What its display should show, decoded where a fault in it costs this update only."""
        return from_content(msgspec.json.decode(self.content))


def schedule(settings: Settings, info: DriverInfo) -> Schedule:
    return Schedule(
        first=int(settings.retry_first * 1000),
        most=int(settings.retry_most * 1000),
        confirm=int(2 * info.reports_within * 1000),
    )


async def claim(connection: Connection, at: At, limit: int, now: int, until: int, leap: int = 0) -> list[Claimed]:
    """Up to `limit` due updates, their displays leased to this worker until then; none if another worker is on it.

    The gateway is kept only with a claim, so that nobody finds it taken by a worker that has nothing to send. Where the
    clock was set ahead lately, by `leap`, leases of before last that much longer.
    """
    ended = now - leap
    if not await gateways.lease(connection, at.store_id, at.gateway_id, "pusher", at.worker, ended, until):
        return []
    claimed = await _claim_due(connection, at, limit, now, until, ended)
    if not claimed:
        await gateways.release(connection, at.store_id, at.gateway_id, "pusher", at.worker)
    return claimed


async def _claim_due(connection: Connection, at: At, limit: int, now: int, until: int, ended: int) -> list[Claimed]:
    gateway = await gateways.get(connection, at.store_id, at.gateway_id)
    if gateway is None or (gateway["next_push_at"] or 0) > now:
        return []
    due = dict(await updates.due(connection, at.store_id, at.gateway_id, now, ended, limit))
    locked = {display["id"]: display for display in await displays.lock(connection, at.store_id, due)}
    found = await updates.by_id(connection, at.store_id, [due[id_] for id_ in locked])
    ready = {
        row["display_id"]: row
        for row in found.values()
        if row["phase"] == Phase.PENDING and _is_free(locked[row["display_id"]], row, ended)
    }
    first = [row for row in ready.values() if row["pushed_at"] is None]
    await updates.set_columns(
        connection, [{"store_id": at.store_id, "id": row["id"], "pushed_at": now} for row in first]
    )
    contents = await updates.contents(connection, at.store_id, [row["digest"] for row in ready.values()])
    drawn_from = await of_faces(connection, at.store_id, contents.values())
    await displays.set_columns(
        connection,
        [
            {
                "store_id": at.store_id,
                "id": id_,
                "pusher": at.worker,
                "pusher_until": until,
                "pushed_revision": max(row["revision"], locked[id_]["pushed_revision"]),
            }
            for id_, row in ready.items()
        ],
    )
    return [
        Claimed(
            id=row["id"],
            display_id=id_,
            address=locked[id_]["address"],
            revision=row["revision"],
            digest=row["digest"],
            content=contents[row["digest"]],
            template=drawn_from[contents[row["digest"]]],
            again=row["cause"] == "resend" and not row["attempts"],
        )
        for id_, row in ready.items()
    ]


def _is_free(display: Record, update: Record, ended: int) -> bool:
    """Whether nothing else may be on its way to this display. As the condition in `updates.due`.

    A lease without a pusher is that of a push whose answer never came: it may still land, so that until the lease ends
    only the same update is sent.
    """
    if (display["pusher_until"] or 0) <= ended:
        return True
    same: bool = display["pusher"] is None and display["pushed_revision"] == update["revision"]
    return same


async def renew(connection: Connection, at: At, display_ids: Sequence[str], now: int, until: int) -> None:
    """Keep a claim while its pushes are under way."""
    await gateways.lease(connection, at.store_id, at.gateway_id, "pusher", at.worker, now, until)
    mine = [d for d in await displays.lock(connection, at.store_id, display_ids) if d["pusher"] == at.worker]
    rows = [{"store_id": at.store_id, "id": display["id"], "pusher_until": until} for display in mine]
    await displays.set_columns(connection, rows)


async def record(
    connection: Connection,
    at: At,
    claimed: Sequence[Claimed],
    outcomes: Mapping[str, Outcome],
    plan: Schedule,
    now: int,
) -> list[str]:
    """Note the gateway's answers and let go of the displays; the batches whose counters moved."""
    locked = {d["id"]: d for d in await displays.lock(connection, at.store_id, [one.display_id for one in claimed])}
    found = await updates.by_id(connection, at.store_id, [one.id for one in claimed])
    nexts = {
        one.id: core.after_push(outcomes[one.id].error, found[one.id]["attempts"], now, plan)
        for one in claimed
        # An outcome counts only for an update that is still what was claimed; a newer face may have replaced it.
        if found[one.id]["phase"] == Phase.PENDING
    }
    await updates.set_columns(
        connection,
        [_outcome_row(at.store_id, found[id_], step, outcomes[id_], now) for id_, step in nexts.items()],
    )
    steps = {found[id_]["display_id"]: (found[id_], step) for id_, step in nexts.items()}
    await displays.set_columns(
        connection,
        [
            _let_go(at, locked[one.display_id], outcomes[one.id].error, steps.get(one.display_id))
            for one in claimed
            if one.display_id in locked
        ],
    )
    tally = Tally(at.store_id)
    await _note_tags(connection, at.store_id, steps, tally, now)
    await tally.apply(connection)
    return tally.batches


def _let_go(
    at: At, display: Record, error: DriverError | None, noted: tuple[Record, core.Next] | None
) -> dict[str, Any]:
    """The display after the answer: its lease ended, unless another has it or the push may still land."""
    mine = display["pusher"] == at.worker
    step = noted[1] if noted else None
    above = error.revision if isinstance(error, StaleError) else 0
    return {
        "store_id": at.store_id,
        "id": display["id"],
        "pusher": None if mine else display["pusher"],
        "pusher_until": None if mine and not _is_fate_unknown(error) else display["pusher_until"],
        "retry_at": step.retry_at if step else display["retry_at"],
        "failure": step.error if step else display["failure"],
        "failure_detail": step.detail if step else display["failure_detail"],
        "desired_revision": max(display["desired_revision"], above),
    }


def _is_fate_unknown(error: DriverError | None) -> bool:
    return isinstance(error, TransientError) and not isinstance(error, BusyError)


def _outcome_row(store_id: int, row: Record, step: core.Next, outcome: Outcome, now: int) -> dict[str, Any]:
    sent = step.phase is Phase.SENT
    return {
        "store_id": store_id,
        "id": row["id"],
        "phase": step.phase,
        "attempts": step.attempts,
        "due_at": step.due_at,
        "confirm_by": step.confirm_by,
        "error": step.error,
        "detail": step.detail,
        "mark": outcome.mark or row["mark"],
        "sent_at": now if sent else row["sent_at"],
        "closed_at": now if step.phase is Phase.FAILED else None,
    }


async def _note_tags(
    connection: Connection, store_id: int, answered: dict[str, tuple[Record, core.Next]], tally: Tally, now: int
) -> None:
    """Batches that want the face which was sent, or refused, of these displays."""
    rows = []
    for tag in await tags.of_displays(connection, store_id, answered):
        row, step = answered[tag["display_id"]]
        if tag["digest"] != row["digest"] or step.phase is Phase.PENDING:
            continue
        failed = step.phase is Phase.FAILED
        if failed and tag["state"] == "pending":
            tally.move(tag["batch_id"], "pending", "failed")
        if not failed and tag["sent_at"] is None:
            tally.add(tag["batch_id"], "tags_sent")
        rows.append(
            {
                "store_id": store_id,
                "batch_id": tag["batch_id"],
                "display_id": tag["display_id"],
                "state": "failed" if failed else tag["state"],
                "sent_at": tag["sent_at"] if failed else tag["sent_at"] or now,
                "closed_at": now if failed else tag["closed_at"],
                "reason": step.error if failed else tag["reason"],
                "detail": step.detail if failed else tag["detail"],
            }
        )
    await tags.set_columns(connection, rows)


async def repeat(connection: Connection, store_id: int, display_ids: Sequence[str], plan: Schedule, now: int) -> None:
    """Let updates whose proof is overdue be sent again."""
    await displays.lock(connection, store_id, display_ids)
    late = [
        row
        for row in (await updates.open_of(connection, store_id, display_ids)).values()
        if row["phase"] == Phase.SENT and row["confirm_by"] <= now
    ]
    steps = [(row, core.overdue(row["attempts"], now, plan)) for row in late]
    await updates.set_columns(
        connection,
        [
            {
                "store_id": store_id,
                "id": row["id"],
                "phase": step.phase,
                "due_at": step.due_at,
                "confirm_by": None,
                "error": step.error,
                "detail": step.detail,
            }
            for row, step in steps
        ],
    )


def silence(outcomes: Iterable[Outcome]) -> str | None:
    """How the gateway did not answer, if it answered nothing; a face that was refused undrawn is no answer of its."""
    errors = [outcome.error for outcome in outcomes if not isinstance(outcome.error, FrameRefusedError)]
    silent = [error.detail for error in errors if isinstance(error, UnreachableError)]
    return silent[0] if silent and len(silent) == len(errors) else None


async def note_reach(connection: Connection, at: At, away: str | None, settings: Settings, now: int) -> None:
    """Whether the gateway answered (`away` None) or how it did not; logged when it goes, and when it returns.

    That one in maintenance does not answer is no news. Webhooks are told of it once it has been away for as long as
    no batch waits for it, and then of its return.
    """
    gateway = await gateways.get(connection, at.store_id, at.gateway_id)
    if gateway is None or (away is not None and gateway["maintenance_since"] is not None):
        return
    since: int | None = gateway["unreachable_since"]
    columns: dict[str, Any]
    if away is None:
        if since is not None:
            log.info("gateway_back", gateway=gateway["name"], away_seconds=(now - since) // 1000)
            if gateway["offline_told_at"] is not None:
                await telling.of_gateway_online(connection, gateway, since, now)
        columns = {"unreachable_since": None, "error": None, "reached_at": now, "next_push_at": None}
        columns["offline_told_at"] = None
    else:
        if since is None:
            log.warning("gateway_unreachable", gateway=gateway["name"], error=away)
        pause = max(int(settings.retry_first * 1000), (now - (since or now)) // 2)
        following = now + min(_GATEWAY_PAUSE_MOST, pause)
        columns = {"unreachable_since": since or now, "error": away, "next_push_at": following}
        if since is not None and _is_news(gateway, since + int(settings.unreachable_after * 1000), now):
            await telling.of_gateway_offline(connection, gateway, since, away, now)
            columns["offline_told_at"] = now
    await gateways.set_columns(connection, at.store_id, at.gateway_id, **columns)


def _is_news(gateway: Record, told_from: int, now: int) -> bool:
    """Whether that a gateway does not answer is to be told now, and was not told before."""
    return now >= told_from and gateway["offline_told_at"] is None
