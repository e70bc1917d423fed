"""Organisations and their stores."""

import click

from service.cli.batches import guards
from service.cli.console import local, notes, results, table, warn
from service.cli.displays import me
from service.cli.work import run
from service.context import Shelfcast
from service.messages.tenants import Simulation
from service.rendering.fonts import without_glyph
from service.store.tenants import Store
from service.tenants import sandboxes, stores
from service.tenants.stores import ORGANISATION, NewStore

_LETTERS = {"ja": "日あア", "ko": "한국", "zh": "中文"}
"""Of languages whose letters come with an extra."""
_HOW_MANY = click.IntRange(1, sandboxes.MOST_DISPLAYS)


@click.group()
def organisation() -> None:
    """Organisations: chains, which own stores."""


@organisation.command("create")
@click.argument("slug")
@click.option("--name", help="As people call it. Default: its slug.")
def create_organisation(slug: str, name: str | None) -> None:
    """Make an organisation; SLUG is lower-case letters, digits and hyphens."""
    made = run(lambda ctx: stores.create_organisation(ctx, slug, name, by=me()))
    notes.print(f"Organisation {made.slug} ({made.name}) is made.")
    notes.print(f"Next: shelfcast token create --organisation {made.slug} --name head-office --role admin")


@organisation.command("list")
def list_organisations() -> None:
    """All organisations."""
    grid = table("slug", "name", "stores", "made")
    for found, count in run(stores.organisations):
        grid.add_row(found.slug, found.name, f"{count:,}", local(found.created_at))
    results.print(grid)


@click.group()
def store() -> None:
    """Stores."""


store.add_command(guards)


@store.command("create")
@click.argument("slug")
@click.option("--organisation", default=ORGANISATION, show_default=True, help="Slug of the chain that owns it.")
@click.option("--name", help="As people call it. Default: its slug.")
@click.option("--currency", default="EUR", show_default=True, help="ISO 4217; the prices of the feed are in it.")
@click.option("--timezone", default="UTC", show_default=True, help="IANA name; sales start and end by its clocks.")
@click.option("--locale", default="en", show_default=True, help="How displays write prices, such as hr or de-AT.")
@click.option("--sandbox", is_flag=True, help="For development, with simulated displays; tokens begin with sc_test_.")
def create_store(
    slug: str, organisation: str, name: str | None, currency: str, timezone: str, locale: str, sandbox: bool
) -> None:
    """Make a store; SLUG is lower-case letters, digits and hyphens."""
    new = NewStore(
        slug=slug,
        organisation=organisation,
        name=name,
        currency=currency,
        timezone=timezone,
        locale=locale,
        sandbox=sandbox,
    )
    made = run(lambda ctx: stores.create_store(ctx, new, by=me()))
    notes.print(f"Store {made.slug} ({made.environment}, {made.currency}, {made.timezone}, {made.locale}) is made.")
    if missing := without_glyph(_LETTERS.get(made.locale.partition("-")[0], "")):
        warn(f'No font here has {missing}: names are drawn as boxes until you pip install "shelfcast[cjk]".')
    notes.print(f"Next: shelfcast token create --store {made.slug} --name POS")
    if sandbox:
        notes.print(f"And for simulated displays: shelfcast store simulate {made.slug}")


@store.command("simulate")
@click.argument("slug")
@click.option("--displays", type=_HOW_MANY, default=20, show_default=True, help="In all.")
@click.option("--barcode", "barcodes", multiple=True, help="What the first, second, … display shows; repeatable.")
def simulate_displays(slug: str, displays: int, barcodes: tuple[str, ...]) -> None:
    """Give a sandbox store simulated displays; `shelfcast serve` runs them. Repeating it changes nothing."""

    async def work(ctx: Shelfcast) -> Simulation:
        async with ctx.db.read() as conn:
            owner: Store = await stores.known_store(conn, slug)
        return await sandboxes.simulate(ctx, owner, displays, barcodes, by=me())

    made = run(work)
    bound = sum(display.barcode is not None for display in made.displays)
    first, last = made.displays[0].address, made.displays[-1].address
    notes.print(f"Store {slug} has {len(made.displays)} simulated displays, {first} to {last}; {bound} show a product.")


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
