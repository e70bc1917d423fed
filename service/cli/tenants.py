"""Stores and tokens."""

import re
import time
from datetime import UTC, datetime, timedelta

import click

from service import stores, tokens
from service.cli.batches import guards
from service.cli.console import local, notes, results, table, warn
from service.cli.work import run
from service.rendering.fonts import without_glyph
from service.stores import NewStore

_SPAN = re.compile(r"(\d{1,5})([mhdwy])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_LETTERS = {"ja": "日あア", "ko": "한국", "zh": "中文"}
"""Of languages whose letters come with an extra."""


@click.group()
def store() -> None:
    """Stores."""


store.add_command(guards)


@store.command("create")
@click.argument("slug")
@click.option("--currency", default="EUR", show_default=True, help="ISO 4217; the prices of the feed are in it.")
@click.option("--timezone", default="UTC", show_default=True, help="IANA name; sales start and end by its clocks.")
@click.option("--locale", default="en", show_default=True, help="How displays write prices, such as hr or de-AT.")
@click.option("--sandbox", is_flag=True, help="For development, with simulated displays; tokens begin with sc_test_.")
def create_store(slug: str, currency: str, timezone: str, locale: str, sandbox: bool) -> None:
    """Make a store; SLUG is lower-case letters, digits and hyphens."""
    new = NewStore(slug=slug, currency=currency, timezone=timezone, locale=locale, sandbox=sandbox)
    made = run(lambda ctx: stores.create_store(ctx, new))
    notes.print(f"Store {made.slug} ({made.environment}, {made.currency}, {made.timezone}, {made.locale}) is made.")
    if missing := without_glyph(_LETTERS.get(made.locale.partition("-")[0], "")):
        warn(f'No font here has {missing}: names are drawn as boxes until you pip install "shelfcast[cjk]".')
    notes.print(f"Next: shelfcast token create --store {made.slug} --name POS")


@store.command("list")
def list_stores() -> None:
    """All stores."""
    grid = table("slug", "environment", "currency", "time zone", "locale", "organisation", "made")
    for found in run(stores.stores):
        grid.add_row(
            found.slug,
            found.environment,
            found.currency,
            found.timezone,
            found.locale,
            found.organisation,
            local(found.created_at),
        )
    results.print(grid)


@click.group()
def token() -> None:
    """Tokens, by which a POS says which store it speaks for."""


class Expiry(click.ParamType[int]):
    """From 90d, 12h or a date to milliseconds since the epoch."""

    name = "expiry"

    def convert(self, value: str | int, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        span = _SPAN.fullmatch(value)
        if span:
            unit, count = span[2], int(span[1])
            length = timedelta(days=365 * count) if unit == "y" else timedelta(**{_UNITS[unit]: count})
            return time.time_ns() // 1_000_000 + int(length.total_seconds() * 1000)
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is neither a span such as 90d or 12h nor a date such as 2027-01-31.", param, ctx)
        return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


@token.command("create")
@click.option("--store", "slug", required=True, help="Whose products it may push.")
@click.option("--name", required=True, help="Of the system that will use it; unique among the store's active tokens.")
@click.option("--expires", type=Expiry(), metavar="SPAN|DATE", help="90d, 12h, 1y, or a date (UTC). Default: never.")
def create_token(slug: str, name: str, expires: int | None) -> None:
    """Make a token and print it alone on standard output. It is shown this once and kept nowhere."""
    issued = run(lambda ctx: tokens.issue(ctx, slug, name, expires_at=expires))
    until = "without expiry" if issued.expires_at is None else f"until {local(issued.expires_at)}"
    notes.print(f"Token {issued.name} of store {issued.store}, {until}. Keep it: it is not shown again.")
    click.echo(issued.token)


@token.command("list")
@click.option("--store", "slug", help="Only this store's.")
def list_tokens(slug: str | None) -> None:
    """All tokens by their recognisable prefix, never in full."""
    now = time.time_ns() // 1_000_000
    grid = table("id", "store", "name", "begins with", "state", "made", "expires", "last used")
    for found in run(lambda ctx: tokens.listed(ctx, slug)):
        state = "active" if found.active(now) else "revoked" if found.revoked_at else "expired"
        times = (local(found.created_at), local(found.expires_at), local(found.last_used_at))
        whose = found.store.slug if found.store else f"{found.organisation} (chain)"
        grid.add_row(found.id, whose, found.name, found.prefix + "…", state, *times)
    results.print(grid)


@token.command("revoke")
@click.argument("which", metavar="NAME|ID|PREFIX")
@click.option("--store", "slug", help="Where several stores have a token of this name.")
def revoke_token(which: str, slug: str | None) -> None:
    """Revoke a token; it is refused from the next request on."""
    revoked = run(lambda ctx: tokens.revoke(ctx, which, slug))
    whose = f"store {revoked.store.slug}" if revoked.store else f"chain {revoked.organisation}"
    notes.print(f"Token {revoked.name} of {whose} ({revoked.prefix}…) is revoked.")
