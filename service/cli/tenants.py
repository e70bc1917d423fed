"""Gateways, which reach a store's displays."""

import re

import click

from service import stores
from service.cli.console import local, notes, results, table
from service.cli.work import run

_SECRET = re.compile(r"secret|token|password|key", re.IGNORECASE)


@click.group()
def gateway() -> None:
    """Gateways, which reach a store's displays."""


@gateway.command("add")
@click.argument("slug", metavar="STORE")
@click.argument("name")
@click.option("--driver", required=True, help="Hardware family, such as simulator.")
@click.option("--set", "pairs", multiple=True, metavar="KEY=VALUE", help="Setting of the driver, such as url=http://…")
@click.option("--no-check", is_flag=True, help="Save it without opening it.")
def add_gateway(slug: str, name: str, driver: str, pairs: tuple[str, ...], no_check: bool) -> None:
    """Add a gateway that the driver could open just now."""
    for pair in pairs:
        if "=" not in pair:
            raise click.BadParameter(f"{pair!r} is not KEY=VALUE.", param_hint="--set")
    config = dict(pair.split("=", 1) for pair in pairs)
    added = run(lambda ctx: stores.add_gateway(ctx, slug, name, driver, config, check=not no_check))
    notes.print(f"Gateway {added.name} of store {slug} is saved" + ("." if no_check else " and answers."))


@gateway.command("list")
@click.argument("slug", metavar="STORE")
def list_gateways(slug: str) -> None:
    """A store's gateways, and whether they answer."""
    grid = table("name", "driver", "settings", "state", "id")
    for found in run(lambda ctx: stores.gateways(ctx, slug)):
        shown = ", ".join(
            f"{key}={'…' if _SECRET.search(key) else value}" for key, value in sorted(found.config.items())
        )
        away = f"does not answer since {local(found.unreachable_since)}: {found.error or 'no reason known'}"
        state = "retired" if found.retired_at else away if found.unreachable_since else "in use"
        grid.add_row(found.name, found.driver, shown, state, found.id)
    results.print(grid)
