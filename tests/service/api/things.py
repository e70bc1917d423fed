"""One of each thing that a path of the API names, in one store: what the matrix of wrong tokens reaches for."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from service import auditing, feed
from service.context import Shelfcast
from service.gateways import gateway_setup
from service.ids import new_id
from service.importing import imports
from service.messages import Window
from service.messages.products import BY_BARCODE
from service.products import catalogue
from service.products.catalogue import Named
from service.shelves import blinking, displays, floor
from service.store import webhooks as store_webhooks
from service.tenants import tokens
from service.tenants.tokens import Caller
from service.webhooks import deliveries, happenings
from service.webhooks.webhooks import Side
from tests.shop import milk, raw

ANYWHERE = "http://127.0.0.1:9"
"""Where nothing answers."""

Make = Callable[[Shelfcast, Caller], Awaitable[str]]


async def _session(ctx: Shelfcast, caller: Caller) -> str:
    return (await feed.start(ctx, caller, None, "merge", None)).session_id


async def _barcode(ctx: Shelfcast, caller: Caller) -> str:
    await feed.change(ctx, caller, "whole", [raw(milk())])
    return str(milk()["barcode"])


async def _product(ctx: Shelfcast, caller: Caller) -> str:
    barcode = await _barcode(ctx, caller)
    return (await catalogue.one(ctx, catalogue.shop_of(caller), Named(BY_BARCODE, barcode))).id


async def _display(ctx: Shelfcast, caller: Caller) -> str:
    await gateway_setup.add_to(ctx, caller.store, "ap-1", "simulator", {"url": ANYWHERE}, check=False)
    line = {"address": "SIM000001", "gateway": "ap-1", "panel": "296x128-BWR"}
    assert not (await floor.import_displays(ctx, caller.store, [(1, line)], by="test")).refused
    return "SIM000001"


async def _blink(ctx: Shelfcast, caller: Caller) -> str:
    by = displays.By(caller.store, auditing.by(caller))
    return (await blinking.ask(ctx, by, "SIM000001", 1)).blink_id


async def _store(_ctx: Shelfcast, caller: Caller) -> str:
    return caller.store


async def _token(ctx: Shelfcast, caller: Caller) -> str:
    return (await tokens.issue(ctx, caller.store, "thing")).id


async def _gateway(ctx: Shelfcast, caller: Caller) -> str:
    return (await gateway_setup.add_to(ctx, caller.store, "ap-2", "simulator", {"url": ANYWHERE}, check=False)).id


def _side(caller: Caller) -> Side:
    return Side(caller.organisation_id, caller.store_id, "test")


async def _webhook(ctx: Shelfcast, caller: Caller) -> str:
    now = ctx.clock()
    row = {
        "id": new_id(),
        "organisation_id": caller.organisation_id,
        "store_id": caller.store_id,
        "url": "https://erp.example.com/",
        "kinds": "[]",
        "secret": ctx.sealer.seal("whsec_" + "A" * 43 + "="),
        "created_at": now,
        "created_by": "test",
    }
    await ctx.db.write(store_webhooks.insert, row)
    return str(row["id"])


async def _delivery(ctx: Shelfcast, caller: Caller) -> str:
    webhook_id = await _webhook(ctx, caller)
    await ctx.db.write(happenings.tell, caller.store_id, ctx.clock(), "batch.completed", {})
    page = await deliveries.of_webhook(ctx, _side(caller), webhook_id, None, None, Window())
    return page.data[0].id


async def _import(ctx: Shelfcast, caller: Caller) -> str:
    return (await imports.start(ctx, caller, imports.Options(), "merge", None, dry=True)).id


THINGS: dict[str, Make] = {
    "importId": _import,
    "sessionId": _session,
    "barcode": _barcode,
    "product": _product,
    "display": _display,
    "blink": _blink,
    "store": _store,
    "tokenId": _token,
    "gatewayId": _gateway,
    "webhookId": _webhook,
    "deliveryId": _delivery,
}
"""Path parameter -> makes such a thing, and says what the path calls it."""


async def made(ctx: Shelfcast, caller: Caller) -> dict[str, str]:
    """Path parameter -> the thing of this store."""
    return {name: await make(ctx, caller) for name, make in THINGS.items()}


def filled(example: Any, things: dict[str, str]) -> Any:
    """An example body, with the store's own things where it names them."""
    body = msgspec.json.decode(msgspec.json.encode(example))
    if isinstance(body, dict):
        return {name: things.get(name, value) for name, value in body.items()}
    return body
