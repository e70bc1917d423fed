"""What changes displays and what is bound to them, inside one transaction that also plans the faces which follow.

The bulk verbs of files (`floor`) and the single ones (`displays`) are both made of this.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from service import planning, progress
from service.context import Shelfcast
from service.designing import unknown_names
from service.ids import is_id, new_id
from service.shelves import display_events
from service.shelves.display_events import Kind
from service.store import displays, floor, products, updates
from service.store.database import Connection, Record
from service.store.tenants import Gateway, Store

MAX_SLOT = 99

T = TypeVar("T")


class Refused(msgspec.Struct, frozen=True):
    line: int
    reason: str


class Report(msgspec.Struct):
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
    refused: list[Refused] = []

    def refuse(self, line: int, reason: str) -> None:
        self.refused.append(Refused(line, reason))

    def add(self, other: "Report") -> None:
        for name in ("created", "changed", "unchanged", "bound", "kept"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.refused += other.refused


class Wanted(msgspec.Struct, frozen=True):
    """A display as a line wants it, with what is to be bound to it."""

    line: int
    address: str
    gateway: Gateway
    panel: str
    template: str | None
    barcode: str | None = None
    slot: int = 0


class Bind(msgspec.Struct, frozen=True):
    line: int
    display: str
    """Address or id; once it is looked up, the id."""
    barcode: str
    slot: int


async def in_one_transaction(
    ctx: Shelfcast, store: Store, by: str, work: "Callable[[Writing], Awaitable[T]]", *, takeover: bool = False
) -> T:
    """Do some work under the store's lock and plan what changes with it; ring for it once it is committed."""

    async def write(conn: Connection) -> "tuple[T, Writing]":
        await products.lock_store(conn, store.id)
        writing = Writing(conn, store, ctx.clock(), by, takeover=takeover)
        done = await work(writing)
        await writing.plan()
        await progress.advance(conn, store.id, writing.batches, writing.now, ctx.settings)
        return done, writing

    done, writing = await ctx.db.write(write)
    await ctx.bell.ring_gateways(sorted(writing.rings))
    return done


class Writing:
    """One transaction's work; made anew if the database has it run again.

    Attributes:
        report: What became of the rows of a file.
        rings: (Store, gateway) that have something to do now.
        batches: Batches whose counters moved.
    """

    def __init__(self, conn: Connection, store: Store, now: int, by: str, *, takeover: bool = False) -> None:
        self.conn = conn
        self.store = store
        self.now = now
        self.report = Report()
        self.rings: set[tuple[int, str]] = set()
        self.batches: set[str] = set()
        self._by = by
        self._takeover = takeover
        self._redraw: set[str] = set()

    async def import_displays(self, rows: list[Wanted]) -> None:
        there = {
            (row["driver"], row["address"]): row
            for row in await floor.by_address(self.conn, self.store.organisation_id, {row.address for row in rows})
        }
        created, changed, bindings = [], [], []
        unknown = await unknown_names(self.conn, self.store.id, {row.template for row in rows if row.template})
        for wanted in rows:
            before = there.get((wanted.gateway.driver, wanted.address))
            if reason := self._unacceptable(wanted, before, unknown):
                self.report.refuse(wanted.line, reason)
                continue
            row = self._columns(wanted, before["id"] if before else new_id())
            if before is None:
                created.append(row | self._identity(wanted))
            elif any(before[name] != value for name, value in row.items()):
                changed.append((before, row))
            if wanted.barcode is not None:
                bindings.append(Bind(wanted.line, row["id"], wanted.barcode, wanted.slot))
        await floor.insert_displays(self.conn, created)
        await self._change(changed)
        self.report.created = len(created)
        self.report.changed = len(changed)
        self.report.unchanged = len(rows) - len(created) - len(changed) - len(self.report.refused)
        await self.bind(bindings)

    def _unacceptable(self, wanted: Wanted, before: Record | None, unknown: Collection[str]) -> str | None:
        if wanted.template in unknown:
            return f"Store {self.store.slug} has no template {wanted.template}."
        if before is not None and before["store_id"] != self.store.id:
            return f"Display {wanted.address} belongs to another store already."
        return None

    async def change(self, display: Record, **columns: Any) -> None:
        """Another gateway, panel or template for a display that is locked."""
        row = {"store_id": self.store.id, "id": display["id"], **columns}
        if any(display[name] != value for name, value in columns.items()):
            await self._change([(display, row)])

    async def _change(self, changed: Sequence[tuple[Record, dict[str, Any]]]) -> None:
        """Displays as they were, and what they are to be; their updates follow them to another gateway."""
        rows = [row for _, row in changed]
        await floor.change_displays(self.conn, rows)
        moved = {row["id"]: row["gateway_id"] for row in rows if "gateway_id" in row}
        await updates.move(self.conn, self.store.id, moved, self.now)
        await display_events.note(self.conn, [self._changed_event(before, row) for before, row in changed])
        self._redraw |= {row["id"] for row in rows}
        self.rings |= {(self.store.id, gateway) for gateway in moved.values()}

    def _changed_event(self, before: Record, row: Mapping[str, Any]) -> dict[str, Any]:
        shown = {"gateway_id": "gateway", "panel": "panel", "template": "template"}
        what = {
            word: [before[name], row[name]] for name, word in shown.items() if name in row and before[name] != row[name]
        }
        kind = Kind.CHANGED if before["retired_at"] is None else Kind.RESTORED
        return self._event(row["id"], kind, **what)

    def _event(self, display_id: str, kind: Kind, **data: Any) -> dict[str, Any]:
        return display_events.row(self.store.id, display_id, kind, self.now, by=self._by, **data)

    async def note(self, display_id: str, kind: Kind, **data: Any) -> None:
        await display_events.note(self.conn, [self._event(display_id, kind, **data)])

    def _columns(self, wanted: Wanted, id_: str) -> dict[str, Any]:
        return {
            "store_id": self.store.id,
            "id": id_,
            "gateway_id": wanted.gateway.id,
            "panel": wanted.panel,
            "template": wanted.template,
            "retired_at": None,
            "retired_by": None,
            "replaced_by": None,
        }

    def _identity(self, wanted: Wanted) -> dict[str, Any]:
        return {
            "organisation_id": self.store.organisation_id,
            "driver": wanted.gateway.driver,
            "address": wanted.address,
            "created_at": self.now,
        }

    async def bind_named(self, rows: list[Bind]) -> None:
        """Bind rows that name a display by its address or its id."""
        named = {row.display for row in rows}
        locked = await displays.lock(self.conn, self.store.id, {name for name in named if is_id(name)})
        ids = {display["id"]: [display["id"]] for display in locked}
        organisation, rest = self.store.organisation_id, named - set(ids)
        for display in await floor.by_address(self.conn, organisation, rest, store_id=self.store.id):
            ids.setdefault(display["address"], []).append(display["id"])
        await self.bind([row for row in (self._resolved(row, ids.get(row.display, [])) for row in rows) if row])

    def _resolved(self, row: Bind, ids: list[str]) -> Bind | None:
        if len(ids) == 1:
            return msgspec.structs.replace(row, display=ids[0])
        several = f"Several drivers have a display {row.display}; name it by its id."
        none = f"Store {self.store.slug} has no display {row.display}; import it first."
        self.report.refuse(row.line, several if ids else none)
        return None

    async def bind(self, rows: list[Bind]) -> None:
        """The last row of a slot wins, where it may."""
        before = await displays.slots(self.conn, self.store.id, {row.display for row in rows})
        after: dict[tuple[str, int], str] = {}
        for row in rows:
            key = (row.display, row.slot)
            shown = after.get(key) or before.get(row.display, {}).get(row.slot)
            if shown == row.barcode:
                self.report.kept += 1
            elif shown and not self._takeover:
                detail = f"Slot {row.slot} of this display shows {shown}; takeover (--takeover) replaces it."
                self.report.refuse(row.line, detail)
            else:
                self.report.bound += 1
                after[key] = row.barcode
        after = {key: barcode for key, barcode in after.items() if before.get(key[0], {}).get(key[1]) != barcode}
        await self.unbind({key for key in after if key[1] in before.get(key[0], {})})
        await floor.insert_bindings(self.conn, [self._binding(*key, barcode) for key, barcode in after.items()])
        self._redraw |= {display for display, _ in after}

    async def unbind(self, slots: Collection[tuple[str, int]]) -> None:
        """End what is bound to these (display, slot)."""
        await floor.unbind(self.conn, self.store.id, slots, self.now, self._by)
        self._redraw |= {display for display, _ in slots}

    def _binding(self, display: str, slot: int, barcode: str) -> dict[str, Any]:
        return {
            "store_id": self.store.id,
            "id": new_id(),
            "display_id": display,
            "slot": slot,
            "barcode": barcode,
            "bound_at": self.now,
            "bound_by": self._by,
        }

    async def retire(self, display: Record, replaced_by: str | None = None) -> dict[int, str]:
        """Unbind a display that is locked, drop what it was being driven to, and leave it alone from now on.

        What was bound to it, by slot. A push of it that is in the air may still land; nobody listens to it any more.
        """
        bound = (await displays.slots(self.conn, self.store.id, [display["id"]]))[display["id"]]
        await self.unbind({(display["id"], slot) for slot in bound})
        self.batches.update(await planning.withdraw(self.conn, self.store.id, [display["id"]], self.now))
        row = {"retired_at": self.now, "retired_by": self._by, "replaced_by": replaced_by, "bound": 0}
        await displays.set_columns(self.conn, [{"store_id": self.store.id, "id": display["id"], **row}])
        await self.note(display["id"], Kind.RETIRED)
        if replaced_by is not None:
            await self.note(display["id"], Kind.SWAPPED, replacedBy=replaced_by)
        self._redraw.discard(display["id"])
        return bound

    async def restore(self, display: Record) -> None:
        """Use a retired display again, with nothing bound to it."""
        await self._change([(display, dict.fromkeys(("retired_at", "retired_by", "replaced_by")) | self._key(display))])

    async def resend(self, display: Record) -> None:
        """Have its face sent again, whatever was proven; from now on it counts as wrong until there is a new proof."""
        planned = await planning.resend(self.conn, self.store.id, display["id"], self.now)
        self.rings |= planned.gateways
        await self.note(display["id"], Kind.RESENT)

    def _key(self, display: Record) -> dict[str, Any]:
        return {"store_id": self.store.id, "id": display["id"]}

    async def plan(self) -> None:
        """Count what is bound, and plan the faces that follow."""
        if not self._redraw:
            return
        locked = await displays.lock(self.conn, self.store.id, self._redraw, displays.COUNTED)
        slots = await displays.slots(self.conn, self.store.id, self._redraw)
        counts = {row["id"]: len(slots[row["id"]]) for row in locked if row["bound"] != len(slots[row["id"]])}
        await displays.set_columns(
            self.conn, [{"store_id": self.store.id, "id": id_, "bound": count} for id_, count in counts.items()]
        )
        planned = await planning.plan_displays(self.conn, self.store.id, slots, self.now, "bind")
        self.rings |= planned.gateways
        self.batches.update(planned.batches)
