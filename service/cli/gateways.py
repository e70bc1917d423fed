"""Gateways: listed, shown, added, changed, retired, maintained."""

from collections.abc import Sequence

import click
import msgspec

from service.cli.console import notes, results, table
from service.cli.displays import me
from service.cli.shell import doing
from service.cli.work import run
from service.context import Shelfcast
from service.gateways import gateway_setup, gateway_states, maintenance
from service.gateways.gateway_setup import Changes
from service.messages import Window
from service.messages.gateways import Gateway, GatewayStatus
from service.tenants import stores

_PAGE = 1000


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
    config = _config(pairs)
    added = run(lambda ctx: gateway_setup.add_to(ctx, slug, name, driver, config, check=not no_check, by=me()))
    notes.print(f"Gateway {added.name} of store {slug} is saved" + ("." if no_check else " and answers."))


@gateway.command("list")
@click.argument("slug", metavar="STORE")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_gateways(slug: str, *, as_json: bool) -> None:
    """A store's gateways, and whether they answer."""
    found = run(lambda ctx: _all(ctx, slug))
    if as_json:
        for one in found:
            click.echo(msgspec.json.encode(one))
        return
    grid = table("name", "driver", "settings", "state", "id")
    for one in found:
        settings = ", ".join(f"{key}={value}" for key, value in sorted(one.config.items()))
        grid.add_row(one.name, one.driver, settings, _state(one), one.id)
    results.print(grid)


@gateway.command("show")
@click.argument("slug", metavar="STORE")
@click.argument("name", metavar="NAME|ID")
@click.option("--json", "as_json", is_flag=True, help="The same as the API says it.")
def show_gateway(slug: str, name: str, *, as_json: bool) -> None:
    """How one gateway is: whether it answers, what is on it, how much of it is used."""
    found = run(lambda ctx: _one(ctx, slug, name))
    if as_json:
        click.echo(msgspec.json.encode(found))
        return
    grid = table("", "")
    for label, value in _facts(found):
        grid.add_row(label, value)
    results.print(grid)


@gateway.command("change")
@click.argument("slug", metavar="STORE")
@click.argument("name", metavar="NAME|ID")
@click.option("--name", "new_name", help="Another name.")
@click.option("--set", "pairs", multiple=True, metavar="KEY=VALUE", help="A setting that is to be otherwise.")
@click.option("--unset", "gone", multiple=True, metavar="KEY", help="A setting that is to go.")
@click.option("--no-check", is_flag=True, help="Save it without opening it.")
def change_gateway(
    slug: str, name: str, new_name: str | None, pairs: tuple[str, ...], gone: tuple[str, ...], *, no_check: bool
) -> None:
    """Rename a gateway, or set it otherwise; what is not named stays. It is opened once before it is saved."""
    config = {**_config(pairs), **dict.fromkeys(gone)}
    if new_name is None and not config:
        raise click.UsageError("Say what is to be otherwise: --name, --set or --unset.")
    changes = Changes(name=new_name, config=config, check=not no_check)
    run(doing(slug, lambda ctx, store_id, who: gateway_setup.change(ctx, store_id, who, name, changes)))
    notes.print(f"Gateway {new_name or name} of store {slug} is changed.")


@gateway.command("retire")
@click.argument("slug", metavar="STORE")
@click.argument("name", metavar="NAME|ID")
def retire_gateway(slug: str, name: str) -> None:
    """Take a gateway out of use for good, once no display is on it."""
    run(doing(slug, lambda ctx, store_id, who: gateway_setup.retire(ctx, store_id, who, name)))
    notes.print(f"Gateway {name} of store {slug} is retired.")


@gateway.command("maintenance")
@click.argument("slug", metavar="STORE")
@click.argument("name", metavar="NAME|ID")
@click.option("--reason", help="What is done, for whoever asks why labels wait. Begins the maintenance.")
@click.option("--end", is_flag=True, help="It is over: everything that waited goes on at once.")
def maintain_gateway(slug: str, name: str, reason: str | None, *, end: bool) -> None:
    """Let a gateway's updates wait while somebody works on it, or go on."""
    if end == bool(reason):
        raise click.UsageError("Give either --reason, to begin, or --end.")
    if reason:
        why = reason
        run(doing(slug, lambda ctx, store_id, who: maintenance.begin(ctx, store_id, who, name, why)))
    else:
        run(doing(slug, lambda ctx, store_id, who: maintenance.end(ctx, store_id, who, name)))
    notes.print(f"Gateway {name} of store {slug} {'goes on' if end else 'is in maintenance'}.")


async def _all(ctx: Shelfcast, slug: str) -> list[Gateway]:
    store_id = await stores.store_id_of(ctx, slug)
    found: list[Gateway] = []
    window = Window(per_page=_PAGE)
    while True:
        page = await gateway_states.listed(ctx, store_id, None, window)
        found += page.data
        if page.meta.next is None:
            return found
        window = Window(per_page=_PAGE, cursor=page.meta.next)


async def _one(ctx: Shelfcast, slug: str, name: str) -> GatewayStatus:
    return await gateway_states.one(ctx, await stores.store_id_of(ctx, slug), name)


def _config(pairs: Sequence[str]) -> dict[str, str]:
    for pair in pairs:
        if "=" not in pair:
            raise click.BadParameter(f"{pair!r} is not KEY=VALUE.", param_hint="--set")
    return dict(pair.split("=", 1) for pair in pairs)


def _state(one: Gateway) -> str:
    match one.state:
        case "maintenance" if one.maintenance:
            return f"maintenance since {one.maintenance.since} by {one.maintenance.by}: {one.maintenance.reason}"
        case "unreachable":
            return f"does not answer since {one.unreachable_since}: {one.error or 'no reason known'}"
        case "retired":
            return "retired"
    return f"error: {one.error}" if one.error else "in use"


def _facts(one: GatewayStatus) -> list[tuple[str, str]]:
    hardware, most = one.hardware, one.capacity.max_displays
    facts = [
        ("name", one.name),
        ("id", one.id),
        ("driver", one.driver),
        *((f"  {key}", value) for key, value in sorted(one.config.items())),
        ("state", _state(one)),
        ("answered", one.reached_at or "never"),
        ("displays", f"{one.displays.total:,}" + (f" of {most:,} ({one.capacity.percent} %)" if most else "")),
        ("  wrong", f"{one.displays.wrong:,}, of these {one.displays.unconfirmed:,} sent and not proven"),
        ("updates", f"{one.updates.waiting:,} waiting, {one.updates.in_flight:,} in flight"),
        ("pushes a minute", f"{one.capacity.pushes_per_minute} in the last hour"),
    ]
    if hardware is not None:
        facts.append(("proof", f"{hardware.proof}, within {hardware.reports_within:g} s on a good day"))
        facts.append(("limits", f"{hardware.max_batch} updates a push, {hardware.max_in_flight} pushes at once"))
    return facts
