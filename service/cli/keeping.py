"""The key of secrets at rest, and the log of who changed what."""

import click
import msgspec
from cryptography.fernet import Fernet

from service import audit_log
from service.audit_log import Asked
from service.cli.console import notes, results, table
from service.cli.work import run
from service.messages import Window


@click.command()
def key() -> None:
    """Print a new key for SHELFCAST_SECRET_KEY, alone on standard output.

    To replace a key, put the new one before the old one, with a comma between: each opens what it sealed.
    """
    click.echo(Fernet.generate_key().decode())
    notes.print("Keep it apart from the database and its backups; without it, stored secrets have to be entered anew.")


@click.command()
@click.option("--store", help="Only what is about the store of this slug.")
@click.option("--action", help="Only this, such as gateway.changed.")
@click.option("--subject", help="Only what was done to the thing of this id.")
@click.option("--last", default=50, show_default=True, type=click.IntRange(1, 1000), help="So many, the newest first.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def audit(store: str | None, action: str | None, subject: str | None, last: int, *, as_json: bool) -> None:
    """Who changed what, the newest first."""
    asked = Asked(action, subject, store)
    found = run(lambda ctx: audit_log.listed_at_shell(ctx, asked, Window(per_page=last))).data
    if as_json:
        for one in found:
            click.echo(msgspec.json.encode(one))
        return
    grid = table("at", "store", "who", "did", "to", "detail")
    for one in found:
        detail = ", ".join(f"{name}={value}" for name, value in one.detail.items())
        grid.add_row(one.at[:19], one.store or "-", one.actor, one.action, one.name or one.subject or "-", detail)
    results.print(grid)
