"""Products of a store: listed, shown, taken off sale, put back, and written to a file."""

import sys
from pathlib import Path
from typing import Any

import click
import msgspec

from service.cli.console import notes, results, table
from service.cli.displays import me
from service.cli.work import run
from service.context import Shelfcast
from service.core.searching import needles
from service.messages import Page, Window
from service.messages.products import BY_BARCODE, ChangedProduct, StoredProduct
from service.products import catalogue, editing, exporting
from service.products.catalogue import Named, Shop
from service.store.catalogue import Sort, Wanted

_PAGE = 1000
_DETAILS = ("price", "sale_price", "sale_end", "category", "brand", "sku", "stock", "unit", "archived_at", "updated_at")


@click.group()
def product() -> None:
    """Products of a store."""


_store = click.option("--store", "slug", required=True)
_json = click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")


@product.command("list")
@_store
@click.option("--search", default="", help="Words, all of which are in the name, barcode, sku or brand.")
@click.option("--category", help="Exactly this one.")
@click.option("--archived", is_flag=True, help="Those that are off sale.")
@click.option("--sort", type=click.Choice(["name", "-name", "barcode", "-barcode"]), default="name", show_default=True)
@click.option("--limit", type=click.IntRange(min=1), default=100, show_default=True, help="Products at most.")
@_json
def list_(
    slug: str, search: str, category: str | None, sort: Sort, limit: int, *, archived: bool, as_json: bool
) -> None:
    """List products, what they cost now, and since when they are so."""
    wanted = Wanted(archived, category, tuple(needles(search)))

    async def listed(ctx: Shelfcast) -> list[StoredProduct]:
        shop = await catalogue.shop_named(ctx, slug)
        return await _listed(ctx, shop, wanted, sort, limit)

    found = run(listed)
    if as_json:
        for one in found:
            click.echo(msgspec.json.encode(one))
        return
    grid = table("barcode", "name", "category", "price now", "instead of", "stock", "changed")
    for one in found:
        row = (one.barcode, one.name, one.category, one.now.price, one.now.regular_price, one.stock)
        grid.add_row(*(value or "-" for value in row), one.updated_at[:19])
    results.print(grid)
    notes.print(f"{len(found):,} products.")


async def _listed(ctx: Shelfcast, shop: Shop, wanted: Wanted, sort: Sort, limit: int) -> list[StoredProduct]:
    found: list[StoredProduct] = []
    cursor: str | None = None
    while len(found) < limit:
        window = Window(per_page=min(_PAGE, limit - len(found)), cursor=cursor)
        page: Page[StoredProduct] = await catalogue.listed(ctx, shop, wanted, sort, window)
        found += page.data
        cursor = page.meta.next
        if cursor is None:
            break
    return found


@product.command("show")
@click.argument("barcode")
@_store
@_json
def show(barcode: str, slug: str, *, as_json: bool) -> None:
    """Show one product: what it costs, what it cost, and where it is shown."""

    async def asked(ctx: Shelfcast) -> tuple[Any, Any, Any]:
        shop, named = await catalogue.shop_named(ctx, slug), _named(barcode)
        prices = await catalogue.prices(ctx, shop, named, Window(per_page=10))
        shown = await catalogue.displays(ctx, shop, named, Window(per_page=_PAGE), ended=False)
        return await catalogue.one(ctx, shop, named), prices.data, shown.data

    one, prices, shown = run(asked)
    if as_json:
        click.echo(msgspec.json.encode(one))
        return
    notes.print(f"{one.name} ({one.barcode}), product {one.id}")
    grid = table("field", "")
    for field in _DETAILS:
        grid.add_row(field.replace("_", " "), str(getattr(one, field) or "-"))
    grid.add_row("price now", one.now.price or "-")
    grid.add_row("lowest of 30 days", one.now.lowest_price_30_days or "-")
    results.print(grid)
    history = table("from", "price", "sale price", "counted", "cause", "token", "first proven")
    for price in prices:
        paid = (price.price, price.sale_price, price.effective_price, price.cause, price.token, price.first_proven_at)
        history.add_row(price.effective_at[:19], *(value or "-" for value in paid))
    results.print(history)
    where = table("display", "slot", "gateway", "bound", "right", "proof", "reason")
    for display in shown:
        right = "yes" if display.right else "no"
        what = (str(display.slot), display.gateway, display.bound_at[:19], right, display.proof, display.detail)
        where.add_row(display.address, *(value or "-" for value in what), style=None if display.right else "red")
    results.print(where)


@product.command("archive")
@click.argument("barcode")
@_store
@click.option("--reason", help="Kept with the change.")
def archive(barcode: str, slug: str, reason: str | None) -> None:
    """Take a product off sale: its displays go blank, its history stays."""
    _tell(run(lambda ctx: _changed(ctx, editing.archive, slug, barcode, reason)), "is archived")


@product.command("restore")
@click.argument("barcode")
@_store
@click.option("--reason", help="Kept with the change.")
def restore(barcode: str, slug: str, reason: str | None) -> None:
    """Put an archived product on sale again, as it was before."""
    _tell(run(lambda ctx: _changed(ctx, editing.restore, slug, barcode, reason)), "is on sale again")


async def _changed(ctx: Shelfcast, change: Any, slug: str, barcode: str, reason: str | None) -> ChangedProduct:
    editor = await editing.editor_of(ctx, slug, me())
    changed: ChangedProduct = await change(ctx, editor, _named(barcode), reason)
    return changed


def _tell(changed: ChangedProduct, what: str) -> None:
    if changed.outcome == "unchanged":
        notes.print(f"{changed.product.name} was so before; nothing is changed.")
    else:
        notes.print(f"{changed.product.name} {what}; {changed.displays:,} displays follow.")


@product.command("export")
@_store
@click.option("--format", "form", type=click.Choice(["csv", "ndjson"]), default="csv", show_default=True)
@click.option("--category", help="Exactly this one.")
@click.option("--archived", is_flag=True, help="Those that are off sale.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="A file; standard output otherwise.")
def export(slug: str, form: exporting.Format, category: str | None, out: Path | None, *, archived: bool) -> None:
    """Write products as `shelfcast push` reads them; a CSV leaves attributes out."""

    async def written(ctx: Shelfcast) -> None:
        shop = await catalogue.shop_named(ctx, slug)
        chunks = await exporting.exported(ctx, shop, form, Wanted(archived, category))
        file = sys.stdout.buffer if out is None else out.open("wb")
        try:
            async for chunk in chunks:
                file.write(chunk)
        finally:
            if out is not None:
                file.close()

    run(written)
    if out is not None:
        notes.print(f"Written: {out}")


def _named(barcode: str) -> Named:
    return Named(BY_BARCODE, barcode)
