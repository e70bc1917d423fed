"""Webhooks in tests: an endpoint of a store, and what was told of to whom."""

from typing import Any

import msgspec
from sqlalchemy import select

from service.context import Shelfcast
from service.ids import new_id
from service.store import chain_tables, tenants, webhooks
from service.webhooks.webhooks import Side

NOWHERE = "https://nowhere.example/"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="
LOCAL = ("127.0.0.0/8",)
"""Networks that tests post to."""


async def side(ctx: Shelfcast, store: str = "shop") -> Side:
    """Whoever may do everything in the chain of this store."""
    async with ctx.db.read() as connection:
        found = await tenants.find_store(connection, store)
    assert found is not None
    return Side(found.organisation_id, None, "test")


async def subscribed(
    ctx: Shelfcast, *kinds: str, url: str = NOWHERE, store: str | None = None, operator: bool = False, **more: Any
) -> str:
    """An endpoint, made without asking whether it is there; its id."""
    async with ctx.db.read() as connection:
        found = await tenants.find_store(connection, store or "shop")
    assert found is not None
    row = {
        "id": new_id(),
        "organisation_id": None if operator else found.organisation_id,
        "store_id": found.id if store and not operator else None,
        "url": url,
        "kinds": msgspec.json.encode(kinds).decode(),
        "secret": ctx.sealer.seal(SECRET),
        "created_at": ctx.clock(),
        "created_by": "test",
        **more,
    }
    await ctx.db.write(webhooks.insert, row)
    return str(row["id"])


async def rows(ctx: Shelfcast, table: Any) -> list[dict[str, Any]]:
    async with ctx.db.read() as connection:
        return [dict(row) for row in (await connection.execute(select(table).order_by(table.c.id))).mappings()]


async def told(ctx: Shelfcast, kind: str | None = None) -> list[Any]:
    """The data of all events, or of those of a kind, in the order in which they happened."""
    events = await rows(ctx, chain_tables.events)
    return [msgspec.json.decode(event["data"]) for event in events if kind in {None, event["kind"]}]


async def delivery(ctx: Shelfcast) -> dict[str, Any]:
    """The only one there is."""
    [only] = await rows(ctx, chain_tables.deliveries)
    return only
