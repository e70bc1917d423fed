"""What the contract says a store does, in the smallest words: a dictionary of products and a list of sessions.

Written from docs/api.md and knowing nothing of the service: whatever the two disagree about is a mistake of one.
"""

from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

Row = dict[str, Any]
Finding = tuple[int, str | None, str]
"""(index of the row, field, code)"""
Shown = tuple[str, str, str | None, str | None]
"""(barcode, name, price to pay, price to strike through)"""

STATED_WHOLE = ("salePrice",)
"""Of the fields used here, those that a whole row clears by leaving them out."""
MOMENTS = ("2026-01-01", "2026-01-02", "2026-01-03T12:00:00Z")
"""Values of sourceUpdatedAt, oldest first."""
CENT = Decimal("0.01")
DECIMALS = 4
PRICED = ("price", "salePrice")


@dataclass(frozen=True)
class Product:
    """Prices and quantities as exact decimals; `seq` is the receivedSeq of what it is made of."""

    name: str | None = None
    price: Decimal | None = None
    sale: Decimal | None = None
    stock: Decimal | None = None
    source: str | None = None
    seq: int = 0
    archived: bool = False

    @property
    def content(self) -> tuple[Any, ...]:
        return self.name, self.price, self.sale, self.stock

    def shown(self, barcode: str) -> Shown:
        on_sale = self.sale is not None and (self.price is None or self.sale < self.price)
        now, regular = (self.sale, self.price) if on_sale else (self.price, None)
        return barcode, self.name or "", _shelf(now), _shelf(regular)


def _shelf(price: Decimal | None) -> str | None:
    return None if price is None else str(price.quantize(CENT, ROUND_HALF_UP))


@dataclass
class Read:
    """Rows as the contract reads them: `rows` are (index, barcode, fields)."""

    rows: list[tuple[int, str, Row]] = field(default_factory=list)
    errors: list[Finding] = field(default_factory=list)
    warnings: list[Finding] = field(default_factory=list)

    @property
    def refused(self) -> int:
        return len({index for index, _, _ in self.errors})

    def doubles(self) -> list[Finding]:
        last = {barcode: index for index, barcode, _ in self.rows}
        return [(index, "barcode", "duplicate") for index, barcode, _ in self.rows if last[barcode] != index]


def read(rows: list[Any], kind: str) -> Read:
    result = Read()
    for index, row in enumerate(rows):
        errors, warnings, fields = _read_row(row, kind)
        result.errors += [(index, *error) for error in errors]
        result.warnings += [(index, *warning) for warning in warnings]
        if not errors:
            result.rows.append((index, row["barcode"].strip(), fields))
    return result


def _read_row(row: Any, kind: str) -> tuple[list[tuple[str | None, str]], list[tuple[str, str]], Row]:
    if not isinstance(row, dict):
        return [(None, "wrong_type")], [], {}
    errors: dict[str, str] = {}
    warnings: list[tuple[str, str]] = []
    fields: Row = dict.fromkeys(STATED_WHOLE) if kind == "whole" else {}
    if (barcode := row.get("barcode")) is None:
        errors["barcode"] = "required"
    elif not isinstance(barcode, str):
        errors["barcode"] = "wrong_type"
    for name, value in row.items():
        stated: Any = _stated(name, value)
        if isinstance(stated, Refused):
            errors[name] = stated
        elif name != "barcode":
            fields[name] = stated
            if name in PRICED and stated is not None and stated != stated.quantize(CENT):
                warnings.append((name, "rounded_on_the_shelf"))
    _require(fields, kind, errors)
    price, sale = fields.get("price"), fields.get("salePrice")
    if price is not None and sale is not None and sale >= price:
        warnings.append(("salePrice", "sale_not_lower"))
    return list(errors.items()), warnings, fields


def _require(fields: Row, kind: str, errors: dict[str, str]) -> None:
    if kind == "patch":
        if "name" in fields and fields["name"] is None:
            errors["name"] = "required"
        return
    if fields.get("name") is None:
        errors["name"] = "required"
    if fields.get("price") is None:
        fields.pop("price", None)
        if fields.get("salePrice") is None and "salePrice" not in errors:
            errors.setdefault("price", "required")


class Refused(str):
    """The code of why a value is none."""

    __slots__ = ()


def _stated(name: str, value: Any) -> Any:
    if value is None or name not in (*PRICED, "stock"):
        return value
    return _price(value) if name in PRICED else Decimal(str(value))


def _price(value: Any) -> Decimal | Refused:
    if isinstance(value, dict):
        value = value["amount"]
    try:
        price = Decimal(str(value))
    except ArithmeticError:
        return Refused("not_a_price")
    if price < 0:
        return Refused("negative")
    return Refused("too_many_decimals") if -int(price.as_tuple().exponent) > DECIMALS else price


@dataclass
class Push:
    key: str | None
    sequence: int | None
    sent: list[Any]
    body: bytes
    first_seq: int
    read: Read
    answer: dict[str, Any] = field(default_factory=dict)


@dataclass
class Session:
    """One batch. `tags`: display -> pending or superseded, since no hardware answers in this model."""

    id: str
    mode: str
    expected: int | None
    reference: str | None
    started_seq: int
    status: str = "open"
    pushes: list[Push] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    closed_at: int = 0
    is_released: bool = False
    waited: bool = False

    @property
    def received(self) -> int:
        return sum(len(push.sent) for push in self.pushes)

    def ordered(self) -> list[Push]:
        """By sequence, where there is one, else by arrival."""
        places = {id(push): place for place, push in enumerate(self.pushes)}
        orders = [(places[id(push)] if push.sequence is None else push.sequence) for push in self.pushes]
        return [push for _, _, push in sorted(zip(orders, range(len(orders)), self.pushes, strict=True))]

    def pushed_before(self, key: str | None, sequence: int | None) -> Push | None:
        """The header is the key where there is one; the sequence is one too."""
        by_key = (push for push in self.pushes if key is not None and push.key == key)
        by_sequence = (push for push in self.pushes if sequence is not None and push.sequence == sequence)
        return next(by_key, None) or next(by_sequence, None)

    def tag_counts(self) -> tuple[int, int, int]:
        states = list(self.tags.values())
        return len(states), states.count("pending"), states.count("superseded")


@dataclass
class Store:
    """One store. `bound`: display -> barcodes by slot."""

    bound: dict[str, list[str]]
    archive_percent: float = 50.0
    archive_at_least: int = 1
    products: dict[str, Product] = field(default_factory=dict)
    sessions: dict[str, Session] = field(default_factory=dict)
    seq: int = 0
    completions: int = 0

    def next_seq(self, count: int) -> int:
        self.seq += count
        return self.seq - count + 1

    def faces(self) -> dict[str, list[Shown | None] | None]:
        """What each display should show; None where it has never had anything to show."""
        return {display: self._face(barcodes) for display, barcodes in self.bound.items()}

    def _face(self, barcodes: list[str]) -> list[Shown | None] | None:
        slots = [(barcode, self.products.get(barcode)) for barcode in barcodes]
        while slots and slots[-1][1] is None:
            slots.pop()
        shown = [None if one is None or one.archived else one.shown(barcode) for barcode, one in slots]
        return shown or None

    def change(self, sent: list[Any], kind: str) -> tuple[Read, dict[str, int]]:
        """`/add` and `/productUpdate`: what was read, with what saving refused, and what became of the rows."""
        before, found = self.faces(), read(sent, kind)
        counts = dict.fromkeys(("created", "updated", "unchanged", "stale", "duplicate"), 0)
        first = self.next_seq(len(found.rows))
        last = {barcode: place for place, (_, barcode, _) in enumerate(found.rows)}
        for place, (index, barcode, fields) in enumerate(found.rows):
            if last[barcode] != place:
                counts["duplicate"] += 1
                continue
            word = self._apply(barcode, fields, kind, first + place)
            if word in counts:
                counts[word] += 1
            else:
                found.errors.append((index, *word.split(" ")))  # type: ignore[arg-type]
        counts["tags"] = len(self._changed(before))
        return found, counts

    def _apply(self, barcode: str, fields: Row, kind: str, seq: int) -> str:
        """Created, updated, unchanged, stale; or the field and the code of why not."""
        before = self.products.get(barcode)
        if before is not None and before.seq > seq:
            return "stale"
        kept = None if before is None or (kind == "patch" and before.archived) else before
        source = fields.get("sourceUpdatedAt")
        if kept and source and kept.source and MOMENTS.index(source) < MOMENTS.index(kept.source):
            return "stale"
        after = _merged(kept or Product(), fields, kind)
        missing = "name" if not after.name else "price" if after.price is None and after.sale is None else None
        if missing:
            return f"{missing} {'required' if kept else 'unknown_product'}"
        self.products[barcode] = replace(after, seq=seq, archived=False)
        if before is None or before.archived:
            return "created"
        return "unchanged" if before.content == after.content else "updated"

    def _changed(self, before: dict[str, Any], own: Session | None = None) -> list[str]:
        """Displays whose face is another now; batches that still wanted the old one are superseded there."""
        now = self.faces()
        changed = [display for display in now if now[display] != before[display]]
        for session in self.sessions.values():
            for display in changed:
                if session is not own and session.tags.get(display) == "pending":
                    session.tags[display] = "superseded"
            if session.status == "processing" and session.counts and "pending" not in session.tags.values():
                session.status = "completed"
        return changed

    def complete(self, session: Session) -> None:
        if session.status == "open":
            self.completions += 1
            session.status, session.closed_at = "processing", self.completions

    def cancel(self, session: Session) -> None:
        session.status = "cancelled"
        session.tags = {display: state for display, state in session.tags.items() if state != "pending"}

    def save(self) -> None:
        """The saving phase of every completed session, in the order in which they were completed."""
        due = [one for one in self.sessions.values() if one.status == "processing" and not one.counts]
        for session in sorted(due, key=lambda one: one.closed_at):
            self._save(session)

    def _save(self, session: Session) -> None:
        before = self.faces()
        pushes = session.ordered()
        winners = {barcode: (place, index) for place, push in enumerate(pushes) for index, barcode, _ in push.read.rows}
        if session.mode == "full" and not session.is_released and self._objects(session, winners.keys()):
            session.status = "held"
            return
        words = [
            self._apply(barcode, fields, "whole", push.first_seq + number)
            if winners[barcode] == (place, index)
            else "duplicate"
            for place, push in enumerate(pushes)
            for number, (index, barcode, fields) in enumerate(push.read.rows)
        ]
        kinds = ("created", "updated", "unchanged", "stale", "duplicate")
        session.counts = {word: words.count(word) for word in kinds} | {"archived": 0}
        if session.mode == "full":
            missing = self._missing(session, winners.keys())
            session.counts["archived"] = len(missing)
            for barcode in missing:
                self.products[barcode] = replace(self.products[barcode], archived=True, seq=session.started_seq)
        session.tags = dict.fromkeys(self._changed(before, session), "pending")
        if not session.tags:
            session.status = "completed"

    def _missing(self, session: Session, winners: Any) -> list[str]:
        """On sale, older than the session, and not named by it, not even in a row that was refused."""
        refused = {
            push.sent[index]["barcode"]
            for push in session.pushes
            for index, _, _ in push.read.errors
            if isinstance(push.sent[index], dict) and isinstance(push.sent[index].get("barcode"), str)
        }
        return [
            barcode
            for barcode, product in self.products.items()
            if not product.archived and product.seq < session.started_seq and barcode not in winners | refused
        ]

    def _objects(self, session: Session, winners: Any) -> bool:
        on_sale = sum(not product.archived for product in self.products.values())
        missing = len(self._missing(session, winners))
        return missing > self.archive_at_least and missing * 100 > self.archive_percent * on_sale


def _merged(kept: Product, fields: Row, kind: str) -> Product:
    names = {"name": "name", "price": "price", "salePrice": "sale", "stock": "stock", "sourceUpdatedAt": "source"}
    stated = {names[name]: value for name, value in fields.items() if name != "sourceUpdatedAt" or value is not None}
    after = replace(kept, **stated)
    lowered = after.sale is not None and after.price is not None and after.sale >= after.price
    if kind == "whole" and "price" not in fields and lowered:
        return replace(after, price=None)  # a sale price alone: the kept price would be the lower one
    return after
