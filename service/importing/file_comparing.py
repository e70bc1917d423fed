"""A dry run: rows of a file compared with what the store has, and nothing saved.

Each barcode gets a row of what would become of it, in the database, so that the last row of a barcode counts, and what
the file does not name can be counted, without anything that grows with the file.
"""

from typing import Any

import msgspec

from service.context import Shelfcast
from service.core import guards, sales
from service.core.comparing import MOMENTS, differences, outcome
from service.core.fields import FIELDS
from service.core.guards import Example, Guards, Prices
from service.core.imports import Kind
from service.core.product import Product
from service.core.rows import parse_rows
from service.importing.file_rows import Some
from service.messages import time_or_none
from service.messages.imports import Counts
from service.saving import facts_of
from service.store import imports, products, tenants
from service.store.database import Connection, Record
from service.tenants.tokens import Caller

SHOWN = 1000
"""Products whose differences are kept, field by field."""

_TIMES = {name for name, (field, _) in FIELDS.items() if field in MOMENTS}
_decode = msgspec.json.Decoder(Product).decode
_decode_guards = msgspec.json.Decoder(Guards).decode
_encode = msgspec.json.Encoder().encode


class Comparing:
    """The comparison of one file."""

    def __init__(self, ctx: Shelfcast, caller: Caller, row: Record) -> None:
        self._ctx = ctx
        self._caller = caller
        self._import = row
        self._shown = 0
        self._rejected = 0
        self._prices = Prices()

    async def begin(self) -> bool:
        """Begin at the beginning, whatever a reader before found."""
        await self.drop("")
        return True

    async def take(self, some: Some) -> None:
        shown, rejected, prices = await self._ctx.db.write(self._compare, some)
        self._shown += shown
        self._rejected += rejected
        self._prices.add(prices)

    async def end(self) -> dict[str, Any]:
        """Every row is compared: what is noted of the import."""
        summary = await self._ctx.db.write(self._summed)
        while await self._ctx.db.write(imports.drop_marks, self._caller.store_id, self._import["id"]):
            pass
        return {"summary": summary}

    async def drop(self, _reason: str) -> None:
        """Nothing is told of a file that cannot be read."""
        while await self._ctx.db.write(imports.clear_differences, self._caller.store_id, self._import["id"]):
            pass

    async def _compare(self, connection: Connection, some: Some) -> tuple[int, int, Prices]:
        """How many of these rows are shown, how many are rejected, and what becomes of prices."""
        store = await tenants.store_record(connection, self._caller.store_id)
        facts, limits, prices, now = facts_of(store), _decode_guards(store["guards"]), Prices(), self._ctx.clock()
        parsed = parse_rows(some.raws, "whole", facts)
        known = await products.by_barcode(connection, self._caller.store_id, [row.barcode for row in parsed.rows])
        marks: dict[str, dict[str, Any]] = {}
        for row in parsed.rows:
            before = known.get(row.barcode)
            kept = None if before is None else _decode(before["content"])
            is_on_sale = before is not None and before["archived_at"] is None
            found = outcome(kept, row, facts, on_sale=is_on_sale)
            if kept is not None and is_on_sale and found.after is not None:
                costs = (sales.effective(kept, now).price, sales.effective(found.after, now).price)
                prices.note(limits, Example(row.barcode, kept.name, *costs))
            room = self._shown + sum(mark["fields"] is not None for mark in marks.values()) < SHOWN
            fields = _fields(kept if is_on_sale else None, found.after) if found.after is not None and room else None
            marks[row.barcode] = self._mark(row.barcode, some.rows[row.index].number, found.kind, fields)
        refused = {problem.barcode for problem in some.checked.errors if problem.barcode} - marks.keys()
        await imports.save_differences(connection, list(marks.values()))
        await imports.name_differences(connection, [self._mark(barcode, 0, Kind.REJECTED) for barcode in refused])
        unmade = sum(mark["kind"] == Kind.REJECTED for mark in marks.values())
        return sum(mark["fields"] is not None for mark in marks.values()), some.rejected + unmade, prices

    def _mark(self, barcode: str, number: int, kind: Kind, fields: str | None = None) -> dict[str, Any]:
        return {
            "store_id": self._caller.store_id,
            "import_id": self._import["id"],
            "barcode": barcode,
            "number": number,
            "kind": kind.value,
            "fields": fields,
        }

    async def _summed(self, connection: Connection) -> str:
        key = (self._caller.store_id, self._import["id"])
        found = await imports.count_differences(connection, *key)
        store = await tenants.store_record(connection, self._caller.store_id)
        missing, on_sale = await imports.not_named(connection, *key)
        archived = missing if self._import["mode"] == "full" else 0
        limits = _decode_guards(store["guards"])
        objection = guards.prices(limits, self._prices) or guards.archiving(limits, archived, on_sale)
        counts = Counts(
            created=found[Kind.CREATED],
            changed=found[Kind.CHANGED],
            unchanged=found[Kind.UNCHANGED],
            stale=found[Kind.STALE],
            rejected=self._rejected,
            archived=archived,
            on_sale=on_sale,
            held=objection.reason if objection else None,
        )
        return _encode(counts).decode()


def _fields(before: Product | None, after: Product) -> str:
    pairs = differences(before, after)
    told = {name: tuple(map(time_or_none, pair)) if name in _TIMES else pair for name, pair in pairs.items()}
    return _encode(told).decode()
