"""Products changed one by one, by people and their programs: through the very machinery of the feed, with its checks.

Each change takes the store's next receivedSeq, so that rows which were received before do not undo it; its prices are
in history with the token, the faces of its displays are planned in the same transaction, and the audit log has it.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Concatenate, NamedTuple, ParamSpec, TypeVar

import msgspec
import structlog

from service import auditing, planning, progress, saving
from service.auditing import Who
from service.context import Shelfcast
from service.core import differences, sales
from service.core.actions import Action
from service.core.problems import RefusedError
from service.core.product import Problem, Product, Row
from service.core.quantities import parse_quantity
from service.core.row_rules import Kind
from service.core.rows import Parsed, parse_rows
from service.core.stock import added
from service.errors import ConflictError, RowsRefusedError, ValidationError
from service.messages import Accepted, time
from service.messages.products import ChangedProduct, ChangedStock, Outcome
from service.products import catalogue
from service.products.catalogue import Named, Shop
from service.products.changes import change_row
from service.saving import Cause, OnSale, Received, Saved, Source
from service.store import answered, displays, products
from service.store.database import Connection, Record
from service.tenants.stores import known_store

P = ParamSpec("P")
T = TypeVar("T")

ANSWERED_FOR = 7 * 24 * 60 * 60 * 1000
"""Milliseconds that an answer is kept for its Idempotency-Key."""

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Product).decode
_decode_stock = msgspec.json.Decoder(ChangedStock).decode


class Editor(NamedTuple):
    """The store whose products are changed, and on whose word."""

    shop: Shop
    who: Who


async def editor_of(ctx: Shelfcast, slug: str, by: str) -> Editor:
    """Whoever changes products of this store at a shell; raises NotFoundError if there is no such store."""
    async with ctx.db.read() as connection:
        store = await known_store(connection, slug)
    return Editor(catalogue.shop_at(store), Who(store.organisation_id, store.id, by))


class StockChange(NamedTuple):
    """What is to become of a stock: counted up or down, or set; None: it is not known any more.

    Attributes:
        value: As it was sent: a number, or text.
        key: The Idempotency-Key, so that repeating it counts once.
        body_hash: Of the product's name in the path and the body.
    """

    is_difference: bool
    value: Any
    reason: str | None = None
    key: str | None = None
    body_hash: str = ""


@dataclass
class _Edit:
    """One transaction's work on one product; made anew if the database has it run again."""

    ctx: Shelfcast
    editor: Editor
    connection: Connection
    now: int
    planned: planning.Planned

    @property
    def store_id(self) -> int:
        return self.editor.shop.store_id

    def source(self, cause: Cause, kind: Kind = "patch", reason: str | None = None) -> Source:
        request = structlog.contextvars.get_contextvars().get("request_id")
        token_id = self.editor.who.token_id
        return Source(cause, kind, self.now, request, token_id=token_id, by_hand=True, reason=reason)

    async def next_sequence(self) -> int:
        return await products.next_sequence(self.connection, self.store_id, 1)

    async def barcode_of(self, named: Named) -> str:
        return await catalogue.barcode_of(self.connection, self.editor.shop, named)

    async def row(self, barcode: str) -> Record | None:
        return (await products.by_barcode(self.connection, self.store_id, [barcode])).get(barcode)

    async def known(self, named: Named) -> Record:
        """The product, on sale or not; raises NotFoundError."""
        barcode = await self.barcode_of(named)
        return (await products.by_barcode(self.connection, self.store_id, [barcode]))[barcode]

    async def on_sale(self, named: Named) -> Record:
        """Raises NotFoundError, ConflictError if it is archived."""
        row = await self.known(named)
        if row["archived_at"] is not None:
            raise ConflictError(f"The product is archived since {time(row['archived_at'])}; restore it first.")
        return row

    async def save(self, row: Row, source: Source) -> Saved:
        """As a row of the feed, the newest of all; raises RowsRefusedError."""
        received = Received(await self.next_sequence(), row)
        saved = await saving.save_rows(self.connection, self.store_id, self.editor.shop.facts, [received], source)
        if saved.problems:
            raise _refused(saved.problems)
        if saved.stale:
            raise ConflictError("The store has the product as its source changed it later than sourceUpdatedAt says.")
        await self.plan(saved.touched, source)
        return saved

    async def plan(self, touched: Mapping[str, OnSale], source: Source) -> None:
        affected = await displays.of_barcodes(self.connection, self.store_id, touched)
        self.planned = await planning.plan_displays(
            self.connection, self.store_id, affected, self.now, source.cause, known=touched
        )
        await progress.advance(self.connection, self.store_id, self.planned.batches, self.now, self.ctx.settings)

    async def note(self, action: Action, row: Record | Mapping[str, Any], **detail: Any) -> None:
        who = self.editor.who
        await auditing.note(self.connection, who, self.now, action, row["id"], row["barcode"], **detail)

    async def answer(self, outcome: Outcome, barcode: str, warnings: list[Problem] | None = None) -> ChangedProduct:
        return ChangedProduct(
            outcome=outcome,
            product=await catalogue.message(self.connection, self.editor.shop, barcode, self.now),
            displays=len(self.planned.changed),
            warnings=warnings or [],
        )


async def _edited(
    ctx: Shelfcast,
    editor: Editor,
    work: Callable[Concatenate[_Edit, P], Awaitable[T]],
    *args: P.args,
    **named: P.kwargs,
) -> T:
    """Run `work(edit, …)` in one transaction under the store's lock, and ring for what it planned."""

    async def locked(connection: Connection) -> tuple[T, planning.Planned]:
        await products.lock_store(connection, editor.shop.store_id)
        edit = _Edit(ctx, editor, connection, ctx.clock(), planning.Planned())
        return await work(edit, *args, **named), edit.planned

    answer, planned = await ctx.db.write(locked)
    await ctx.bell.ring_gateways(planned.gateways)
    return answer


async def create(ctx: Shelfcast, editor: Editor, body: msgspec.Raw) -> ChangedProduct:
    """A new product, as a row of `/add` states it; one that was archived is on sale again.

    Raises RowsRefusedError with what is wrong, ConflictError if it is on sale already.
    """
    return await _edited(ctx, editor, _create, _parsed(body, "whole", editor))


async def _create(edit: _Edit, parsed: Parsed) -> ChangedProduct:
    (row,) = parsed.rows
    before = await edit.row(row.barcode)
    if before is not None and before["archived_at"] is None:
        raise ConflictError(
            f"The store sells {row.barcode} already: it has had it since {time(before['created_at'])}, as product "
            f"{before['id']}. PATCH changes it."
        )
    await edit.save(row, edit.source("add", "whole"))
    answer = await edit.answer("created", row.barcode, parsed.warnings)
    made = {"id": answer.product.id, "barcode": row.barcode}
    await edit.note(Action.PRODUCT_CREATED, made, product_name=answer.product.name, price=answer.product.now.price)
    return answer


async def patch(ctx: Shelfcast, editor: Editor, named: Named, body: Mapping[str, msgspec.Raw]) -> ChangedProduct:
    """Change some fields, as a row of `/productUpdate` does: what is absent stays, null clears.

    Raises NotFoundError, ConflictError for an archived product or an old sourceUpdatedAt, RowsRefusedError.
    """
    return await _edited(ctx, editor, _patch, named, body)


async def _patch(edit: _Edit, named: Named, body: Mapping[str, msgspec.Raw]) -> ChangedProduct:
    before = await edit.on_sale(named)
    own = _encode(before["barcode"])
    if "barcode" in body and bytes(body["barcode"]) != own:
        reason = "is not the product's own, and cannot be changed"
        raise ValidationError(f"The barcode in the body {reason}.", {"barcode": reason})
    parsed = _parsed(msgspec.Raw(_encode({**body, "barcode": msgspec.Raw(own)})), "patch", edit.editor)
    saved = await edit.save(parsed.rows[0], edit.source("update"))
    answer = await edit.answer("updated" if saved.updated else "unchanged", before["barcode"], parsed.warnings)
    if saved.updated:
        await edit.note(Action.PRODUCT_CHANGED, before, changed=_changed(before, answer))
    return answer


def _changed(before: Record, answer: ChangedProduct) -> dict[str, Any]:
    """Field -> [before, after], prices too."""
    was = catalogue.shown(_decode(before["content"]))
    is_ = {name: getattr(answer.product, name) for name in was}
    return {
        name: [differences.short(was[name]), differences.short(is_[name])]
        for name in was
        if msgspec.to_builtins(was[name]) != msgspec.to_builtins(is_[name])
    }


def _parsed(body: msgspec.Raw, kind: Kind, editor: Editor) -> Parsed:
    parsed = parse_rows([body], kind, editor.shop.facts)
    if parsed.errors:
        raise _refused(parsed.errors, parsed.warnings)
    return parsed


def _refused(errors: list[Problem], warnings: list[Problem] | None = None) -> RowsRefusedError:
    members = Accepted(received=1, accepted=0, rejected=1, errors=errors, warnings=warnings or [])
    why = " ".join(f"{problem.field}: {problem.detail}" if problem.field else problem.detail for problem in errors)
    return RowsRefusedError(f"The product was refused. {why}", msgspec.to_builtins(members))


async def archive(ctx: Shelfcast, editor: Editor, named: Named, reason: str | None = None) -> ChangedProduct:
    """Take a product off sale: its displays go blank, its history stays. Again, it changes nothing.

    Raises NotFoundError.
    """
    return await _edited(ctx, editor, _archive, named, reason)


async def _archive(edit: _Edit, named: Named, reason: str | None) -> ChangedProduct:
    before = await edit.known(named)
    barcode = before["barcode"]
    if before["archived_at"] is not None:
        return await edit.answer("unchanged", barcode)
    store = await products.lock_store(edit.connection, edit.store_id)
    source = edit.source("archive", reason=reason)
    await saving.archive(edit.connection, store, [barcode], await edit.next_sequence(), source)
    await edit.plan({barcode: OnSale(None, None)}, source)
    await edit.note(Action.PRODUCT_ARCHIVED, before, reason=reason)
    return await edit.answer("archived", barcode)


async def restore(ctx: Shelfcast, editor: Editor, named: Named, reason: str | None = None) -> ChangedProduct:
    """Put an archived product on sale again, as it was before. Again, it changes nothing. Raises NotFoundError."""
    return await _edited(ctx, editor, _restore, named, reason)


async def _restore(edit: _Edit, named: Named, reason: str | None) -> ChangedProduct:
    before = await edit.known(named)
    barcode = before["barcode"]
    if before["archived_at"] is None:
        return await edit.answer("unchanged", barcode)
    source = edit.source("restore", reason=reason)
    product = _decode(before["content"])
    price = saving.price_row(edit.store_id, product, edit.editor.shop.facts.currency, source)
    back = change_row(edit.store_id, barcode, {differences.ARCHIVED: (True, False)}, source)
    columns = {
        "store_id": edit.store_id,
        "barcode": barcode,
        "received_seq": await edit.next_sequence(),
        "price_id": price["id"],
        "next_change_at": sales.next_change_at(product, edit.now),
        "archived_at": None,
        "updated_at": edit.now,
    }
    await products.append_prices(edit.connection, [price])
    await products.append_changes(edit.connection, [back])
    await products.set_columns(edit.connection, [columns])
    await edit.plan({barcode: OnSale(product, price["id"])}, source)
    await edit.note(Action.PRODUCT_RESTORED, before, reason=reason)
    return await edit.answer("restored", barcode)


async def change_stock(ctx: Shelfcast, editor: Editor, named: Named, change: StockChange) -> ChangedStock:
    """Count a stock up or down, or set it; adjustments at the same time add up, and each key counts once.

    Raises NotFoundError, ConflictError for an archived product, for counting what is not known and for a key that came
    with another request, ValidationError for what is no quantity.
    """
    return await _edited(ctx, editor, _change_stock_once, named, change)


async def _change_stock_once(edit: _Edit, named: Named, change: StockChange) -> ChangedStock:
    if change.key is None:
        return await _change_stock(edit, named, change)
    before = await answered.find(edit.connection, edit.store_id, change.key)
    if before is not None and before["body_hash"] != change.body_hash:
        raise ConflictError("This Idempotency-Key came with another request before.")
    if before is not None:
        return _decode_stock(before["answer"])
    answer = await _change_stock(edit, named, change)
    await answered.forget(edit.connection, edit.store_id, edit.now - ANSWERED_FOR)
    await answered.keep(edit.connection, edit.store_id, change.key, change.body_hash, _encode(answer), edit.now)
    return answer


async def _change_stock(edit: _Edit, named: Named, change: StockChange) -> ChangedStock:
    before = await edit.on_sale(named)
    product = _decode(before["content"])
    after = _counted(product.stock, change)
    source = edit.source("stock", reason=change.reason)
    await edit.save(Row(0, product.barcode, {"stock": after}), source)
    if after != product.stock:
        detail = {"before": product.stock, "after": after, "reason": change.reason}
        await edit.note(Action.STOCK_ADJUSTED, before, **detail)
    return ChangedStock(
        product_id=before["id"],
        barcode=product.barcode,
        before=product.stock,
        stock=after,
        unit=product.unit,
        displays=len(edit.planned.changed),
    )


def _counted(stock: str | None, change: StockChange) -> str | None:
    name = "adjust" if change.is_difference else "set"
    try:
        value = None if change.value is None else parse_quantity(change.value)
        if not change.is_difference:
            return value
        if value is None:
            raise ValidationError("Say by how much the stock changes.", {"adjust": "is null"})
        if stock is None:
            raise ConflictError("The stock of this product is not known, so it cannot be counted on; set it first.")
        return added(stock, value)
    except RefusedError as error:
        raise ValidationError(f"{name}: {error.detail}", {name: error.detail}) from None
