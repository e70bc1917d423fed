"""Posting what happened to those who asked: claimed under a lease, posted outside of any transaction, written down.

The database is the queue. Whoever is killed in between leaves a lease that ends by itself, and somebody posts it again
under the same id: every webhook arrives at least once, in no promised order. One endpoint holds up no other: so many
posts to it are under way at once, over all workers, and one that does not even answer is left alone for a while.
"""

import asyncio
import random
from collections.abc import Sequence
from typing import Any

import msgspec
import structlog

from service import auditing
from service.auditing import Who
from service.context import Shelfcast
from service.core import happenings
from service.core.actions import Action
from service.core.webhooks import Answer, Schedule, State, Verdict, judge
from service.errors import ServiceError
from service.messages import time
from service.settings import Settings
from service.store import deliveries, webhooks
from service.store.database import Connection, Record
from service.webhooks.posting import Poster, signed
from service.webhooks.webhooks import signing

AT_ONCE = 8
"""Posts to one endpoint that are under way at once."""
_PAUSE_MOST = 60_000
"""Milliseconds; an endpoint that is back is noticed within a minute, however long it was away."""
_FORGET_AT_ONCE = 1000
_FORGET_TURNS = 10
_DAY = 86_400_000

log = structlog.get_logger()


class Claimed(msgspec.Struct, frozen=True):
    """A delivery that this worker may post now. `secrets`: sealed, the newest first."""

    store_id: int
    id: str
    event_id: str
    attempts: int
    created_at: int
    log: str
    body: bytes
    url: str
    secrets: tuple[str, ...]


async def due(ctx: Shelfcast) -> list[str]:
    """Endpoints that something may be posted to now."""
    async with ctx.db.glance() as connection:
        return await deliveries.endpoints_due(connection, ctx.clock())


async def serve(ctx: Shelfcast, poster: Poster, webhook_id: str, worker: str) -> bool:
    """Post some of what is due to one endpoint; False if nothing was, or others are at it already."""
    now = ctx.clock()
    # As long as the posts take at most, since nobody renews it, and some time to write down what came of them.
    until = now + int((ctx.settings.webhook_timeout + ctx.settings.lease) * 1000)
    claimed = await ctx.db.write(claim, webhook_id, worker, now, until)
    if not claimed:
        return False
    answers = await asyncio.gather(*(post(ctx, poster, one) for one in claimed))
    await ctx.db.write(record, ctx.settings, webhook_id, worker, claimed, answers, ctx.clock())
    return True


async def claim(connection: Connection, webhook_id: str, worker: str, now: int, until: int) -> list[Claimed]:
    """What is due to an endpoint, as far as there is room for it, leased to this worker until then."""
    endpoint = await webhooks.lock(connection, webhook_id)
    if endpoint is None or endpoint["disabled_at"] is not None or (endpoint["paused_until"] or 0) > now:
        return []
    # An endpoint that nothing is delivered to is tried with one at a time.
    most = AT_ONCE if endpoint["failing_since"] is None else 1
    room = most - await deliveries.in_flight(connection, webhook_id, now)
    rows = await deliveries.due(connection, webhook_id, now, room) if room > 0 else []
    leases = [{"store_id": row["store_id"], "id": row["id"], "worker": worker, "lease_until": until} for row in rows]
    await deliveries.set_columns(connection, leases)
    return [_claimed(endpoint, row, now) for row in rows]


def _claimed(endpoint: Record, row: Record, now: int) -> Claimed:
    return Claimed(
        store_id=row["store_id"],
        id=row["id"],
        event_id=row["event_id"],
        attempts=row["attempts"],
        created_at=row["created_at"],
        log=row["log"],
        body=body_of(row),
        url=endpoint["url"],
        secrets=signing(endpoint, now),
    )


def body_of(row: Record) -> bytes:
    """What is posted of an event, the same every time."""
    return happenings.body(row["kind"], time(row["at"]), row["store"], msgspec.Raw(row["data"].encode()))


async def post(ctx: Shelfcast, poster: Poster, one: Claimed) -> Answer:
    """One attempt."""
    try:
        secrets = [ctx.sealer.opened(secret) for secret in one.secrets]
    except ServiceError as error:
        return Answer(None, error=error.detail)
    return await poster.post(one.url, signed(secrets, one.event_id, ctx.clock(), one.body), one.body)


async def record(
    connection: Connection,
    settings: Settings,
    webhook_id: str,
    worker: str,
    claimed: Sequence[Claimed],
    answers: Sequence[Answer],
    now: int,
) -> None:
    """Write down what came of some posts, unless another worker took them over meanwhile."""
    endpoint = await webhooks.lock(connection, webhook_id)
    mine = await deliveries.held_by(connection, [(one.store_id, one.id) for one in claimed], worker)
    plan = schedule(settings)
    known = [
        (one, answer, judge(answer, one.attempts + 1, now, one.created_at + plan.day, plan, random.random()))  # noqa: S311 - no secret
        for one, answer in zip(claimed, answers, strict=True)
        if one.id in mine
    ]
    await deliveries.set_columns(connection, [_outcome(*each, now) for each in known])
    if endpoint is not None and known:
        await _note_health(connection, settings, endpoint, [(answer, verdict) for _, answer, verdict in known], now)


def schedule(settings: Settings) -> Schedule:
    return Schedule(
        first=int(settings.webhook_retry_first * 1000),
        most=int(settings.webhook_retry_most * 1000),
        day=int(settings.webhook_retry_for * 1000),
    )


def _outcome(one: Claimed, answer: Answer, verdict: Verdict, now: int) -> dict[str, Any]:
    attempts = msgspec.json.decode(one.log, type=list[dict[str, Any]])
    attempts.append(
        {"at": now, "status": answer.status, "error": verdict.detail, "answer": answer.body, "took": answer.took}
    )
    return {
        "store_id": one.store_id,
        "id": one.id,
        "state": verdict.state,
        "attempts": one.attempts + 1,
        "due_at": verdict.due_at or now,
        "worker": None,
        "lease_until": None,
        "closed_at": None if verdict.state is State.PENDING else now,
        "status": answer.status,
        "error": verdict.detail,
        "log": msgspec.json.encode(attempts).decode(),
    }


async def _note_health(
    connection: Connection, settings: Settings, endpoint: Record, came: Sequence[tuple[Answer, Verdict]], now: int
) -> None:
    """Whether the endpoint answers; one that asks for no more, or fails for days, is disabled."""
    if any(verdict.gone for _, verdict in came):
        await disable(connection, endpoint, "It answered 410: it wants no more webhooks.", now)
        return
    if any(verdict.state is State.DELIVERED for _, verdict in came):
        if endpoint["failing_since"] is not None:
            await webhooks.set_columns(connection, endpoint["id"], failing_since=None, paused_until=None)
        return
    since = endpoint["failing_since"] or now
    if now - since >= settings.webhook_disable_after * 1000:
        last = came[-1][0].detail
        await disable(connection, endpoint, f"Nothing was delivered for {_span(now - since)}. {last}", now)
        return
    silent = all(answer.status is None for answer, _ in came)
    pause = min(_PAUSE_MOST, max(int(settings.webhook_retry_first * 1000), (now - since) // 2))
    paused = now + pause if silent else None
    await webhooks.set_columns(connection, endpoint["id"], failing_since=since, paused_until=paused)


def _span(milliseconds: int) -> str:
    days = milliseconds // _DAY
    return f"{days} days" if days > 1 else f"{milliseconds // 3_600_000} hours"


async def disable(connection: Connection, endpoint: Record, reason: str, now: int) -> None:
    """Post nothing more to an endpoint, on the service's own decision; what is pending waits until it is enabled."""
    if endpoint["disabled_at"] is not None:
        return
    log.warning("webhook_disabled", webhook_id=endpoint["id"], reason=reason)
    await webhooks.set_columns(connection, endpoint["id"], disabled_at=now, disabled_reason=reason)
    if endpoint["organisation_id"] is not None:
        who = Who(endpoint["organisation_id"], endpoint["store_id"], "shelfcast")
        await auditing.note(
            connection, who, now, Action.WEBHOOK_DISABLED, endpoint["id"], endpoint["url"], reason=reason
        )


async def forget_old(ctx: Shelfcast, now: int) -> None:
    """One step of the reconciler's round: drop what is older than it is to be kept."""
    before = now - int(ctx.settings.webhook_keep_for * 1000)
    for _ in range(_FORGET_TURNS):
        if not await ctx.db.write(deliveries.forget, before, _FORGET_AT_ONCE):
            return
