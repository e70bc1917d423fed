"""Labels as pictures, before they reach a shelf or beside it."""

import sys
from pathlib import Path

import click

from service import previews
from service.cli.console import USAGE, notes, stop
from service.cli.work import run
from service.context import Shelfcast
from service.tenants.stores import store_id_of

PANEL = "296x128-BWR"


@click.command()
@click.option("--store", "slug", required=True)
@click.option("--product", "barcode", help="How this product would look now.")
@click.option("--display", help="What the display with this address, or id, should show.")
@click.option("--shown", is_flag=True, help="What it was last proven to show instead.")
@click.option("--panel", default=PANEL, show_default=True, help="Of a product's label: width x height - inks.")
@click.option("--template", help="Of a product's label: another one than the store chose.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="A file; standard output otherwise.")
def preview(
    slug: str,
    barcode: str | None,
    display: str | None,
    panel: str,
    template: str | None,
    out: Path | None,
    *,
    shown: bool,
) -> None:
    """Draw a label as a PNG, pixel for pixel as it is sent: of a product, or of a display."""
    if (barcode is None) == (display is None):
        stop("Name a --product or a --display.", USAGE)

    async def drawn(ctx: Shelfcast) -> bytes:
        store_id = await store_id_of(ctx, slug)
        if barcode is not None:
            return await previews.of_product(ctx, store_id, barcode, panel, template)
        return await previews.of_display(ctx, store_id, display or "", "shown" if shown else "desired")

    picture = run(drawn)
    if out is None:
        sys.stdout.buffer.write(picture)
        return
    out.write_bytes(picture)
    notes.print(f"Written: {out}")
