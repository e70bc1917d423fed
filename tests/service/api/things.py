"""One of each thing that a path of the API names, in one store: what the matrix of wrong tokens reaches for."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from service import feed, floor, imports, stores
from service.context import Shelfcast
from service.tokens import Caller
from tests.shop import milk, raw

Make = Callable[[Shelfcast, Caller], Awaitable[str]]


async def _session(ctx: Shelfcast, caller: Caller) -> str:
    return (await feed.start(ctx, caller, None, "merge", None)).session_id


async def _barcode(ctx: Shelfcast, caller: Caller) -> str:
    await feed.change(ctx, caller, "whole", [raw(milk())])
    return str(milk()["barcode"])


async def _display(ctx: Shelfcast, caller: Caller) -> str:
    await stores.add_gateway(ctx, caller.store, "ap-1", "simulator", {"url": "http://127.0.0.1:9"}, check=False)
    line = {"address": "SIM000001", "gateway": "ap-1", "panel": "296x128-BWR"}
    assert not (await floor.import_displays(ctx, caller.store, [(1, line)], by="test")).refused
    return "SIM000001"


async def _import(ctx: Shelfcast, caller: Caller) -> str:
    return (await imports.start(ctx, caller, imports.Options(), "merge", None, dry=True)).id


THINGS: dict[str, Make] = {"importId": _import, "sessionId": _session, "barcode": _barcode, "display": _display}
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
