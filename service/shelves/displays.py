"""The single verbs of a shop floor: register, change, bind, swap, retire one display, or have it sent again.

Each is one transaction of `binding.Writing`, under the store's lock: of two that want the same slot one is second, and
is told what the first one bound.
"""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import msgspec

from service import auditing
from service.auditing import Who
from service.context import Shelfcast
from service.core import panels
from service.core.actions import Action
from service.core.barcodes import parse_barcode
from service.core.problems import RefusedError
from service.designing import check_names
from service.errors import ConflictError, NotFoundError, ValidationError
from service.messages import time
from service.messages.displays import Bound, DisplayDetail
from service.shelves.binding import Bind, Wanted, Writing, in_one_transaction
from service.shelves.display_events import Kind
from service.shelves.shelf import detail_of
from service.store import displays, shelf_lists, tenants
from service.store.database import Connection, Record
from service.store.tenants import Gateway, Store
from service.tenants.stores import known_store

T = TypeVar("T")
_NAME_LIMIT = 100


class By(msgspec.Struct, frozen=True):
    """Who does it, in which store, and whether they may be told of the chain's other stores."""

    store: str
    who: Who
    is_chain: bool = False


class New(msgspec.Struct, frozen=True):
    """A display to be registered; gateway: its name or id."""

    address: str
    gateway: str
    panel: str
    template: str | None = None


async def register(ctx: Shelfcast, by: By, new: New) -> DisplayDetail:
    """Raises ValidationError for what no display can be, NotFoundError for its gateway or template, ConflictError."""
    if not 0 < len(new.address) <= _NAME_LIMIT or not new.address.isprintable() or new.address != new.address.strip():
        detail = f"An address is 1 to {_NAME_LIMIT} printable characters, without blanks around it."
        raise ValidationError(detail, {"address": "is no address"})

    async def work(writing: Writing) -> str:
        gateway = await _gateway(writing, new.gateway)
        await _refuse_registered(writing, by, gateway, new.address)
        await check_names(writing.conn, writing.store.id, [new.template] if new.template else [])
        await writing.import_displays([Wanted(1, new.address, gateway, _panel(new.panel), new.template)])
        (made,) = await displays.named(writing.conn, writing.store.id, new.address)
        await _note(writing, by, Action.DISPLAY_REGISTERED, made, panel=made["panel"], gateway=gateway.name)
        return str(made["id"])

    return await one(ctx, by.store, await _do(ctx, by, work))


async def change(
    ctx: Shelfcast, by: By, display: str, gateway: str | None, panel: str | None, template: Any = msgspec.UNSET
) -> DisplayDetail:
    """Another gateway of the same driver, another panel or template (None: as the store chooses)."""

    async def work(writing: Writing) -> str:
        found = await _find(writing, by, display)
        columns: dict[str, Any] = {}
        if gateway is not None:
            new = await _gateway(writing, gateway)
            _refuse_other_driver(found, new)
            columns["gateway_id"] = new.id
        if panel is not None:
            columns["panel"] = _panel(panel)
        if template is not msgspec.UNSET:
            await check_names(writing.conn, writing.store.id, [template] if template else [])
            columns["template"] = template
        await writing.change(found, **columns)
        await _note(writing, by, Action.DISPLAY_CHANGED, found, **columns)
        return str(found["id"])

    return await one(ctx, by.store, await _do(ctx, by, work))


async def bind(
    ctx: Shelfcast, by: By, display: str, barcode: str, slot: int = 0, *, takeover: bool = False
) -> DisplayDetail:
    """Show a product in a slot; ConflictError says what is bound there, since when and by whom."""
    barcode = _barcode(barcode)

    async def work(writing: Writing) -> str:
        found = await _find(writing, by, display)
        there = {row["slot"]: row for row in await shelf_lists.bound_to(writing.conn, writing.store.id, [found["id"]])}
        before = there.get(slot)
        if before is not None and before["barcode"] != barcode and not takeover:
            raise _taken(found, before)
        await writing.bind([Bind(1, found["id"], barcode, slot)])
        if before is None or before["barcode"] != barcode:
            was = before and before["barcode"]
            await _note(writing, by, Action.DISPLAY_BOUND, found, slot=slot, barcode=barcode, was=was)
        return str(found["id"])

    return await one(ctx, by.store, await _do(ctx, by, work, takeover=True))


async def unbind(ctx: Shelfcast, by: By, display: str, slot: int | None = None) -> DisplayDetail:
    """End what is bound to a slot, or to all of them; nothing bound is no error."""

    async def work(writing: Writing) -> str:
        found = await _find(writing, by, display)
        bound = (await displays.slots(writing.conn, writing.store.id, [found["id"]]))[found["id"]]
        ended = {number: barcode for number, barcode in bound.items() if slot in {None, number}}
        await writing.unbind({(found["id"], number) for number in ended})
        if ended:
            await _note(writing, by, Action.DISPLAY_UNBOUND, found, bound={str(n): b for n, b in ended.items()})
        return str(found["id"])

    return await one(ctx, by.store, await _do(ctx, by, work))


async def retire(ctx: Shelfcast, by: By, display: str) -> DisplayDetail:
    """Take a display out of use: unbound, left alone, its history kept. Repeating it changes nothing."""

    async def work(writing: Writing) -> str:
        found = await _find(writing, by, display, retired=True)
        if found["retired_at"] is None:
            bound = await writing.retire(found)
            await _note(writing, by, Action.DISPLAY_RETIRED, found, bound={str(n): b for n, b in bound.items()})
        return str(found["id"])

    return await one(ctx, by.store, await _do(ctx, by, work))


async def restore(ctx: Shelfcast, by: By, display: str) -> DisplayDetail:
    """Use a retired display again, with nothing bound to it. Repeating it changes nothing."""

    async def work(writing: Writing) -> str:
        found = await _find(writing, by, display, retired=True)
        if found["retired_at"] is not None:
            await writing.restore(found)
            await _note(writing, by, Action.DISPLAY_CHANGED, found, restored=True)
        return str(found["id"])

    return await one(ctx, by.store, await _do(ctx, by, work))


async def swap(ctx: Shelfcast, by: By, display: str, replacement: str) -> DisplayDetail:
    """Let another display take the place of a broken one, which is retired: bindings and template move to it.

    Both keep their histories; the replacement is answered. ConflictError if something is bound to it.
    """

    async def work(writing: Writing) -> str:
        old = await _find(writing, by, display)
        new = await _find(writing, by, replacement)
        if old["id"] == new["id"]:
            raise ConflictError("A display cannot take its own place; name another one as the replacement.")
        if there := await shelf_lists.bound_to(writing.conn, writing.store.id, [new["id"]]):
            raise _taken(new, there[0], "Unbind it first, or take another display.")
        bound = await writing.retire(old, replaced_by=new["id"])
        await writing.change(new, template=old["template"])
        await writing.bind([Bind(1, new["id"], barcode, slot) for slot, barcode in sorted(bound.items())])
        await writing.note(new["id"], Kind.SWAPPED, replaces=old["id"])
        moved = {str(slot): barcode for slot, barcode in bound.items()}
        await _note(writing, by, Action.DISPLAY_SWAPPED, old, replacement=new["id"], bound=moved)
        return str(new["id"])

    return await one(ctx, by.store, await _do(ctx, by, work))


async def resend(ctx: Shelfcast, by: By, display: str) -> DisplayDetail:
    """Send a display its face again, although it was proven to show it: people see something else."""

    async def work(writing: Writing) -> str:
        found = await _find(writing, by, display)
        if found["desired_digest"] is None:
            raise ConflictError(f"Display {found['address']} should show nothing of ours yet; bind a product to it.")
        await writing.resend(found)
        await _note(writing, by, Action.DISPLAY_RESENT, found, digest=found["desired_digest"])
        return str(found["id"])

    return await one(ctx, by.store, await _do(ctx, by, work))


async def one(ctx: Shelfcast, store: str, display: str) -> DisplayDetail:
    """A display by its id or address, retired or not; NotFoundError, or ConflictError if two have the address."""
    async with ctx.db.read() as conn:
        owner = await known_store(conn, store)
        found = await resolved(conn, owner, display)
        (row,) = await shelf_lists.rows(conn, owner.id, [found["id"]])
        bound = await shelf_lists.bound_to(conn, owner.id, [found["id"]])
    return detail_of(row, bound)


async def resolved(conn: Connection, store: Store, name: str, *, lock: bool = False, retired: bool = True) -> Record:
    """The display of this id or address; one in use goes before a retired one."""
    found = []
    if name.isprintable() and len(name) <= _NAME_LIMIT:
        found = await displays.named(conn, store.id, name, lock=lock, retired=retired)
    found = [row for row in found if row["id"] == name] or [r for r in found if r["retired_at"] is None] or found
    if not found:
        raise NotFoundError(f"The store has no display {name[:_NAME_LIMIT]}. Register it first, or check its address.")
    if len(found) > 1:
        raise ConflictError(f"{len(found)} displays have the address {name}; give the id of one of them.")
    return found[0]


async def _do(ctx: Shelfcast, by: By, work: Callable[[Writing], Awaitable[T]], *, takeover: bool = False) -> T:
    async with ctx.db.read() as conn:
        store = await known_store(conn, by.store)
    return await in_one_transaction(ctx, store, by.who.actor, work, takeover=takeover)


async def _find(writing: Writing, by: By, name: str, *, retired: bool = False) -> Record:
    """The display, locked; a conflict where it is retired, or in another store, if the caller may know that."""
    try:
        found = await resolved(writing.conn, writing.store, name, lock=True)
    except NotFoundError:
        if by.is_chain:
            await _refuse_elsewhere(writing, name)
        raise
    if found["retired_at"] is not None and not retired:
        raise ConflictError(
            f"Display {found['address']} is retired since {time(found['retired_at'])}; restore it first, with nothing "
            "bound to it."
        )
    return found


async def _refuse_elsewhere(writing: Writing, name: str) -> None:
    """Tell a chain's token in which other store of it the display is."""
    if not name.isprintable() or len(name) > _NAME_LIMIT:
        return
    store = await shelf_lists.store_of(writing.conn, writing.store.organisation_id, name)
    if store is not None:
        detail = f"Display {name} is in store {store}, not in {writing.store.slug}."
        raise ConflictError(detail, members={"store": store})


async def _refuse_registered(writing: Writing, by: By, gateway: Gateway, address: str) -> None:
    row = await shelf_lists.registered(writing.conn, writing.store.organisation_id, gateway.driver, address)
    if row is None:
        return
    if row["store_id"] == writing.store.id:
        how = "retired; restore it" if row["retired_at"] is not None else "registered already; change it"
        raise ConflictError(f"Display {address} is {how} as {row['id']}.")
    where = f"in store {row['store']}" if by.is_chain else "in another store"
    members = {"store": row["store"]} if by.is_chain else None
    raise ConflictError(f"Display {address} is registered {where} already; it has to leave there.", members=members)


def _taken(display: Record, binding: Record, mend: str = "Take it over, or choose another slot.") -> ConflictError:
    """What is bound there, since when and by whom."""
    bound = Bound(
        slot=binding["slot"], barcode=binding["barcode"], since=time(binding["bound_at"]), by=binding["bound_by"]
    )
    detail = (
        f"Slot {bound.slot} of display {display['address']} shows {bound.barcode} since {bound.since}, "
        f"bound by {bound.by or 'nobody known'}. {mend}"
    )
    return ConflictError(detail, members={"bound": msgspec.to_builtins(bound)})


async def _gateway(writing: Writing, name: str) -> Gateway:
    there = [one for one in await tenants.gateways_of(writing.conn, writing.store.id) if one.retired_at is None]
    found = next((one for one in there if name in {one.id, one.name}), None)
    if found is None:
        names = ", ".join(one.name for one in there) or "none"
        raise ValidationError(f"The store has no gateway {name[:64]}; it has {names}.", {"gateway": "is none of these"})
    return found


def _refuse_other_driver(display: Record, gateway: Gateway) -> None:
    if gateway.driver != display["driver"]:
        raise ConflictError(
            f"Display {display['address']} speaks with gateways of driver {display['driver']}, and gateway "
            f"{gateway.name} is one of {gateway.driver}: register it there as another display."
        )


def _panel(name: str) -> str:
    try:
        return panels.parse(name).name
    except ValueError as error:
        raise ValidationError(str(error), {"panel": "is no panel"}) from None


def _barcode(text: str) -> str:
    try:
        return parse_barcode(text)
    except RefusedError as error:
        raise ValidationError(str(error), {"barcode": "is no barcode"}) from None


async def _note(writing: Writing, by: By, action: Action, display: Record, **detail: Any) -> None:
    await auditing.note(writing.conn, by.who, writing.now, action, display["id"], display["address"], **detail)
