"""Tokens of stores and of chains."""

import re
import time
from datetime import UTC, datetime, timedelta

import click

from service.cli.console import local, notes, results, table
from service.cli.displays import me
from service.cli.work import run
from service.core.limits import UNLIMITED
from service.core.scopes import ROLES, Scope
from service.tenants import tokens
from service.tenants.tokens import Issued

_SPAN = re.compile(r"(\d{1,5})([smhdwy])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


@click.group()
def token() -> None:
    """Tokens, by which a system says which store or chain it speaks for."""


class Expiry(click.ParamType[int]):
    """From 90d, 12h or a date to milliseconds since the epoch."""

    name = "expiry"

    def convert(self, value: str | int, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        length = span(value)
        if length is not None:
            return time.time_ns() // 1_000_000 + length * 1000
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is neither a span such as 90d or 12h nor a date such as 2027-01-31.", param, ctx)
        return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


class Span(click.ParamType[int]):
    """From 24h to seconds."""

    name = "span"

    def convert(self, value: str | int, param: click.Parameter | None, ctx: click.Context | None) -> int:
        length = value if isinstance(value, int) else span(value)
        if length is None:
            self.fail(f"{value!r} is no span such as 24h, 30m or 0s.", param, ctx)
        return length


def span(written: str) -> int | None:
    """Seconds of 90d, 12h and the like; None if it is nothing of the kind."""
    found = _SPAN.fullmatch(written)
    if found is None:
        return None
    unit, count = found[2], int(found[1])
    length = timedelta(days=365 * count) if unit == "y" else timedelta(**{_UNITS[unit]: count})
    return int(length.total_seconds())


def granted(scopes: tuple[str, ...], role: str | None) -> tuple[Scope, ...]:
    """What `--scope` and `--role` come to together; `feed` where neither is given."""
    chosen = [*(Scope(scope) for scope in scopes), *(ROLES[role] if role else ())]
    return tuple(dict.fromkeys(chosen)) or (Scope.FEED,)


SCOPE = click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice([str(scope) for scope in Scope]),
    help="What it may do; repeatable. Default: feed.",
)
ROLE = click.option("--role", type=click.Choice([*ROLES]), help="A name for usual scopes.")
PLAN = click.option("--plan", default=UNLIMITED, show_default=True, help="How often it may ask: growth, pro, …")
EXPIRES = click.option(
    "--expires", type=Expiry(), metavar="SPAN|DATE", help="90d, 1y, or a date (UTC). Default: never."
)


@token.command("create")
@click.option("--store", "slug", help="Of which store it is.")
@click.option("--organisation", help="Or of which chain as a whole.")
@click.option("--name", required=True, help="Of the system that will use it; unique among the owner's active tokens.")
@SCOPE
@ROLE
@PLAN
@EXPIRES
def create_token(
    slug: str | None,
    organisation: str | None,
    name: str,
    scopes: tuple[str, ...],
    role: str | None,
    plan: str,
    expires: int | None,
) -> None:
    """Make a token and print it alone on standard output. It is shown this once and kept nowhere."""
    if (slug is None) == (organisation is None):
        raise click.UsageError("Give --store or --organisation, and not both.")
    may = granted(scopes, role)
    issued = run(
        lambda ctx: tokens.issue(
            ctx, slug, name, organisation=organisation, scopes=may, plan=plan, expires_at=expires, by=me()
        )
    )
    _show(issued, organisation)


def _show(issued: Issued, chain: str | None) -> None:
    until = "without expiry" if issued.expires_at is None else f"until {local(issued.expires_at)}"
    whose = f"store {issued.store}" if issued.store else f"chain {chain}" if chain else "its chain"
    notes.print(f"Token {issued.name} of {whose}, {until}. Keep it: it is not shown again.")
    click.echo(issued.token)


@token.command("list")
@click.option("--store", "slug", help="Only this store's.")
def list_tokens(slug: str | None) -> None:
    """All tokens by their recognisable prefix, never in full."""
    now = time.time_ns() // 1_000_000
    grid = table("id", "store", "name", "begins with", "may", "plan", "state", "made", "expires", "last used")
    for found in run(lambda ctx: tokens.listed(ctx, slug)):
        state = "active" if found.active(now) else "revoked" if found.revoked_at else "expired"
        times = (local(found.created_at), local(found.expires_at), local(found.last_used_at))
        whose = found.store.slug if found.store else f"{found.organisation} (chain)"
        may = " ".join(found.scopes)
        grid.add_row(found.id, whose, found.name, found.prefix + "…", may, found.plan, state, *times)
    results.print(grid)


@token.command("rotate")
@click.argument("which", metavar="NAME|ID|PREFIX")
@click.option("--store", "slug", help="Where several stores have a token of this name.")
@click.option("--overlap", type=Span(), default="24h", show_default=True, help="How long the old one goes on.")
@click.option("--expires", type=Expiry(), metavar="SPAN|DATE", help="Of the new one. Default: as the old one.")
def rotate_token(which: str, slug: str | None, overlap: int, expires: int | None) -> None:
    """Make a successor of the same name, scopes, store and plan, and print it alone on standard output."""
    issued = run(lambda ctx: tokens.rotate(ctx, which, slug, overlap=overlap, expires_at=expires, by=me()))
    _show(issued, None)
    notes.print(f"The old one goes on for {timedelta(seconds=overlap)} at most; put the new one into use until then.")


@token.command("revoke")
@click.argument("which", metavar="NAME|ID|PREFIX")
@click.option("--store", "slug", help="Where several stores have a token of this name.")
def revoke_token(which: str, slug: str | None) -> None:
    """Revoke a token; it is refused from the next request on."""
    revoked = run(lambda ctx: tokens.revoke(ctx, which, slug, by=me()))
    whose = f"store {revoked.store.slug}" if revoked.store else f"chain {revoked.organisation}"
    notes.print(f"Token {revoked.name} of {whose} ({revoked.prefix}…) is revoked.")
