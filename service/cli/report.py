"""What became of a batch, for people."""

import csv
import itertools
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from service.cli.console import notes, results, table
from service.cli.mapping import Rejected
from service.messages import BatchDisplay, Status

_SHOWN_ROWS = 50
_SHOWN_DISPLAYS = 20


def rows(count: int) -> str:
    return f"{count:,} row" if count == 1 else f"{count:,} rows"


def show_rejected(rejected: Sequence[Rejected], file: str | None = None) -> None:
    """A table of the first rejected rows on standard error; all of them go to the file, if there is one."""
    if file is not None:
        with Path(file).open("w", encoding="utf-8", newline="") as out:
            writer = csv.writer(out)
            writer.writerow(Rejected.__struct_fields__)
            writer.writerows(msgspec.structs.astuple(row) for row in rejected)
    if not rejected:
        return
    grid = table("line", "barcode", "field", "code", "reason")
    for row in rejected[:_SHOWN_ROWS]:
        grid.add_row(row.line, row.barcode or "-", row.field or "-", row.code, row.detail)
    notes.print(f"Rejected: {rows(len({row.line for row in rejected}))}", style="bold red")
    notes.print(grid)
    if len(rejected) > _SHOWN_ROWS:
        where = f"all are in {file}" if file else "--rejected FILE.csv writes all of them"
        notes.print(f"… and {len(rejected) - _SHOWN_ROWS:,} more; {where}.")


def show_status(status: Status, unconfirmed: Iterable[BatchDisplay]) -> None:
    """The counts of a batch, and why displays are not confirmed."""
    grid = table("batch", status.session_id)
    grid.add_row("state", status.status + (f", {status.phase}" if status.phase else "") + f", {status.progress} %")
    if status.reason:
        grid.add_row("reason", status.reason)
    grid.add_row("products", _products(status))
    grid.add_row("displays", _displays(status))
    results.print(grid)
    _show_unconfirmed(status, unconfirmed)


def _products(status: Status) -> str:
    parts = {
        "created": status.products_created,
        "updated": status.products_updated,
        "unchanged": status.products_unchanged,
        "duplicate": status.products_duplicate,
        "stale": status.products_stale,
        "rejected": status.products_rejected,
        "archived": status.products_archived,
    }
    return f"{status.products_received:,} received: " + _counted(parts)


def _displays(status: Status) -> str:
    parts = {
        "confirmed": status.tags_confirmed,
        "failed": status.tags_failed,
        "superseded": status.tags_superseded,
        "pending": status.tags_pending,
    }
    proven = ", ".join(f"{count:,} {word}" for word, count in msgspec.structs.asdict(status.proof).items() if count)
    return f"{status.tags_total:,} changed: {_counted(parts)}" + (f" (proof: {proven})" if proven else "")


def _counted(parts: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {word}" for word, count in parts.items() if count) or "none"


def _show_unconfirmed(status: Status, displays: Iterable[BatchDisplay]) -> None:
    count = status.tags_failed + status.tags_pending
    if not count:
        return
    grid = table("address", "gateway", "products", "state", "reason")
    for display in itertools.islice(displays, _SHOWN_DISPLAYS):
        detail = display.detail or display.reason or ""
        grid.add_row(display.address, display.gateway, " ".join(display.barcodes), display.state, detail)
    results.print(grid)
    if count > _SHOWN_DISPLAYS:
        results.print(f"… and {count - _SHOWN_DISPLAYS:,} more displays that are not confirmed.")
