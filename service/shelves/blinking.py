"""Flashing a display's light, so that staff find it: asked for in the database, done by whoever has the gateway's line.

A blink is of use while somebody stands there and looks: one that no worker got to within a minute is given up.
"""

import asyncio

import msgspec
import structlog

from display_drivers import registry
from display_drivers.base import Blinks
from display_drivers.errors import DriverError
from service import auditing
from service.context import Shelfcast
from service.core.actions import Action
from service.errors import ConflictError, NotFoundError
from service.ids import is_id, new_id
from service.messages import time, time_or_none
from service.messages.displays import Blink, BlinkState
from service.pushing import Line
from service.shelves.display_events import Kind, note, row
from service.shelves.displays import By, resolved
from service.store import blinks, gateways
from service.store.blinks import EXPIRED
from service.store.database import Connection, Record
from service.tenants.stores import known_store

EXPIRES_AFTER = 60_000
MOST_SECONDS = 60
_SOME = 10
_MOST_RUNG = 1000

log = structlog.get_logger()


async def ask(ctx: Shelfcast, by: By, display: str, seconds: int) -> Blink:
    """Have a display flash for some seconds; ConflictError where its driver has no light to flash, or it is retired."""
    id_, now = new_id(), ctx.clock()

    async def work(conn: Connection) -> Record:
        store = await known_store(conn, by.store)
        found = await resolved(conn, store, display)
        if found["retired_at"] is not None:
            raise ConflictError(f"Display {found['address']} is retired: nobody speaks with it. Restore it first.")
        gateway = await gateways.get(conn, store.id, found["gateway_id"])
        if gateway is not None and not _can_blink(gateway["driver"], gateway["config"]):
            raise ConflictError(f"Driver {found['driver']} of display {found['address']} cannot flash a light.")
        asked = {
            "store_id": store.id,
            "id": id_,
            "display_id": found["id"],
            "gateway_id": found["gateway_id"],
            "seconds": seconds,
            "asked_by": by.who.actor,
            "asked_at": now,
            "expires_at": now + EXPIRES_AFTER,
        }
        await blinks.ask(conn, asked)
        event = row(store.id, found["id"], Kind.BLINKED, now, by=by.who.actor, seconds=seconds)
        await note(conn, [event])
        await auditing.note(conn, by.who, now, Action.DISPLAY_BLINKED, found["id"], found["address"], seconds=seconds)
        asked_for = await blinks.get(conn, store.id, found["id"], id_)
        assert asked_for is not None  # noqa: S101 - for the type checker: written just now
        return asked_for

    asked = await ctx.db.write(work)
    await ctx.bell.ring_blinks(asked["store_id"], asked["gateway_id"])
    return _told(asked, now)


def _can_blink(driver: str, config: str) -> bool:
    """Whether the driver has this ability; the gateway may still lack it, and says so when it is asked."""
    try:
        return isinstance(registry.create(driver, msgspec.json.decode(config, type=dict[str, str])), Blinks)
    except DriverError:
        return True  # that it cannot be opened is told by whoever tries to flash


async def status(ctx: Shelfcast, store: str, display: str, blink_id: str) -> Blink:
    """What became of it; NotFoundError."""
    async with ctx.db.read() as conn:
        owner = await known_store(conn, store)
        found = await resolved(conn, owner, display)
        asked = await blinks.get(conn, owner.id, found["id"], blink_id) if is_id(blink_id) else None
    if asked is None:
        raise NotFoundError(f"Display {found['address']} was never asked for this blink.")
    return _told(asked, ctx.clock())


def _state(asked: Record, now: int) -> BlinkState:
    if asked["done_at"] is None:
        return "waiting" if asked["expires_at"] > now else "expired"
    if asked["error"] is None:
        return "flashed"
    return "expired" if asked["error"] == EXPIRED else "failed"


def _told(asked: Record, now: int) -> Blink:
    state = _state(asked, now)
    words = "No worker reached its gateway within a minute; see whether the gateway answers."
    return Blink(
        blink_id=asked["id"],
        display_id=asked["display_id"],
        seconds=asked["seconds"],
        state=state,
        detail=words if state == "expired" else asked["error"],
        asked_by=asked["asked_by"],
        asked_at=time(asked["asked_at"]),
        expires_at=time(asked["expires_at"]),
        done_at=time_or_none(asked["done_at"]),
    )


async def flash_due(ctx: Shelfcast, line: Line) -> None:
    """Flash what this gateway was asked to and nobody else is at; each by itself, since staff wait for each."""
    at, lease = line.at, int(ctx.settings.lease * 1000)
    while True:
        now = ctx.clock()
        key = (at.store_id, at.gateway_id, at.worker)
        claimed = await ctx.db.write(blinks.claim, *key, now, now + lease, _SOME)
        if not claimed:
            return
        errors = await asyncio.gather(*(_flashed(line, one["address"], one["seconds"]) for one in claimed))
        for one, error in zip(claimed, errors, strict=True):
            await ctx.db.write(blinks.close, at.store_id, one["id"], at.worker, ctx.clock(), error)


async def _flashed(line: Line, address: str, seconds: int) -> str | None:
    """None, or why it did not flash."""
    if not isinstance(line.driver, Blinks):
        return f"Driver {line.driver.info.name} cannot flash a light."
    try:
        await asyncio.wait_for(line.driver.blink(address, seconds), line.driver.info.send_timeout)
    except TimeoutError:
        return "The gateway did not answer in time."
    except DriverError as error:
        return error.detail
    except Exception as error:
        log.exception("driver_broke_its_contract", driver=line.driver.info.name)
        return f"The driver failed in a way it should not: {error!r}."
    return None


async def ring_due(ctx: Shelfcast, now: int) -> None:
    """Ring again for what nobody flashed yet, and give up what is too old."""
    async with ctx.db.read() as connection:
        waiting = await blinks.open_ones(connection, _MOST_RUNG)
    late = [(one["store_id"], one["id"]) for one in waiting if one["expires_at"] <= now]
    if late:
        await ctx.db.write(blinks.expire, late, now)
    free = [one for one in waiting if one["expires_at"] > now and (one["lease_until"] or 0) <= now]
    for store_id, gateway_id in sorted({(one["store_id"], one["gateway_id"]) for one in free}):
        await ctx.bell.ring_blinks(store_id, gateway_id)
