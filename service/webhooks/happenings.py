"""What happened that somebody outside may want to hear of: written in the transaction that causes it.

One event for each, and one delivery of it for each endpoint that asked for its kind; nothing where nobody asked. Who
posts them is `delivering`; what each kind says is told by `telling`.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from service.core.webhooks import State, recipients
from service.ids import new_id
from service.store import deliveries, webhooks
from service.store.database import Connection

_encode = msgspec.json.Encoder().encode


class Ears(NamedTuple):
    """Who wants to hear of one kind of event in one store; false where nobody does."""

    organisation_id: int
    webhook_ids: list[str]

    def __bool__(self) -> bool:
        return bool(self.webhook_ids)


async def ears(connection: Connection, store_id: int, kind: str) -> Ears:
    """One statement; to be asked before anything is made ready to be told."""
    organisation_id, endpoints = await webhooks.near(connection, store_id)
    return Ears(organisation_id, recipients(endpoints, kind, organisation_id, store_id))


async def tell(connection: Connection, store_id: int, now: int, kind: str, data: Any) -> None:
    """One event; see `tell_all`."""
    await tell_all(connection, store_id, now, kind, [data])


async def tell_all(connection: Connection, store_id: int, now: int, kind: str, happened: Sequence[Any]) -> None:
    """Events of one kind, each with its `data`: a Payload of `core.happenings`, or its like as a mapping."""
    if happened and (heard_by := await ears(connection, store_id, kind)):
        await write(connection, store_id, now, kind, happened, heard_by)


async def write(
    connection: Connection, store_id: int, now: int, kind: str, happened: Sequence[Any], heard_by: Ears
) -> None:
    """The same for those whose ears are known."""
    events: list[dict[str, Any]] = [
        {
            "store_id": store_id,
            "id": new_id(),
            "organisation_id": heard_by.organisation_id,
            "kind": kind,
            "data": _encode(data).decode(),
            "at": now,
        }
        for data in happened
    ]
    await deliveries.insert_events(connection, events)
    await deliveries.insert(
        connection,
        [
            fresh(store_id, webhook_id, event["id"], kind, now)
            for event in events
            for webhook_id in heard_by.webhook_ids
        ],
    )


def fresh(store_id: int, webhook_id: str, event_id: str, kind: str, now: int) -> dict[str, Any]:
    """A delivery that is due at once."""
    return {
        "store_id": store_id,
        "id": new_id(),
        "webhook_id": webhook_id,
        "event_id": event_id,
        "kind": kind,
        "state": State.PENDING,
        "created_at": now,
        "due_at": now,
    }
