"""What an operator does with one display: register, unbind, retire, swap, blink, resend; what it showed, and when."""

import asyncio
import getpass
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

import click
import msgspec

from service.auditing import SHELL, Who
from service.cli.console import USAGE, notes, results, stop, table
from service.cli.work import run
from service.context import Shelfcast
from service.messages import Window
from service.messages.displays import Blink, DisplayDetail, Evidence, HistoryEntry
from service.shelves import blinking, display_history, displays, evidence
from service.shelves.display_history import Asked
from service.shelves.displays import By, New
from service.tenants.stores import known_store

T = TypeVar("T")
_LOOK_EVERY = 0.5
_SHOWN = 50

_store = click.option("--store", "slug", required=True, help="Slug of the display's store.")
_json = click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")


def me() -> str:
    """Who bound or added something, for history."""
    try:
        return f"{SHELL}, {getpass.getuser()}"
    except (OSError, KeyError):  # a user id without a name, as in many containers
        return SHELL


def _run(slug: str, verb: Callable[[Shelfcast, By], Awaitable[T]]) -> T:
    async def work(ctx: Shelfcast) -> T:
        async with ctx.db.read() as conn:
            store = await known_store(conn, slug)
        return await verb(ctx, By(slug, Who(store.organisation_id, store.id, me()), is_chain=True))

    return run(work)


@click.command()
@click.argument("address")
@click.option("--gateway", required=True, help="Name of its gateway.")
@click.option("--panel", required=True, help="Such as 296x128-BWR.")
@click.option("--template", help="Its own template, instead of the store's choice.")
@_store
def register(address: str, gateway: str, panel: str, template: str | None, slug: str) -> None:
    """Make one display."""
    made = _run(slug, lambda ctx, by: displays.register(ctx, by, New(address, gateway, panel, template)))
    notes.print(f"Display {made.address} is registered as {made.display_id}.")


@click.command()
@click.argument("display")
@click.option("--slot", type=int, help="Only this slot; else all of them.")
@_store
def unbind(display: str, slot: int | None, slug: str) -> None:
    """End what is bound to a display, named by its address or id."""
    _tell(_run(slug, lambda ctx, by: displays.unbind(ctx, by, display, slot)))


@click.command()
@click.argument("display")
@click.option("--back", is_flag=True, help="Use it again, with nothing bound to it.")
@_store
def retire(display: str, slug: str, *, back: bool) -> None:
    """Take a display out of use: it is unbound and left alone, and its history stays."""
    verb = displays.restore if back else displays.retire
    done = _run(slug, lambda ctx, by: verb(ctx, by, display))
    notes.print(f"Display {done.address} is {'in use again' if back else 'retired'}.")


@click.command()
@click.argument("display")
@click.argument("replacement")
@_store
def swap(display: str, replacement: str, slug: str) -> None:
    """Let REPLACEMENT take the place of a broken display, which is retired."""
    _tell(_run(slug, lambda ctx, by: displays.swap(ctx, by, display, replacement)))


@click.command()
@click.argument("display")
@_store
def resend(display: str, slug: str) -> None:
    """Send a display its face again, although it was proven to show it: people see something else."""
    done = _run(slug, lambda ctx, by: displays.resend(ctx, by, display))
    notes.print(f"Display {done.address} is sent its face again; it is wrong until that is proven.")


@click.command()
@click.argument("display")
@click.option("--seconds", type=click.IntRange(1, blinking.MOST_SECONDS), default=10, show_default=True)
@_store
def blink(display: str, seconds: int, slug: str) -> None:
    """Flash a display's light, and wait until that is done or given up; the exit code is 1 if it did not flash."""
    done = _run(slug, lambda ctx, by: _blinked(ctx, by, display, seconds))
    if done.state != "flashed":
        stop(done.detail or "It did not flash.")
    notes.print(f"Display {display} flashes.")


async def _blinked(ctx: Shelfcast, by: By, display: str, seconds: int) -> Blink:
    asked = await blinking.ask(ctx, by, display, seconds)
    while asked.state == "waiting":
        await asyncio.sleep(_LOOK_EVERY)
        asked = await blinking.status(ctx, by.store, display, asked.blink_id)
    return asked


@click.command()
@click.argument("display")
@click.option("--kind", help="Only entries of this kind, such as showing, bound or button.")
@click.option("--from", "since", help="From this time on (RFC 3339).")
@click.option("--to", "until", help="Before this time.")
@click.option("--limit", type=click.IntRange(1, 1000), default=_SHOWN, show_default=True)
@_store
@_json
def history(slug: str, display: str, limit: int, *, as_json: bool, **asked: str | None) -> None:
    """Everything that a display showed, was sent, had bound, reported and went through, the newest first."""
    wanted = Asked(asked["kind"], _time(asked["since"]), _time(asked["until"]))
    window = Window(per_page=limit)
    page = _run(slug, lambda ctx, _: display_history.of_display(ctx, slug, display, wanted, window))
    if as_json:
        for entry in page.data:
            click.echo(msgspec.json.encode(entry))
        return
    grid = table("time", "what", "more")
    for entry in page.data:
        grid.add_row(entry.at[:19], entry.kind, _more(entry))
    results.print(grid)


def _more(entry: HistoryEntry) -> str:
    said: dict[str, Any] = {name: value for name, value in entry.data.items() if value not in (None, [], "")}
    return ", ".join(f"{name} {value}" for name, value in said.items())


@click.command()
@click.argument("display")
@click.argument("time", required=False)
@_store
@_json
def at(slug: str, display: str, time: str | None, *, as_json: bool) -> None:
    """What a display showed at TIME (RFC 3339; without it: now), proven by what.

    The exit code is 1 if that is not known.
    """
    found = _run(slug, lambda ctx, _: evidence.of_display(ctx, slug, display, _time(time)))
    if as_json:
        click.echo(msgspec.json.encode(found))
    else:
        _tell_evidence(found)
    if not found.known:
        raise click.exceptions.Exit(1)


def _tell_evidence(found: Evidence) -> None:
    grid = table("display", found.address)
    grid.add_row("at", found.time)
    grid.add_row("known", "yes" if found.known else f"no ({found.reason})")
    grid.add_row("why", found.detail)
    grid.add_row("bound", " ".join(one.barcode for one in found.bound) or "-")
    if found.face is not None:
        grid.add_row("template", f"{found.face.template}, version {found.face.template_version}")
        grid.add_row("content", msgspec.json.encode(found.face.content).decode())
    if found.proof is not None and found.proof.cause is not None:
        cause = found.proof.cause
        grid.add_row(
            "brought by", f"update {cause.update_id} ({cause.cause} {cause.batch_id or ''})".replace(" )", ")")
        )
        for price in cause.prices:
            grid.add_row("price", f"{price.barcode} {price.effective} {price.currency}, {price.cause} {price.cause_id}")
    results.print(grid)


def _time(text: str | None) -> int | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        stop(f"{text} is no time; write it as 2026-11-22T06:30:00Z.", USAGE)
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def _tell(display: DisplayDetail) -> None:
    bound = ", ".join(f"{one.barcode} in slot {one.slot}" for one in display.bound) or "nothing"
    notes.print(f"Display {display.address}: bound {bound}.")


VERBS = (register, unbind, retire, swap, resend, blink, history, at)
