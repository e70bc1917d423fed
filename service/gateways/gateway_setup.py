"""Gateways set up: added, changed and retired, each change opened once before it is saved, its secrets sealed."""

import re
from collections.abc import Collection, Mapping
from typing import Any

import msgspec
import structlog

from service import auditing
from service.auditing import SHELL, Who
from service.context import Shelfcast
from service.core.actions import Action
from service.errors import ConflictError, NotFoundError, ValidationError
from service.gateways import gateway_settings
from service.gateways.gateway_opening import tried
from service.ids import new_id
from service.store import gateway_lists, gateways, products, tenants
from service.store.database import UNAVAILABLE, Connection, Record, overwrite_deleted
from service.store.tenants import Gateway
from service.tenants.stores import known_store

NAME_LIMIT = 64
_SOME = 100
"""Gateways whose secrets are sealed in one transaction."""

Networks = Collection[str] | None
"""Where a gateway may be besides the ordinary; None: anywhere, for whoever is at the shell."""

log = structlog.get_logger()
_NAME = re.compile(r"[^\x00-\x1f\x7f]{1,255}")


class New(msgspec.Struct, frozen=True, kw_only=True):
    """A gateway to be added; without `check` it is saved unopened."""

    name: str
    driver: str
    config: Mapping[str, str]
    check: bool = True
    networks: Networks = None


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be otherwise; a setting that is None is taken away, and those that are not named stay."""

    name: str | None = None
    config: Mapping[str, str | None] = {}
    check: bool = True
    networks: Networks = None


async def add(ctx: Shelfcast, store_id: int, who: Who, new: New) -> str:
    """Save a gateway that its driver could open just now; its id.

    Raises DriverRefusedError with the driver's own words, ConflictError if the store has a gateway of this name.
    """
    name, driver = _checked_name(new.name), new.driver
    async with ctx.db.read() as connection:
        await _refuse_taken(connection, store_id, name)
    info = await tried(driver, new.config, check=new.check, networks=new.networks)
    now = ctx.clock()
    row = {"store_id": store_id, "id": new_id(), "name": name, "driver": driver, "created_at": now}
    row |= {"config": gateway_settings.sealed(ctx.sealer, driver, new.config)}
    row |= {} if info is None else {"info": gateway_settings.told(info), "reached_at": now}

    async def work(connection: Connection) -> None:
        await products.lock_store(connection, store_id)
        await _refuse_taken(connection, store_id, name)
        await tenants.insert_gateway(connection, row)
        opened = {"driver": driver, "settings": sorted(new.config), "opened": new.check}
        await auditing.note(connection, who, now, Action.GATEWAY_CREATED, str(row["id"]), name, **opened)

    await ctx.db.write(work)
    return str(row["id"])


async def add_to(
    ctx: Shelfcast,
    store: str,
    name: str,
    driver: str,
    config: Mapping[str, str],
    *,
    check: bool = True,
    by: str = SHELL,
) -> Gateway:
    """As `add`, to the store of this slug, for whoever is at the shell. Raises NotFoundError too."""
    async with ctx.db.read() as connection:
        owner = await known_store(connection, store)
    who = Who(owner.organisation_id, owner.id, by)
    added = await add(ctx, owner.id, who, New(name=name, driver=driver, config=config, check=check))
    async with ctx.db.read() as connection:
        return next(one for one in await tenants.gateways_of(connection, owner.id) if one.id == added)


async def change(ctx: Shelfcast, store_id: int, who: Who, named: str, changes: Changes) -> None:
    """Rename a gateway, or change some of its settings and open it with them.

    Raises NotFoundError, ConflictError if it is retired, the name is taken, or somebody else changed it meanwhile, and
    DriverRefusedError.
    """
    name = None if changes.name is None else _checked_name(changes.name)
    async with ctx.db.read() as connection:
        before = await known(connection, store_id, named)
    _refuse_retired(before)
    columns: dict[str, Any] = {} if name is None else {"name": name}
    detail: dict[str, Any] = {} if name is None else {"before": before["name"], "after": name}
    if changes.config:
        columns |= await _reconfigured(ctx, before, changes)
        detail |= {"settings": sorted(changes.config), "opened": changes.check}

    async def work(connection: Connection) -> None:
        await products.lock_store(connection, store_id)
        now_there = await known(connection, store_id, before["id"], lock=True)
        _refuse_retired(now_there)
        if now_there["config"] != before["config"]:
            raise ConflictError(f"Gateway {before['name']} was changed by somebody else meanwhile; look and try again.")
        if name is not None and name != now_there["name"]:
            await _refuse_taken(connection, store_id, name)
        await gateways.set_columns(connection, store_id, before["id"], **columns)
        about = (before["id"], name or before["name"])
        await auditing.note(connection, who, ctx.clock(), Action.GATEWAY_CHANGED, *about, **detail)

    if columns:
        await ctx.db.write(work)
    if changes.config:
        await ctx.bell.ring_gateway(store_id, before["id"])
        await ctx.bell.ring_poll(store_id, before["id"])


async def _reconfigured(ctx: Shelfcast, before: Record, changes: Changes) -> dict[str, Any]:
    """The columns of a gateway that is set otherwise: it is tried at once, however long it did not answer."""
    config = gateway_settings.merged(ctx.sealer, before["config"], changes.config)
    info = await tried(before["driver"], config, check=changes.check, networks=changes.networks)
    columns = {"config": gateway_settings.sealed(ctx.sealer, before["driver"], config), "next_push_at": None}
    if info is None:
        return columns
    answers = {"info": gateway_settings.told(info), "reached_at": ctx.clock(), "unreachable_since": None, "error": None}
    return columns | answers


async def retire(ctx: Shelfcast, store_id: int, who: Who, named: str) -> None:
    """Take a gateway out of use for good; its name stays taken. Raises ConflictError while displays are on it."""

    async def work(connection: Connection) -> None:
        await products.lock_store(connection, store_id)
        gateway = await known(connection, store_id, named, lock=True)
        if gateway["retired_at"] is not None:
            return
        if on_it := await gateway_lists.displays_on(connection, store_id, gateway["id"]):
            noun = "display is" if on_it == 1 else "displays are"
            raise ConflictError(f"{on_it:,} {noun} on gateway {gateway['name']}; move or retire them first.")
        now = ctx.clock()
        await gateways.set_columns(connection, store_id, gateway["id"], retired_at=now)
        await auditing.note(connection, who, now, Action.GATEWAY_RETIRED, gateway["id"], gateway["name"])

    await ctx.db.write(work)


async def seal_stored(ctx: Shelfcast) -> None:
    """Seal the secrets of gateways that were saved before secrets were; done once, by whoever starts first.

    Nobody has to wait for that: a database that is away is for others to tell of, and the next start goes on.
    """
    after = (0, "")
    try:
        while True:
            async with ctx.db.read() as connection:
                some = await gateway_lists.configurations(connection, after, _SOME)
            if clear := [row for row in some if gateway_settings.in_clear(row["driver"], row["config"])]:
                await ctx.db.write(_seal, ctx, clear)
                await ctx.db.let_go_of_log()
            if len(some) < _SOME:
                return
            after = (some[-1]["store_id"], some[-1]["id"])
    except UNAVAILABLE:
        log.debug("secrets_not_sealed")
    except Exception:
        log.exception("secrets_not_sealed")  # no reason for a worker to stay away


async def _seal(connection: Connection, ctx: Shelfcast, clear: list[Record]) -> None:
    await overwrite_deleted(connection)
    for row in clear:
        after = gateway_settings.resealed(ctx.sealer, row["driver"], row["config"])
        await gateway_lists.replace_config(connection, row["store_id"], row["id"], row["config"], after)


async def known(connection: Connection, store_id: int, named: str, *, lock: bool = False) -> Record:
    """The gateway of this id or name; raises NotFoundError."""
    found = None
    if _NAME.fullmatch(named):
        found = await gateway_lists.named(connection, store_id, named, lock=lock)
    if found is None:
        raise NotFoundError("This store has no such gateway; GET /gateways, or shelfcast gateway list, shows them.")
    return found


def _checked_name(name: str) -> str:
    if not name.strip() or len(name) > NAME_LIMIT or not name.isprintable():
        reason = f"is not 1 to {NAME_LIMIT} printable characters, such as ap-1"
        raise ValidationError(f"The gateway's name {reason}.", {"name": reason})
    return name


def _refuse_retired(gateway: Record) -> None:
    if gateway["retired_at"] is not None:
        raise ConflictError(f"Gateway {gateway['name']} is retired; add another one.")


async def _refuse_taken(connection: Connection, store_id: int, name: str) -> None:
    if await gateway_lists.is_taken(connection, store_id, name):
        raise ConflictError(f"The store has a gateway {name} already, in use or retired; take another name.")
