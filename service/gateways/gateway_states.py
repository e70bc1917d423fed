"""Gateways as they are shown: whether they answer, what is on them, how much of them is used."""

from typing import Annotated, Any

import msgspec

from display_drivers.base import DriverInfo
from service import paging, reasons
from service.context import Shelfcast
from service.gateways import gateway_settings, gateway_setup
from service.messages import Page, Window, time, time_or_none
from service.messages.gateways import (
    Capacity,
    Gateway,
    GatewayDisplays,
    GatewayStatus,
    GatewayUpdates,
    Hardware,
    Maintenance,
)
from service.store import gateway_lists
from service.store.database import Record
from service.store.gateway_lists import State

_HOUR = 3_600_000
_MINUTE = 60_000
_Name = Annotated[str, msgspec.Meta(pattern=r"^[^\u0000-\u001f]{1,64}$")]


async def listed(ctx: Shelfcast, store_id: int, state: State | None, window: Window) -> Page[Gateway]:
    """A store's gateways by name."""
    after = paging.decode(window.cursor, _Name)
    offset = paging.shallow(window)
    async with ctx.db.read() as connection:
        rows, total = await gateway_lists.listing(connection, store_id, state, after, offset, window.per_page + 1)
    shown = rows[: window.per_page]
    last = shown[-1]["name"] if len(rows) > len(shown) else None
    return paging.page(window, [Gateway(**_columns(row)) for row in shown], last, total)


async def one(ctx: Shelfcast, store_id: int, named: str) -> GatewayStatus:
    """The gateway of this id or name; raises NotFoundError."""
    now = ctx.clock()
    async with ctx.db.read() as connection:
        row = await gateway_setup.known(connection, store_id, named)
        counts = await gateway_lists.figures(connection, store_id, row["id"], now)
        pushes, since = await gateway_lists.pushed_lately(connection, store_id, row["id"], now - _HOUR)
    info = gateway_settings.info_of(row["info"])
    most = info.max_displays if info else None
    return GatewayStatus(
        **_columns(row),
        displays=GatewayDisplays(total=counts["total"], wrong=counts["wrong"], unconfirmed=counts["unconfirmed"]),
        updates=GatewayUpdates(waiting=counts["waiting"], in_flight=counts["in_flight"]),
        hardware=_hardware(info) if info else None,
        capacity=Capacity(
            displays=counts["total"],
            max_displays=most,
            percent=round(100 * counts["total"] / most, 1) if most else None,
            pushes_per_minute=round(pushes * _MINUTE / max(now - since, _MINUTE), 1),
        ),
    )


def _columns(row: Record) -> dict[str, Any]:
    maintained = reasons.maintenance_of(row)
    return {
        "id": row["id"],
        "name": row["name"],
        "driver": row["driver"],
        "config": gateway_settings.shown(row["driver"], row["config"]),
        "state": gateway_lists.state_of(row),
        "error": row["error"],
        "unreachable_since": time_or_none(row["unreachable_since"]),
        "reached_at": time_or_none(row["reached_at"]),
        "maintenance": maintained and Maintenance(since=maintained.since, by=maintained.by, reason=maintained.reason),
        "created_at": time(row["created_at"]),
        "retired_at": time_or_none(row["retired_at"]),
    }


def _hardware(info: DriverInfo) -> Hardware:
    return Hardware(
        takes=info.takes,
        proof=reasons.word_of(info.proof),
        max_batch=info.max_batch,
        max_in_flight=info.max_in_flight,
        send_timeout=info.send_timeout,
        reports_within=info.reports_within,
        carries_id=info.carries_id,
        max_displays=info.max_displays,
    )
