"""Templates at a designer's shell: drawn and judged from files, added to stores, and chosen for displays."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import msgspec

from service import designing, previews
from service.cli.console import USAGE, local, notes, results, stop, table
from service.cli.displays import me
from service.cli.work import run
from service.context import Shelfcast
from service.core.choosing import Choice, Rule
from service.core.panels import parse
from service.core.template_file import TemplateError
from service.core.template_format import schema as template_schema
from service.core.templates import MAX_IMAGE, SUFFIX, Template, bundled
from service.errors import ServiceError
from service.rendering import lint as linting
from service.rendering import shipped
from service.rendering.samples import SAMPLES
from service.rendering.sheets import sheet as sheet_of
from service.tenants.stores import store_id_of

PANEL = "296x128-BWR"
_LOOK_EVERY = 0.25
"""Seconds."""

_file = click.argument("source", metavar="FILE|NAME")
_out = click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="A file; standard output otherwise.")
_store = click.option("--store", "slug", required=True)


@click.group()
def template() -> None:
    """Templates: how labels look. docs/templates.md explains the files."""


@template.command("list")
@_store
def list_(slug: str) -> None:
    """The templates that a store can choose, and where it does."""
    grid = table("name", "version", "title", "added", "used for")
    for found in run(lambda ctx: designing.listed(ctx, slug)):
        added = local(found.added_at) if found.added_at else "ships"
        grid.add_row(found.name, str(found.version), found.title, added, ", ".join(found.used))
    results.print(grid)


@template.command("show")
@click.argument("name")
def show(name: str) -> None:
    """Print the file of a template that ships, to begin one's own with."""
    text = shipped.text(name)
    if text is None:
        stop(f"These ship: {', '.join(shipped.names())}.", USAGE)
    click.echo(text, nl=False)


@template.command("schema")
def schema() -> None:
    """Print the form of template files as JSON Schema, for editors that complete and check TOML as it is written."""
    click.echo(msgspec.json.format(msgspec.json.encode(template_schema()), indent=2))


@template.command("lint")
@click.argument("sources", metavar="FILE|NAME…", nargs=-1, required=True)
@click.option("--price-height", default=linting.LEAST_PRICE, show_default=True, help="Least pixels of a price's digit.")
def lint(sources: tuple[str, ...], price_height: int) -> None:
    """Draw templates on every common panel and say what is wrong with them. The exit code is 1 if there is an error."""
    findings = [finding for source in sources for finding in linting.lint(_read(source), price_height)]
    for finding in findings:
        click.echo(finding)
    errors = sum(finding.level == "error" for finding in findings)
    notes.print(f"{errors} errors, {len(findings) - errors} warnings.")
    if errors:
        raise click.exceptions.Exit(1)


@template.command("preview")
@_file
@click.option("--panel", default=PANEL, show_default=True, help="Width x height - inks.")
@click.option("--sample", default="regular", show_default=True, type=click.Choice(list(SAMPLES)), help="What to show.")
@click.option("--store", "slug", help="Show a product of this store instead.")
@click.option("--product", "barcode", help="Its barcode.")
@click.option("--watch", is_flag=True, help="Draw it again whenever a file changes, until Ctrl-C.")
@_out
def preview(
    source: str, panel: str, sample: str, slug: str | None, barcode: str | None, out: Path | None, *, watch: bool
) -> None:
    """Draw a label as a PNG, with a made-up product or one of a store."""
    if (slug is None) != (barcode is None):
        stop("Name a --store and a --product of it.", USAGE)
    try:
        screen = parse(panel)
    except ValueError as error:
        stop(str(error), USAGE)

    def drawn(template: Template) -> bytes:
        if slug is None:
            return previews.face_png(SAMPLES[sample].face(template, screen), template)

        async def of_store(ctx: Shelfcast) -> bytes:
            return await previews.of_product(ctx, await store_id_of(ctx, slug), barcode or "", panel, template)

        return run(of_store)

    if watch:
        _watch(source, drawn, out)
    _write(drawn(_read(source)), out)


@template.command("sheet")
@_file
@_out
def sheet(source: str, out: Path | None) -> None:
    """Draw a template on every common panel, with ordinary products and extreme ones, as one PNG."""
    _write(sheet_of(_read(source)), out)


@template.command("add")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_store
def add(file: Path, slug: str) -> None:
    """Add a template to a store, or a newer version; its pictures and variants are taken from the same folder.

    One with an error (see lint) is not added. Displays that have it are drawn anew.
    """
    found = _read(str(file))
    findings = linting.lint(found)
    for finding in findings:
        notes.print(str(finding), style="red" if finding.level == "error" else "yellow")
    if any(finding.level == "error" for finding in findings):
        stop(f"{file} was not added.")
    added = run(lambda ctx: designing.add(ctx, slug, found, me()))
    before = f", in place of version {added.replaced}" if added.is_new and added.replaced else ""
    notes.print(f"Template {added.name} {added.version} is {'added' if added.is_new else 'there already'}{before}.")


@template.command("use")
@click.argument("name")
@_store
@click.option("--panel", help="Only for displays with this panel, such as 296x128-BWR.")
@click.option("--category", help="Only where the first product is of this category.")
@click.option("--display", help="Only for the display with this address, or id.")
def use(name: str, slug: str, panel: str | None, category: str | None, display: str | None) -> None:
    """Choose a template for a store's displays, or for some of them.

    They are drawn anew, and only those that look otherwise then are sent anything. A display's own choice goes first,
    then that for its panel and category, for its category, for its panel, for all.
    """
    _choose(slug, Rule(name, panel, category), display, name, designing.use)


@template.command("clear")
@_store
@click.option("--panel")
@click.option("--category")
@click.option("--display")
def clear(slug: str, panel: str | None, category: str | None, display: str | None) -> None:
    """Take back what was chosen with the same options, or without any the store's default."""
    _choose(slug, Rule("", panel, category), display, None, designing.clear)


def _choose(slug: str, rule: Rule, display: str | None, own: str | None, change: Callable[..., object]) -> None:
    if display is not None:
        if rule.panel or rule.category:
            stop("Name a --display, or a --panel and --category.", USAGE)
        run(lambda ctx: designing.use_for_display(ctx, slug, display, own))
    else:
        choice: Choice = run(lambda ctx: change(ctx, slug, rule))  # type: ignore[arg-type, return-value]
        notes.print(f"Store {slug}: {choice.default} for all, {len(choice.rules)} exceptions.")
    notes.print("Displays that look otherwise now are sent to by the workers within a minute.")


def _read(source: str) -> Template:
    """A file with what stands beside it, or a template that ships; ends the command with all that is wrong in it."""
    try:
        return _template(source)
    except TemplateError as error:
        stop(str(error))


def _template(source: str) -> Template:
    if source in shipped.names():
        return shipped.shipped(source)
    file = Path(source)
    if file.suffix != SUFFIX:
        stop(f"{source} is no {SUFFIX} file, and none of those that ship: {', '.join(shipped.names())}.", USAGE)

    def text(name: str) -> str | None:
        beside = file.parent / (name + SUFFIX)
        return _text_of(beside) if beside.is_file() else shipped.text(name)

    def image(name: str) -> bytes | None:
        beside = file.parent / name
        if not beside.is_file():
            return None
        with beside.open("rb") as opened:
            return opened.read(MAX_IMAGE + 1)

    return Template(bundled(file.stem, text, image))


def _text_of(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except UnicodeDecodeError:
        stop(f"{file} is not written in UTF-8.")


def _watch(source: str, drawn: Callable[[Template], bytes], out: Path | None) -> None:
    if out is None:
        stop("To watch, name a file with --out.", USAGE)
    for _ in _changes(Path(source).parent, out):
        try:
            template = _template(source)
            out.write_bytes(drawn(template))
        except (TemplateError, ServiceError) as error:
            notes.print(str(error), style="red")
            continue
        for finding in linting.lint(template):
            notes.print(str(finding), style="red" if finding.level == "error" else "yellow")
        notes.print(f"Written: {out}")


def _changes(folder: Path, own: Path) -> Iterator[None]:
    """At once, and whenever a file in the folder changed but our own."""
    before: set[tuple[str, int]] | None = None
    while True:
        files = [file for file in os.scandir(folder) if file.is_file() and file.name != own.name]
        now = {(file.name, file.stat().st_mtime_ns) for file in files}
        if now != before:
            before = now
            yield
        time.sleep(_LOOK_EVERY)


def _write(picture: bytes, out: Path | None) -> None:
    if out is None:
        sys.stdout.buffer.write(picture)
        return
    out.write_bytes(picture)
    notes.print(f"Written: {out}")
