"""Looking after webhooks: what happened, what was posted to whom, what was answered; and posting it again."""

from typing import Annotated, Any

import msgspec

from service import auditing, paging
from service.context import Shelfcast
from service.core.actions import Action
from service.core.webhooks import State as CoreState
from service.errors import ConflictError, NotFoundError
from service.ids import is_id
from service.messages import Page, Window, time, time_or_none
from service.messages.webhooks import Kind, State, WebhookAttempt, WebhookDelivery, WebhookDeliveryDetail, WebhookEvent
from service.store import deliveries, tenants
from service.store.database import Connection, Record
from service.webhooks import delivering, happenings
from service.webhooks.webhooks import Side, known

_At = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
_decode_log = msgspec.json.Decoder(list[dict[str, Any]]).decode


async def of_webhook(
    ctx: Shelfcast, side: Side, webhook_id: str, state: State | None, kind: Kind | None, window: Window
) -> Page[WebhookDelivery]:
    """Deliveries to one endpoint, the newest first. Raises NotFoundError."""
    after = paging.decode(window.cursor, tuple[paging.Id])
    async with ctx.db.read() as connection:
        await known(connection, side, webhook_id)
        rows = await deliveries.listing(
            connection, webhook_id, state, kind, after, paging.shallow(window), window.per_page + 1
        )
        total = await deliveries.count(connection, webhook_id, state, kind)
    shown = rows[: window.per_page]
    last = (shown[-1]["id"],) if len(rows) > len(shown) else None
    return paging.page(window, [WebhookDelivery(**_members(row)) for row in shown], last, total)


async def get(ctx: Shelfcast, side: Side, delivery_id: str) -> WebhookDeliveryDetail:
    """One delivery with its attempts and its body. Raises NotFoundError."""
    async with ctx.db.read() as connection:
        row = await _delivery(connection, side, delivery_id)
    return WebhookDeliveryDetail(
        **_members(row), log=[_attempt(each) for each in _decode_log(row["log"])], body=delivering.body_of(row).decode()
    )


async def redeliver(ctx: Shelfcast, side: Side, delivery_id: str) -> WebhookDelivery:
    """Post the same event to the same endpoint once more: a new delivery, under the same webhook-id.

    Raises NotFoundError; ConflictError while it is still tried, and for an endpoint that is disabled.
    """
    now = ctx.clock()

    async def work(connection: Connection) -> Record:
        row = await _delivery(connection, side, delivery_id)
        if row["state"] == CoreState.PENDING:
            raise ConflictError(f"It is still tried; the next attempt is due at {time(row['due_at'])}.")
        if row["disabled_at"] is not None:
            raise ConflictError("The webhook is disabled; enable it first.")
        fresh = happenings.fresh(row["store_id"], row["webhook_id"], row["event_id"], row["kind"], now)
        await deliveries.insert(connection, [fresh])
        endpoint = await known(connection, side, row["webhook_id"])
        if (who := side.who(endpoint)) is not None:
            await auditing.note(connection, who, now, Action.DELIVERY_REPEATED, delivery_id, endpoint["url"])
        return await _delivery(connection, side, fresh["id"])

    return WebhookDelivery(**_members(await ctx.db.write(work)))


async def events(
    ctx: Shelfcast,
    side: Side,
    store: str | None,
    kind: Kind | None,
    since: int | None,
    until: int | None,
    window: Window,
) -> Page[WebhookEvent]:
    """What happened that somebody wanted to hear of, the newest first; `until` is exclusive. Raises NotFoundError."""
    after = paging.decode(window.cursor, tuple[_At, paging.Id])
    organisation_id = side.organisation_id or 0
    async with ctx.db.read() as connection:
        store_id = side.store_id
        if store is not None:
            found = await tenants.store_of_organisation(connection, organisation_id, store)
            if found is None or side.store_id not in {None, found.id}:
                raise NotFoundError(f"There is no store {store} here.")
            store_id = found.id
        rows = await deliveries.events_of(
            connection,
            organisation_id,
            store_id,
            kind,
            (since, until),
            after,
            paging.shallow(window),
            window.per_page + 1,
        )
    shown = rows[: window.per_page]
    last = (shown[-1]["at"], shown[-1]["id"]) if len(rows) > len(shown) else None
    return paging.page(window, [_event(row) for row in shown], last, None)


async def _delivery(connection: Connection, side: Side, delivery_id: str) -> Record:
    row = await deliveries.get(connection, side.organisation_id, delivery_id) if is_id(delivery_id) else None
    if row is None or (side.store_id is not None and row["of_store"] != side.store_id):
        raise NotFoundError("There is no such delivery here.")
    return row


def _members(row: Record) -> dict[str, Any]:
    return {
        "id": row["id"],
        "webhook_id": row["webhook_id"],
        "event_id": row["event_id"],
        "kind": row["kind"],
        "store": row["store"],
        "state": row["state"],
        "attempts": row["attempts"],
        "created_at": time(row["created_at"]),
        "next_attempt_at": time(row["due_at"]) if row["state"] == CoreState.PENDING else None,
        "closed_at": time_or_none(row["closed_at"]),
        "status": row["status"],
        "error": row["error"],
    }


def _attempt(each: dict[str, Any]) -> WebhookAttempt:
    return WebhookAttempt(
        at=time(each["at"]),
        status=each["status"],
        error=each["error"],
        answer=each["answer"],
        milliseconds=each["took"],
    )


def _event(row: Record) -> WebhookEvent:
    return WebhookEvent(
        id=row["id"],
        kind=row["kind"],
        store=row["store"],
        at=time(row["at"]),
        data=msgspec.json.decode(row["data"]),
    )
