"""From sandboxes to production: what integrations ask, and what the operator says."""

import click

from service.cli.console import local, notes, results, table
from service.cli.displays import me
from service.cli.tokens import EXPIRES, PLAN, ROLE, SCOPE, granted
from service.cli.work import run
from service.tenants import production as decisions
from service.tenants.tokens import Wanted


@click.group()
def production() -> None:
    """Requests for production tokens."""


@production.command("list")
@click.option("--all", "everything", is_flag=True, help="Those that are decided, too.")
def list_requests(*, everything: bool) -> None:
    """Open requests, with what their integration has not done so far."""
    grid = table("sandbox", "organisation", "state", "asked", "contact", "note", "missing", "decided", "by", "reason")
    for found in run(lambda ctx: decisions.requests(ctx, everything=everything)):
        row = found.row
        grid.add_row(
            row["store"],
            row["organisation"],
            row["state"],
            local(row["requested_at"]),
            row["contact"],
            row["note"] or "-",
            " ".join(found.missing) or "nothing",
            local(row["decided_at"]),
            row["decided_by"] or "-",
            row["override"] or row["reason"] or "-",
        )
    results.print(grid)


@production.command("grant")
@click.argument("sandbox")
@click.option("--live", required=True, metavar="STORE", help="Live store that the token is for.")
@click.option("--name", default="POS", show_default=True, help="Of the token.")
@click.option("--override", metavar="REASON", help="Grant it although something is missing; stays on record.")
@click.option("--print", "show", is_flag=True, help="Print the token here, instead of letting the sandbox fetch it.")
@SCOPE
@ROLE
@PLAN
@EXPIRES
def grant(
    sandbox: str,
    live: str,
    name: str,
    override: str | None,
    scopes: tuple[str, ...],
    role: str | None,
    plan: str,
    expires: int | None,
    *,
    show: bool,
) -> None:
    """Make a token of a live store for the integration of SANDBOX, which fetches it once."""
    wanted = Wanted(name=name, scopes=granted(scopes, role), plan=plan, expires_at=expires)
    issued = run(lambda ctx: decisions.grant(ctx, sandbox, live, wanted, by=me(), override=override, show=show))
    if show:
        notes.print(f"Token {name} of store {live}. Hand it over: it is not shown again.")
        click.echo(issued.token)
    else:
        notes.print(f"Token {name} of store {live} waits: the integration fetches it by POST /production/token.")


@production.command("refuse")
@click.argument("sandbox")
@click.option("--reason", required=True, help="The integration reads it.")
def refuse(sandbox: str, reason: str) -> None:
    """Refuse the open request of SANDBOX; it may ask again."""
    run(lambda ctx: decisions.refuse(ctx, sandbox, reason, by=me()))
    notes.print(f"The request of {sandbox} is refused.")
