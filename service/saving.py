"""Rows become products: compared with what the store has, in the order received, and saved if they change anything.

One path for `/add`, `/productUpdate` and the saving phase of a batch. Runs inside the caller's transaction, under the
lock of the store, so that a comparison stays true until it is committed.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import msgspec

from service.core import differences, sales, staged
from service.core.guards import Example
from service.core.merging import STALE, changes_nothing, content_hash, merge
from service.core.product import Problem, Product, Row, StoreFacts
from service.core.row_rules import Kind
from service.core.searching import text_of
from service.core.staged import Held
from service.ids import new_id
from service.products.changes import change_row
from service.store import products
from service.store.database import Connection, Record
from service.store.statements import Rows

Cause = Literal["add", "update", "batch", "clock", "archive", "restore", "stock"]

NO_MARKS: Mapping[str, bytes] = {}

_decode = msgspec.json.Decoder(Product).decode
_encode = msgspec.json.Encoder().encode


class Received(NamedTuple):
    """An accepted row and its place in the order of everything the store received."""

    seq: int
    row: Row


@dataclass(frozen=True)
class Source:
    """Where rows came from, as price history keeps it: the batch or request, its push, the token, and when.

    Attributes:
        by_hand: Whether somebody changes this very product, rather than a feed whatever it has: stock is noted then.
        reason: In the words of who does it.
    """

    cause: Cause
    kind: Kind
    now: int
    cause_id: str | None = None
    batch_id: str | None = None
    push: int | None = None
    token_id: str | None = None
    by_hand: bool = False
    reason: str | None = None


class OnSale(NamedTuple):
    """A product as the store sells it now, None once it is archived; and its newest price in history."""

    product: Product | None
    price_id: str | None


@dataclass
class Saved:
    """What became of rows; a rejected one may have several problems.

    Attributes:
        touched: Barcode -> its product now, of those that are not what they were.
    """

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    stale: int = 0
    rejected: int = 0
    problems: list[Problem] = field(default_factory=list)
    touched: dict[str, OnSale] = field(default_factory=dict)

    def add(self, other: "Saved") -> None:
        """What became of other rows, of other products."""
        self.created += other.created
        self.updated += other.updated
        self.unchanged += other.unchanged
        self.stale += other.stale
        self.rejected += other.rejected
        self.problems += other.problems
        self.touched |= other.touched


def facts_of(store: Record) -> StoreFacts:
    return StoreFacts(store["currency"], store["timezone"], store["locale"])


async def on_sale(connection: Connection, store_id: int, barcodes: Collection[str]) -> dict[str, OnSale]:
    """Products that the store has, or has had."""
    return {
        barcode: OnSale(None if row["archived_at"] else _decode(row["content"]), row["price_id"])
        for barcode, row in (await products.by_barcode(connection, store_id, barcodes)).items()
    }


async def priced(connection: Connection, store_id: int, barcodes: Collection[str], now: int) -> list[Example]:
    """Products on sale and what they cost, as a guard names those that would be taken off sale."""
    known = await on_sale(connection, store_id, barcodes)
    sold = [one.product for _, one in sorted(known.items()) if one.product]
    return [Example(product.barcode, product.name, sales.effective(product, now).price, None) for product in sold]


async def save_held(
    connection: Connection, store_id: int, facts: StoreFacts, rows: Sequence[tuple[int, Held]], source: Source
) -> Saved:
    """The same of rows that a push held, each with its receivedSeq; those that came before word for word are not read.

    A product keeps the mark of the batch's row that made it what it is, until anything else changes it: the same words
    would make the same of it again.
    """
    newest = await products.newest_rows(connection, store_id, [row.barcode for _, row in rows])
    marks: dict[str, bytes] = {}
    same: dict[str, int] = {}
    others: dict[int, tuple[int, Held]] = {}
    for seq, row in rows:
        mark = staged.mark(row, facts)
        before = newest.get(row.barcode)
        if before and before[0] == mark and before[1] <= seq:
            same[row.barcode] = seq
        else:
            marks[row.barcode] = mark
            others[row.place] = seq, row
    parsed = staged.parse([row for _, row in others.values()], facts)
    received = [Received(others[row.index][0], row) for row in parsed.rows]
    saved = await save_rows(connection, store_id, facts, received, source, marks)
    saved.unchanged += len(same)
    saved.rejected += len({problem.index for problem in parsed.errors})
    saved.problems += parsed.errors
    await _note_same(connection, store_id, same, source)
    return saved


async def save_rows(
    connection: Connection,
    store_id: int,
    facts: StoreFacts,
    rows: Sequence[Received],
    source: Source,
    marks: Mapping[str, bytes] = NO_MARKS,
) -> Saved:
    """Save rows, at most one for each barcode. The caller holds the store's lock."""
    known = await products.by_barcode(connection, store_id, [row.barcode for _, row in rows])
    saved = Saved()
    writes: dict[bool, list[dict[str, Any]]] = {True: [], False: []}
    prices, changes = list[dict[str, Any]](), list[dict[str, Any]]()
    same: dict[str, int] = {}
    for seq, row in rows:
        before = known.get(row.barcode)
        if before is not None and before["received_seq"] > seq:
            saved.stale += 1
            continue
        kept = None if before is None else _kept(before, source.kind)
        if kept and before and before["archived_at"] is None and changes_nothing(kept, row, facts):
            same[row.barcode] = seq
            continue
        after = merge(kept, row, facts)
        if after is STALE:
            saved.stale += 1
        elif isinstance(after, Problem):
            saved.problems.append(after)
        elif kept == after and before and before["archived_at"] is None and before["content"] == _text(after):
            same[row.barcode] = seq
        else:
            change = _Change(store_id, before, kept, after, seq)
            price = change.price_row(facts, source, row.index)
            prices += price
            changes += change.change_row(source, row)
            writes[change.moves].append(change.product_row(price, source.now, marks.get(row.barcode)))
            change.note(saved, writes[change.moves][-1]["price_id"])
    saved.unchanged, saved.rejected = saved.unchanged + len(same), len(saved.problems)
    await products.append_prices(connection, prices)
    await products.append_changes(connection, changes)
    await products.set_columns(connection, writes[False])
    await products.save(connection, writes[True])
    await _note_same(connection, store_id, same, source, marks)
    return saved


async def _note_same(
    connection: Connection, store_id: int, same: dict[str, int], source: Source, marks: Mapping[str, bytes] = NO_MARKS
) -> None:
    """Rows that said what their products are: known from now on, and the newest where older ones may still come."""
    learnt = [{"store_id": store_id, "barcode": b, "row_mark": marks[b]} for b in same if b in marks]
    await products.set_columns(connection, learnt)
    if same and await products.older_is_unsaved(connection, store_id, source.batch_id, max(same.values())):
        await products.raise_sequence(connection, store_id, same)


def _kept(before: Record, kind: Kind) -> Product | None:
    """What a row is merged into: nothing, where a patch would revive what the store no longer sells."""
    return None if kind == "patch" and before["archived_at"] is not None else _decode(before["content"])


def _text(product: Product) -> str:
    return _encode(product).decode()


class _Change:
    """A product before and after a row that changes it, be it only in `source_updated_at`, which guards its order."""

    def __init__(self, store_id: int, before: Record | None, kept: Product | None, after: Product, seq: int) -> None:
        self._store_id = store_id
        self._before = before
        self._kept = kept
        self._after = after
        self._seq = seq
        self._hash = content_hash(after)

    @property
    def _is_new(self) -> bool:
        return self._before is None or self._before["archived_at"] is not None

    @property
    def _is_touched(self) -> bool:
        return self._before is None or self._is_new or self._before["content_hash"] != self._hash

    def note(self, saved: Saved, price_id: str | None) -> None:
        if self._is_touched:
            saved.touched[self._after.barcode] = OnSale(self._after, price_id)
        if self._is_new:
            saved.created += 1
        elif self._is_touched:
            saved.updated += 1
        else:
            saved.unchanged += 1

    def price_row(self, facts: StoreFacts, source: Source, index: int) -> list[dict[str, Any]]:
        """A new row of price history, if any price differs, or if the clock changed it and nobody wrote so yet."""
        before, kept = self._before, self._kept
        if before is not None and kept is not None and not self._is_new:
            stated = _prices(kept, _stated_at(before, source.now))
            if stated == _prices(self._after, source.now):
                return []
        return [price_row(self._store_id, self._after, facts.currency, source, index)]

    def change_row(self, source: Source, row: Row) -> list[dict[str, Any]]:
        """What else is different; nothing for a product that the store never had."""
        if self._before is None:
            return []
        found: differences.Differences = {differences.ARCHIVED: (True, False)} if self._is_new else {}
        if self._kept is not None:
            found |= differences.between(self._kept, self._after, row.fields, with_stock=source.by_hand)
        return [change_row(self._store_id, row.barcode, found, source, row.index)] if found else []

    @property
    def moves(self) -> bool:
        """Whether lists and searches find it at another place.

        If not, their columns are better not set at all: the database then leaves their indexes alone.
        """
        kept, after = self._kept, self._after
        if self._is_new or kept is None:
            return True
        return (kept.name, kept.category, kept.sku, kept.brand) != (after.name, after.category, after.sku, after.brand)

    def product_row(self, new_prices: Rows, now: int, mark: bytes | None) -> dict[str, Any]:
        row: dict[str, Any] = {
            "store_id": self._store_id,
            "barcode": self._after.barcode,
            "content": _text(self._after),
            "content_hash": self._hash,
            "received_seq": self._seq,
            **_newest_price(new_prices[-1] if new_prices else None, self._before),
            "row_mark": mark,
            "next_change_at": sales.next_change_at(self._after, now),
            "updated_at": now,
        }
        return row | self._place(now) if self.moves else row

    def _place(self, now: int) -> dict[str, Any]:
        """What lists and searches find it by."""
        return {
            "id": self._before["id"] if self._before else new_id(),
            "name": self._after.name,
            "category": self._after.category,
            "search": text_of(self._after),
            "archived_at": None,
            "created_at": self._before["created_at"] if self._before else now,
        }


def _stated_at(row: Record, now: int) -> int:
    """A moment for which the newest price in history holds: the clock may have changed it since, unnoticed so far."""
    turn: int | None = row["next_change_at"]
    return now if turn is None else min(now, turn - 1)


def _prices(product: Product, now: int) -> tuple[int | None, ...]:
    return product.price, product.sale_price, sales.effective(product, now).price


def price_row(
    store_id: int, product: Product, currency: str, source: Source, index: int | None = None
) -> dict[str, Any]:
    """What the product costs from now on, and why."""
    return {
        "store_id": store_id,
        "id": new_id(),
        "barcode": product.barcode,
        "regular": product.price,
        "sale": product.sale_price,
        "effective": sales.effective(product, source.now).price if source.cause != "archive" else None,
        "currency": currency,
        "cause": source.cause,
        "cause_id": source.cause_id,
        "push": source.push,
        "row": index,
        "token_id": source.token_id,
        "received_at": source.now,
        "effective_at": source.now,
    }


async def turn_clock(connection: Connection, store: Record, barcodes: Sequence[str], now: int) -> list[str]:
    """Products that the clock changes by now: prices of this moment, where they are new; the barcodes in any case."""
    facts = facts_of(store)
    source = Source("clock", "patch", now)
    due = {
        barcode: row
        for barcode, row in (await products.by_barcode(connection, store["id"], barcodes)).items()
        if row["archived_at"] is None
    }
    known = {barcode: _decode(row["content"]) for barcode, row in due.items()}
    prices = {
        barcode: price_row(store["id"], product, facts.currency, source)
        for barcode, product in known.items()
        if _prices(product, _stated_at(due[barcode], now)) != _prices(product, now)
    }
    await products.append_prices(connection, list(prices.values()))
    await products.set_columns(
        connection,
        [
            {
                "store_id": store["id"],
                "barcode": barcode,
                **_newest_price(prices.get(barcode), row),
                "next_change_at": sales.next_change_at(known[barcode], now),
            }
            for barcode, row in due.items()
        ],
    )
    return sorted(due)


def _newest_price(new: Mapping[str, Any] | None, before: Record | None) -> dict[str, Any]:
    """What a product has of its newest price."""
    if new is not None:
        return {"price_id": new["id"], "price_since": new["effective_at"]}
    return {name: before and before[name] for name in ("price_id", "price_since")}


async def archive(
    connection: Connection, store: Record, barcodes: Sequence[str], before: int, source: Source
) -> list[str]:
    """Take products that were received before this number off sale: displays go blank, history stays; which those are.

    The number becomes theirs, so that rows received before it do not bring them back.
    """
    known = {
        barcode: row
        for barcode, row in (await products.by_barcode(connection, store["id"], barcodes)).items()
        if row["archived_at"] is None and row["received_seq"] < before
    }
    prices = {
        barcode: price_row(store["id"], _decode(row["content"]), store["currency"], source)
        for barcode, row in known.items()
    }
    await products.append_prices(connection, list(prices.values()))
    gone = {differences.ARCHIVED: (False, True)}
    await products.append_changes(connection, [change_row(store["id"], barcode, gone, source) for barcode in known])
    await products.set_columns(
        connection,
        [
            {
                "store_id": store["id"],
                "barcode": barcode,
                **_newest_price(prices[barcode], None),
                "next_change_at": None,
                "received_seq": before,
                "archived_at": source.now,
            }
            for barcode in known
        ],
    )
    return sorted(known)
