"""Displays: made and bound in bulk, and listed with what is wrong with them."""

import time
from collections.abc import Sequence

import click
import msgspec
from rich.table import Table

from service.cli.console import notes, results, table
from service.cli.display_verbs import VERBS, me
from service.cli.files import csv_lines
from service.cli.work import run
from service.context import Shelfcast
from service.messages import DisplayState
from service.shelves import floor
from service.shelves.binding import Report
from service.shelves.shelf import display_states

__all__ = ["display", "displays", "me"]

_SHOWN_REFUSALS = 50
_DIGEST = 8


@click.group()
def display() -> None:
    """Displays of a store."""


@display.command("import")
@click.argument("file", metavar="FILE.csv")
@click.option("--store", "slug", required=True)
@click.option("--takeover", is_flag=True, help="Replace what a slot shows, where the file says otherwise.")
def import_(file: str, slug: str, *, takeover: bool) -> None:
    """Make displays, or move them: columns address, gateway, panel and, if wanted, template, barcode, slot.

    A panel is written 296x128-BWR. With a barcode the display is bound as well. A display that comes with another
    gateway of the same driver moves there and keeps its history. `-` reads standard input. Every good line is taken;
    the exit code is 1 if any was refused.
    """
    lines = csv_lines(file, ("address", "gateway", "panel"))
    began = time.monotonic()
    report = run(lambda ctx: floor.import_displays(ctx, slug, lines, by=me(), takeover=takeover))
    counted = f"{report.created:,} made, {report.changed:,} changed, {report.unchanged:,} as they were"
    _tell(file, f"Displays: {counted}. Bound: {report.bound:,} new, {report.kept:,} as before", report, began)


@display.command("bind")
@click.argument("file", metavar="FILE.csv")
@click.option("--store", "slug", required=True)
@click.option("--takeover", is_flag=True, help="Replace what a slot shows, where the file says otherwise.")
def bind(file: str, slug: str, *, takeover: bool) -> None:
    """Bind products to displays: columns address (or display: its id), barcode and, if wanted, slot.

    A product may be bound before any feed names it. `-` reads standard input. Every good line is taken; the exit code
    is 1 if any was refused.
    """
    lines = csv_lines(file, ("barcode",))
    began = time.monotonic()
    report = run(lambda ctx: floor.bind(ctx, slug, lines, by=me(), takeover=takeover))
    _tell(file, f"Bound: {report.bound:,} new, {report.kept:,} as before", report, began)


def _tell(file: str, counted: str, report: Report, began: float) -> None:
    for refused in report.refused[:_SHOWN_REFUSALS]:
        notes.print(f"{file} line {refused.line}: {refused.reason}", style="red")
    if len(report.refused) > _SHOWN_REFUSALS:
        notes.print(f"… and {len(report.refused) - _SHOWN_REFUSALS:,} more lines.", style="red")
    notes.print(f"{counted}. Refused: {len(report.refused):,}. {time.monotonic() - began:.1f} s.")
    if report.refused:
        raise click.exceptions.Exit(1)


@click.command()
@click.option("--store", "slug", required=True)
@click.option("--wrong", is_flag=True, help="Only those that do not show, or are not proven to show, what they should.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def displays(slug: str, *, wrong: bool, as_json: bool) -> None:
    """Show displays: desired against shown, why they differ, and since when.

    The exit code is 0 whatever is wrong; for a check, count the lines of --json --wrong.
    """
    states = run(lambda ctx: _collected(ctx, slug, wrong=wrong))
    if as_json:
        for state in states:
            click.echo(msgspec.json.encode(state))
        return
    results.print(_grid(states))
    not_right = sum(not state.right for state in states)
    notes.print(f"{not_right:,} wrong." if wrong else f"{len(states):,} displays, {not_right:,} wrong.")


async def _collected(ctx: Shelfcast, slug: str, *, wrong: bool) -> list[DisplayState]:
    return [state async for state in display_states(ctx, slug, wrong=wrong)]


def _grid(states: Sequence[DisplayState]) -> Table:
    grid = table("address", "gateway", "products", "should show", "shows", "shown since", "reason")
    for state in states:
        grid.add_row(
            state.address,
            state.gateway,
            " ".join(state.barcodes) or "-",
            (state.desired_digest or "-")[:_DIGEST],
            (state.shown_digest or "-")[:_DIGEST],
            (state.shown_at or "-")[:19],
            state.detail or "",
            style=None if state.right else "red",
        )
    return grid


for verb in VERBS:
    display.add_command(verb)
