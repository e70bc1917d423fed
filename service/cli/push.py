"""`push` and `status`: what a POS integrator runs, over HTTP alone."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec

from service.cli import mapping
from service.cli.console import USAGE, notes, stop
from service.cli.mapping import Format, Mapped, Rejected
from service.cli.progress import Bars
from service.cli.report import rows, show_rejected, show_status
from service.cli.sending import OVER, Sending
from service.client import Client, Feed, RefusedError
from service.messages import BatchDisplay, Status

C = TypeVar("C", bound=Callable[..., Any])

UNCONFIRMED, REFUSED, ROWS_REJECTED, INTERRUPTED = 1, 3, 4, 130
_FORMATS: dict[str, Format] = {".csv": "csv", ".tsv": "csv", ".txt": "csv", ".ndjson": "ndjson", ".jsonl": "ndjson"}

_connection = (
    click.option(
        "--url",
        envvar="SHELFCAST_URL",
        show_envvar=True,
        default="http://127.0.0.1:8080",
        show_default=True,
        help="Where Shelfcast is.",
    ),
    click.option("--token", envvar="SHELFCAST_TOKEN", show_envvar=True, help="The store's token."),
    click.option(
        "--token-file",
        envvar="SHELFCAST_TOKEN_FILE",
        show_envvar=True,
        type=click.Path(exists=True, dir_okay=False),
        help="File that holds the token.",
    ),
)


def connects(command: C) -> C:
    """The options by which a command finds the API."""
    for option in reversed(_connection):
        command = option(command)
    return command


def connected(url: str, token: str | None, token_file: str | None) -> Client:
    if not token and token_file:
        token = Path(token_file).read_text(encoding="utf-8").strip()
    if not token:
        stop("There is no token: set SHELFCAST_TOKEN or SHELFCAST_TOKEN_FILE, or give --token.", USAGE)
    return Client(url, token, tell=lambda sentence: notes.print(sentence, style="yellow"))


class Wish(msgspec.Struct, frozen=True):
    """The options of `push`, as click names them."""

    file: str
    url: str
    token: str | None
    token_file: str | None
    mapping: str | None
    map: tuple[str, ...]
    format: Format | None
    encoding: str | None
    delimiter: str | None
    decimal_comma: bool
    key_fallback: str | None
    reference: str | None
    full: bool
    rejected: str | None
    no_wait: bool
    poll_interval: float
    json: bool

    @property
    def suffix(self) -> str:
        return Path(self.file).suffix.lower()

    def form(self) -> Format | None:
        """None where the mapping knows a format, or finds it out."""
        form = self.format or _FORMATS.get(self.suffix)
        if form is None and self.mapped().format is None:
            stop(f"What is in {self.file}? Say --format csv or --format ndjson, or --mapping auto.", USAGE)
        return form

    def mapped(self) -> Mapped:
        """The mapping file's word, but what the command line says goes first."""
        wrong = [pair for pair in self.map if "=" not in pair]
        if wrong:
            stop(f"{wrong[0]!r} is not FIELD=COLUMN, such as barcode=EAN.", USAGE)
        base = mapping.load(self.mapping)
        said: dict[str, Any] = {
            "columns": base.columns | dict(pair.split("=", 1) for pair in self.map),
            "encoding": self.encoding or base.encoding,
            "delimiter": self.delimiter or ("\t" if self.suffix == ".tsv" else base.delimiter),
            "decimal": "," if self.decimal_comma else base.decimal,
        }
        return mapping.checked(msgspec.structs.replace(base, **said))


@click.command()
@click.argument("file")
@connects
@click.option("--mapping", metavar="NAME|FILE.toml", help="A format, `auto`, or a file of your own.")
@click.option("--map", multiple=True, metavar="FIELD=COLUMN", help="As --map barcode=EAN --map price=Preis.")
@click.option("--format", type=click.Choice(["csv", "ndjson"]), help="Default: by the file's suffix.")
@click.option("--encoding", help="Of the file; default UTF-8, with or without a byte order mark.")
@click.option("--delimiter", help="Between the columns of a CSV; default a comma, in .tsv a tab.")
@click.option("--decimal-comma", is_flag=True, help="Numbers of the CSV are written 1.234,50.")
@click.option("--key-fallback", metavar="FIELD", help="Key rows without a barcode by this field, such as sku.")
@click.option("--reference", help="Your own name for this batch.")
@click.option("--full", is_flag=True, help="The file is the whole store: archive what it does not name.")
@click.option("--rejected", metavar="FILE.csv", help="Write every rejected row there.")
@click.option("--no-wait", is_flag=True, help="End once everything is handed over; the exit code tells of rows only.")
@click.option("--poll-interval", type=click.FloatRange(0.05, 60), default=1.0, show_default=True, help="Seconds.")
@click.option("--json", is_flag=True, help="Print the last status as JSON, and nothing else, on standard output.")
def push(**options: Any) -> None:
    """Push a file of products through the feed API and wait until every display is proven.

    FILE is CSV, or NDJSON in the feed's own field names; `-` reads standard input. An empty value of a CSV counts as
    absent. What goes wrong on the way is tried again, and no row is taken twice.

    \b
    Exit code
      0  every row is in the store, and every display it changed is proven to show it
      1  some display is not, or the batch ended in another way than completed
      2  the command, the file or the mapping is not right
      3  the API refused, or could not be reached for two minutes
      4  every display is proven, but some rows were rejected
    """  # noqa: D301 - \b is click's
    wish = Wish(**options)
    lines = mapping.read(wish.file, wish.form(), wish.mapped(), wish.key_fallback)
    with connected(wish.url, wish.token, wish.token_file) as client:
        try:
            sending = _sent(client.feed, lines, wish)
            _tell(client.feed, sending, wish)
        except RefusedError as error:
            stop(str(error), REFUSED)
    raise click.exceptions.Exit(exit_code(sending.status, sending.rejected))


def _sent(feed: Feed, lines: Iterator[Any], wish: Wish) -> Sending:
    with Bars() as bars:
        sending = Sending(feed, bars)
        sending.hand_over(lines, wish.reference, full=wish.full)
        try:
            if not wish.no_wait:
                sending.wait(wish.poll_interval)
        except KeyboardInterrupt:
            stop(f"Stopped waiting; the batch goes on. See: shelfcast status {sending.session_id}", INTERRUPTED)
    return sending


def _tell(feed: Feed, sending: Sending, wish: Wish) -> None:
    show_rejected(sending.rejected, wish.rejected)
    if sending.warnings:
        notes.print(f"Taken with a warning: {rows(sending.warnings)}.")
    if sending.status is None:
        notes.print(f"Handed over. See: shelfcast status {sending.session_id}")
    elif wish.json:
        click.echo(msgspec.json.encode(sending.status))
    else:
        show_status(sending.status, _unconfirmed(feed, sending.session_id))


def _unconfirmed(feed: Feed, session_id: str) -> Iterator[BatchDisplay]:
    return itertools.chain.from_iterable(feed.list_batch_displays(session_id, state) for state in ("failed", "pending"))


def exit_code(status: Status | None, rejected: Sequence[Rejected]) -> int:
    """As the help of `push` says; a display whose face a newer batch replaced is not held against this one."""
    if status and (status.status != "completed" or status.tags_failed or status.tags_pending):
        return UNCONFIRMED
    return ROWS_REJECTED if rejected else 0


@click.command()
@click.argument("session", metavar="SESSION")
@connects
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def status(session: str, url: str, token: str | None, token_file: str | None, *, as_json: bool) -> None:
    """Show one batch: how far it is, which rows were rejected, and which displays are not confirmed and why.

    The exit code is 0 while it goes on, and then that of `push`.
    """
    with connected(url, token, token_file) as client:
        try:
            found = client.feed.get_batch_status(session)
            rejected = [
                Rejected(f"{row.push}:{row.index}", row.barcode, row.field, row.code, row.detail)
                for row in client.feed.list_rejected_rows(session)
            ]
            if as_json:
                click.echo(msgspec.json.encode(found))
            else:
                show_rejected(rejected)
                show_status(found, _unconfirmed(client.feed, session))
        except RefusedError as error:
            stop(str(error), REFUSED)
    raise click.exceptions.Exit(exit_code(found, rejected) if found.status in OVER else 0)
