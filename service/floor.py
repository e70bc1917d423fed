"""Setting up a shop floor in bulk: importing displays and binding products to them, line by line of a file.

A line that cannot be taken is refused with its number and reason and holds up no other. 1,000 lines are one
transaction, which also plans the faces that change, so that a file can be given again after a crash.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec

from service.context import Shelfcast
from service.core import panels
from service.core.barcodes import parse_barcode
from service.core.problems import RefusedError
from service.designing import unknown_names
from service.ids import is_id, new_id
from service.planning import plan_displays
from service.store import displays, floor, products, tenants, updates
from service.store.database import Connection
from service.store.statements import chunks
from service.store.tenants import Gateway, Store
from service.stores import known_store

MAX_SLOT = 99
_ADDRESS_LIMIT = 100
_TEMPLATE_LIMIT = 64

Line = tuple[int, Mapping[str, str]]
"""A line of a file: its number and its values by column; an absent or blank column counts as not given."""

T = TypeVar("T")


class Refused(msgspec.Struct, frozen=True):
    line: int
    reason: str


@dataclass
class Report:
    """What became of the lines.

    Attributes:
        created: Displays that are new.
        changed: Displays with another gateway, panel or template than before, or back from retirement.
        unchanged: Displays that were as the file says.
        bound: Slots that show another product than before.
        kept: Slots that showed this product already.
        refused: Lines, or the binding of a line whose display was imported.
    """

    created: int = 0
    changed: int = 0
    unchanged: int = 0
    bound: int = 0
    kept: int = 0
    refused: list[Refused] = field(default_factory=list)

    def refuse(self, line: int, reason: str) -> None:
        self.refused.append(Refused(line, reason))

    def add(self, other: "Report") -> None:
        for name in ("created", "changed", "unchanged", "bound", "kept"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.refused += other.refused


class _Wanted(msgspec.Struct, frozen=True):
    """A display as a line wants it, with what is to be bound to it."""

    line: int
    address: str
    gateway: Gateway
    panel: str
    template: str | None
    barcode: str | None
    slot: int


class _Bind(msgspec.Struct, frozen=True):
    line: int
    display: str
    """Address or id; once it is looked up, the id."""
    barcode: str
    slot: int


class _LineError(Exception):
    """Why a line is refused."""


async def import_displays(
    ctx: Shelfcast, store: str, lines: Iterable[Line], *, by: str, takeover: bool = False
) -> Report:
    """Make, move or change displays: columns address, gateway, panel and, if wanted, template, barcode and slot.

    A display that comes with another gateway of the same driver keeps its id, its bindings and its history.
    """
    async with ctx.db.read() as conn:
        owner = await known_store(conn, store)
        gateways = {gateway.name: gateway for gateway in await tenants.gateways_of(conn, owner.id)}
    seen: dict[tuple[str, str], int] = {}

    def understand(number: int, values: Mapping[str, str]) -> _Wanted:
        wanted = _wanted(number, values, gateways)
        first = seen.setdefault((wanted.gateway.driver, wanted.address), number)
        if first != number:
            raise _LineError(f"Line {first} names display {wanted.address} already.")
        return wanted

    report = Report()
    for some in chunks(lines):
        rows = _understood(some, understand, report)
        await _in_one_transaction(ctx, owner, rows, _Writing.import_displays, report, _Who(by, takeover))
    return report


async def bind(ctx: Shelfcast, store: str, lines: Iterable[Line], *, by: str, takeover: bool = False) -> Report:
    """Bind products to displays: columns display (or address), barcode and, if wanted, slot.

    A slot that shows another product is refused, or with `takeover` ended and bound anew; the history of both stays.
    """
    async with ctx.db.read() as conn:
        owner = await known_store(conn, store)
    report = Report()
    for some in chunks(lines):
        rows = _understood(some, _bind, report)
        await _in_one_transaction(ctx, owner, rows, _Writing.bind_named, report, _Who(by, takeover))
    return report


def _understood(lines: Iterable[Line], understand: Callable[[int, Mapping[str, str]], T], report: Report) -> list[T]:
    rows = []
    for number, values in lines:
        try:
            rows.append(understand(number, {name: value.strip() for name, value in values.items() if value.strip()}))
        except _LineError as error:
            report.refuse(number, str(error))
    return rows


def _wanted(line: int, values: Mapping[str, str], gateways: Mapping[str, Gateway]) -> _Wanted:
    address, name = _required(values, "address"), _required(values, "gateway")
    if len(address) > _ADDRESS_LIMIT or not address.isprintable():
        raise _LineError(f"An address is 1 to {_ADDRESS_LIMIT} printable characters; {address[:40]!r} is not.")
    gateway = gateways.get(name)
    if gateway is None or gateway.retired_at is not None:
        raise _LineError(f"The store has no gateway {name}; it has {', '.join(sorted(gateways)) or 'none'}.")
    template = values.get("template")
    if template is not None and (len(template) > _TEMPLATE_LIMIT or not template.isprintable()):
        raise _LineError(f"A template's name is 1 to {_TEMPLATE_LIMIT} printable characters.")
    barcode = _barcode(values) if "barcode" in values else None
    return _Wanted(line, address, gateway, _panel(values), template, barcode, _slot(values))


def _bind(line: int, values: Mapping[str, str]) -> _Bind:
    display = values.get("display") or values.get("address")
    if display is None:
        raise _LineError("The line names no display; give its address or id.")
    return _Bind(line, display, _barcode(values), _slot(values))


def _required(values: Mapping[str, str], name: str) -> str:
    if name not in values:
        raise _LineError(f"The line has no {name}.")
    return values[name]


def _panel(values: Mapping[str, str]) -> str:
    try:
        return panels.parse(_required(values, "panel")).name
    except ValueError as error:
        raise _LineError(str(error)) from None


def _barcode(values: Mapping[str, str]) -> str:
    try:
        return parse_barcode(_required(values, "barcode"))
    except RefusedError as error:
        raise _LineError(str(error)) from None


def _slot(values: Mapping[str, str]) -> int:
    slot = values.get("slot", "0")
    if not (slot.isascii() and slot.isdigit() and int(slot) <= MAX_SLOT):
        raise _LineError(f"{slot[:20]!r} is not a slot; slots are numbers from 0 to {MAX_SLOT}.")
    return int(slot)


class _Who(msgspec.Struct, frozen=True):
    """On whose word, and whether it may end what is bound."""

    by: str
    takeover: bool


async def _in_one_transaction(
    ctx: Shelfcast,
    store: Store,
    rows: list[T],
    write: "Callable[[_Writing, list[T]], Awaitable[None]]",
    report: Report,
    who: _Who,
) -> None:
    """Write a chunk and plan what changes with it; ring for it once it is committed."""

    async def work(conn: Connection) -> _Writing:
        await products.lock_store(conn, store.id)
        writing = _Writing(conn, store, ctx.clock(), who)
        await write(writing, rows)
        await writing.plan()
        return writing

    if rows:
        written = await ctx.db.write(work)
        report.add(written.report)
        await ctx.bell.ring_gateways(sorted(written.rings))


class _Writing:
    """One transaction's work; made anew if the database has it run again.

    Attributes:
        report: What became of these rows.
        rings: (Store, gateway) that have something to do now.
    """

    def __init__(self, conn: Connection, store: Store, now: int, who: _Who) -> None:
        self.report = Report()
        self.rings: set[tuple[int, str]] = set()
        self._conn = conn
        self._store = store
        self._now = now
        self._who = who
        self._redraw: set[str] = set()

    async def import_displays(self, rows: list[_Wanted]) -> None:
        there = {
            (row["driver"], row["address"]): row
            for row in await floor.by_address(self._conn, self._store.organisation_id, {row.address for row in rows})
        }
        created, changed, bindings = [], [], []
        unknown = await unknown_names(self._conn, self._store.id, {row.template for row in rows if row.template})
        for wanted in rows:
            if wanted.template in unknown:
                self.report.refuse(wanted.line, f"Store {self._store.slug} has no template {wanted.template}.")
                continue
            before = there.get((wanted.gateway.driver, wanted.address))
            if before is not None and before["store_id"] != self._store.id:
                self.report.refuse(wanted.line, f"Display {wanted.address} belongs to another store already.")
                continue
            row = self._columns(wanted, before["id"] if before else new_id())
            if before is None:
                created.append(row | self._identity(wanted))
            elif any(before[name] != value for name, value in row.items()):
                changed.append(row)
            if wanted.barcode is not None:
                bindings.append(_Bind(wanted.line, row["id"], wanted.barcode, wanted.slot))
        await floor.insert_displays(self._conn, created)
        await floor.change_displays(self._conn, changed)
        moved = {row["id"]: row["gateway_id"] for row in changed}
        await updates.move(self._conn, self._store.id, moved, self._now)
        self.report.created = len(created)
        self.report.changed = len(changed)
        self.report.unchanged = len(rows) - len(created) - len(changed) - len(self.report.refused)
        self._redraw |= {row["id"] for row in changed}
        self.rings |= {(self._store.id, row["gateway_id"]) for row in changed}
        await self._bind(bindings)

    def _columns(self, wanted: _Wanted, id_: str) -> dict[str, Any]:
        return {
            "store_id": self._store.id,
            "id": id_,
            "gateway_id": wanted.gateway.id,
            "panel": wanted.panel,
            "template": wanted.template,
            "retired_at": None,
        }

    def _identity(self, wanted: _Wanted) -> dict[str, Any]:
        return {
            "organisation_id": self._store.organisation_id,
            "driver": wanted.gateway.driver,
            "address": wanted.address,
            "created_at": self._now,
        }

    async def bind_named(self, rows: list[_Bind]) -> None:
        """Bind rows that name a display by its address or its id."""
        named = {row.display for row in rows}
        locked = await displays.lock(self._conn, self._store.id, {name for name in named if is_id(name)})
        ids = {display["id"]: [display["id"]] for display in locked}
        organisation, rest = self._store.organisation_id, named - set(ids)
        for display in await floor.by_address(self._conn, organisation, rest, store_id=self._store.id):
            ids.setdefault(display["address"], []).append(display["id"])
        await self._bind([row for row in (self._resolved(row, ids.get(row.display, [])) for row in rows) if row])

    def _resolved(self, row: _Bind, ids: list[str]) -> _Bind | None:
        if len(ids) == 1:
            return msgspec.structs.replace(row, display=ids[0])
        several = f"Several drivers have a display {row.display}; name it by its id."
        none = f"Store {self._store.slug} has no display {row.display}; import it first."
        self.report.refuse(row.line, several if ids else none)
        return None

    async def _bind(self, rows: list[_Bind]) -> None:
        """The last row of a slot wins, where it may."""
        before = await displays.slots(self._conn, self._store.id, {row.display for row in rows})
        after: dict[tuple[str, int], str] = {}
        for row in rows:
            key = (row.display, row.slot)
            shown = after.get(key) or before.get(row.display, {}).get(row.slot)
            if shown == row.barcode:
                self.report.kept += 1
            elif shown and not self._who.takeover:
                self.report.refuse(row.line, f"Slot {row.slot} of this display shows {shown}; --takeover replaces it.")
            else:
                self.report.bound += 1
                after[key] = row.barcode
        after = {key: barcode for key, barcode in after.items() if before.get(key[0], {}).get(key[1]) != barcode}
        ended = {(display, slot) for display, slot in after if slot in before.get(display, {})}
        await floor.unbind(self._conn, self._store.id, ended, self._now, self._who.by)
        await floor.insert_bindings(self._conn, [self._binding(*key, barcode) for key, barcode in after.items()])
        self._redraw |= {display for display, _ in after}

    def _binding(self, display: str, slot: int, barcode: str) -> dict[str, Any]:
        return {
            "store_id": self._store.id,
            "id": new_id(),
            "display_id": display,
            "slot": slot,
            "barcode": barcode,
            "bound_at": self._now,
            "bound_by": self._who.by,
        }

    async def plan(self) -> None:
        if self._redraw:
            slots = await displays.slots(self._conn, self._store.id, self._redraw)
            planned = await plan_displays(self._conn, self._store.id, slots, self._now, "bind")
            self.rings |= planned.gateways
