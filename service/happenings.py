"""What happened that somebody outside may want to hear of: written in the transaction that causes it.

One event for each, and one delivery of it for each endpoint that asked for its kind; nothing where nobody asked. Who
posts them is `delivering`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from service.ids import new_id
from service.store import webhooks
from service.store.database import Connection


async def tell(connection: Connection, store_id: int, now: int, kind: str, data: Mapping[str, Any]) -> None:
    """One event; see `tell_all`."""
    await tell_all(connection, store_id, now, kind, [data])


async def tell_all(
    connection: Connection, store_id: int, now: int, kind: str, happened: Sequence[Mapping[str, Any]]
) -> None:
    """Events of one kind, each with its `data` (JSON values only)."""
    if not happened:
        return
    endpoints = await webhooks.asking_for(connection, store_id, kind)
    if not endpoints:
        return
    events = [
        {"store_id": store_id, "id": new_id(), "kind": kind, "data": msgspec.json.encode(data).decode(), "at": now}
        for data in happened
    ]
    await webhooks.insert_events(connection, events)
    await webhooks.insert_deliveries(
        connection,
        [
            {
                "store_id": store_id,
                "id": new_id(),
                "webhook_id": endpoint,
                "event_id": event["id"],
                "kind": kind,
                "state": "pending",
                "created_at": now,
                "due_at": now,
            }
            for event in events
            for endpoint in endpoints
        ],
    )
