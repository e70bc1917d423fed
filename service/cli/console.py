"""How the commands speak: results on standard output, everything else on standard error."""

import sys
from typing import NoReturn

import click
from rich import box
from rich.console import Console
from rich.table import Table

from service.messages import time

USAGE = 2
_WIDE = 250
"""Columns where nobody's window limits them: what goes into a pipe or a file is not to be shortened."""

results = Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else _WIDE)
"""What was asked for: standard output."""
notes = Console(
    stderr=True, highlight=False, markup=False, soft_wrap=True, width=None if sys.stderr.isatty() else _WIDE
)
"""Everything else: standard error."""


def stop(message: str, code: int = 1) -> NoReturn:
    """End the command with a sentence on standard error."""
    click.echo(f"Error: {message}", err=True)
    raise click.exceptions.Exit(code)


def warn(message: str) -> None:
    notes.print(f"Warning: {message}", style="yellow")


def local(at: int | None) -> str:
    """A time for people, UTC, to the second; a dash for none."""
    return "-" if at is None else time(at)[:19].replace("T", " ") + "Z"


def table(*columns: str) -> Table:
    return Table(*columns, box=box.SIMPLE_HEAD, pad_edge=False)
