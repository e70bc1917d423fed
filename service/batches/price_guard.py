"""The guard over prices: what a batch would make of them, looked at before anything of it is saved.

A nightly file is not to be read twice. So chance chooses some hundred of its rows, and only where these leave a doubt
every row is looked at; which row changes nothing is seen by its mark, without reading it.
"""

import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from service.context import Shelfcast
from service.core import guards as core
from service.core import sales, staged
from service.core.guards import Example, Guards, Objection, Prices
from service.core.merging import STALE, merge
from service.core.product import Problem, Product, StoreFacts
from service.core.staged import Held
from service.store import batches, products
from service.store.database import Record
from service.store.statements import CHUNK, chunks

_decode = msgspec.json.Decoder(Product).decode

_KEPT_EVERY = 20
"""Pushes looked at between two renewals of the saver's lease."""


class Numbered(NamedTuple):
    """A row of a batch with its receivedSeq."""

    seq: int
    row: Held


class Choice:
    """Rows that chance chooses of a batch, the same whenever it is asked, as its pushes go by."""

    def __init__(self, batch: Record) -> None:
        total = batch["products_received"] - batch["products_rejected"]
        self.is_all = total <= core.ENOUGH
        chosen = range(total) if self.is_all else random.Random(batch["id"]).sample(range(total), core.ENOUGH)  # noqa: S311
        self._numbers = sorted(chosen, reverse=True)
        self._passed = 0
        self.pushes: list[tuple[int, list[Numbered]]] = []
        """(Place of the push, rows chosen of it)"""

    def look(self, place: int, push: Record, held: bytes, named: Sequence[tuple[int, str]]) -> None:
        """The next push, of which `staged.barcodes` made `named`."""
        numbers, end = [], self._passed + len(named)
        while self._numbers and self._numbers[-1] < end:
            numbers.append(self._numbers.pop() - self._passed)
        self._passed = end
        if numbers:
            rows = staged.some(held, named, numbers)
            self.pushes.append((place, [Numbered(push["first_seq"] + row.place, row) for row in rows]))


class PriceGuard:
    """One batch before the guard of its store; `winners` as the saver has it: barcode -> where its last row stands."""

    def __init__(
        self, ctx: Shelfcast, store: Record, batch: Record, winners: Mapping[str, int], guards: Guards
    ) -> None:
        self._ctx = ctx
        self._store_id: int = store["id"]
        self._facts = StoreFacts(store["currency"], store["timezone"], store["locale"])
        self._batch_id: str = batch["id"]
        self._winners = winners
        self._guards = guards

    async def objection(
        self, chosen: Choice, pushes: Sequence[Record], keep: Callable[[], Awaitable[object]]
    ) -> Objection | None:
        """Why the batch is to be held; `keep` is called now and then, where that takes long."""
        if self._guards.price_percent >= 100:  # noqa: PLR2004 - percent
            return None
        async with self._ctx.db.read() as connection:
            if not await products.sells(connection, self._store_id, max(self._guards.price_at_least, 1)):
                return None
        seen = Prices()
        await self._look(chosen.pushes, seen)
        if chosen.is_all:
            return core.prices(self._guards, seen)
        if not core.may_be_too_many(self._guards, seen):
            return None
        return core.prices(self._guards, await self._all(pushes, keep))

    async def _all(self, pushes: Sequence[Record], keep: Callable[[], Awaitable[object]]) -> Prices:
        seen = Prices()
        for place, push in enumerate(pushes):
            async with self._ctx.db.read() as connection:
                held = await batches.staged_rows(connection, self._store_id, self._batch_id, push["number"])
            rows = [Numbered(push["first_seq"] + row.place, row) for row in staged.rows(held)]
            await self._look([(place, rows)], seen)
            if place % _KEPT_EVERY == _KEPT_EVERY - 1:
                await keep()
        return seen

    async def _look(self, pushes: Sequence[tuple[int, Sequence[Numbered]]], seen: Prices) -> None:
        """Note what these rows make of the prices of products on sale, in as few questions as there can be."""
        last = [
            (place, [one for one in rows if self._winners.get(one.row.barcode) == place * CHUNK + one.row.place])
            for place, rows in pushes
        ]
        known: dict[str, tuple[str, int, bytes | None]] = {}
        async with self._ctx.db.read() as connection:
            for some in chunks(one.row.barcode for _, rows in last for one in rows):
                known |= await products.on_sale_now(connection, self._store_id, some)
        now = self._ctx.clock()
        for _, rows in last:
            self._compare([one for one in rows if one.row.barcode in known], known, seen, now)

    def _compare(
        self,
        rows: Sequence[Numbered],
        known: Mapping[str, tuple[str, int, bytes | None]],
        seen: Prices,
        now: int,
    ) -> None:
        """The same of one push's rows, all of products on sale."""
        before = {one.row.barcode: _decode(known[one.row.barcode][0]) for one in rows}
        after = before | self._after(rows, known, before)
        for barcode, product in before.items():
            prices = (sales.effective(product, now).price, sales.effective(after[barcode], now).price)
            seen.note(self._guards, Example(barcode, product.name, *prices))

    def _after(
        self,
        rows: Sequence[Numbered],
        known: Mapping[str, tuple[str, int, bytes | None]],
        before: Mapping[str, Product],
    ) -> dict[str, Product]:
        """Products as they will be, of rows that change them."""
        new = [one.row for one in rows if self._may_change(one, *known[one.row.barcode][1:])]
        parsed = staged.parse([row._replace(place=place) for place, row in enumerate(new)], self._facts)
        merged = {row.barcode: merge(before[row.barcode], row, self._facts) for row in parsed.rows}
        return {
            barcode: product
            for barcode, product in merged.items()
            if product is not STALE and not isinstance(product, Problem)
        }

    def _may_change(self, one: Numbered, received_seq: int, mark: bytes | None) -> bool:
        return received_seq <= one.seq and mark != staged.mark(one.row, self._facts)
