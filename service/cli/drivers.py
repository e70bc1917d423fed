"""Drivers: which are installed, and whether one keeps its promises on the hardware that is there."""

import asyncio

import click

from display_drivers import conformance, registry
from display_drivers.bench import RealBench
from display_drivers.conformance import Result
from display_drivers.errors import DriverError
from service.cli.console import notes, results, stop, table

_FEWEST = 3


@click.group()
def drivers() -> None:
    """Drivers of displays."""


@drivers.command("list")
def list_() -> None:
    """The drivers that are installed."""
    for name in registry.names():
        click.echo(name)


@drivers.command("check")
@click.argument("name")
@click.option("--url", required=True, help="Where the gateway is.")
@click.option("--set", "pairs", multiple=True, metavar="KEY=VALUE", help="Further settings of the driver.")
@click.option("--display", "displays", multiple=True, help="Try these alone; they show test pictures meanwhile.")
@click.option("--facts", "only_facts", is_flag=True, help="Say what was found, and change no display.")
def check(name: str, url: str, pairs: tuple[str, ...], displays: tuple[str, ...], *, only_facts: bool) -> None:
    """Run the conformance suite on real hardware: versions, limits, settings, and which promises hold.

    Displays show test pictures meanwhile, and it takes as long as they sleep. The exit code is 1 if one is broken.
    """
    for pair in pairs:
        if "=" not in pair:
            raise click.BadParameter(f"{pair!r} is not KEY=VALUE.", param_hint="--set")
    config = {"url": url, **dict(pair.split("=", 1) for pair in pairs)}
    if displays:
        config["displays"] = ",".join(displays)
    try:
        found = asyncio.run(_checked(registry.bench(name, config), only_facts=only_facts))
    except DriverError as error:
        stop(error.detail)
    grid = table("check", "result", "what was seen")
    for result in found:
        grid.add_row(result.name, _WORDS[result.passed], result.detail)
    if found:
        results.print(grid)
    if any(result.passed is False for result in found):
        raise click.exceptions.Exit(1)


_WORDS = {True: "kept", False: "BROKEN", None: "not tried"}


async def _checked(bench: RealBench, *, only_facts: bool) -> list[Result]:
    for fact in await bench.facts():
        notes.print(fact)
    if only_facts:
        return []
    if len(bench.addresses) < _FEWEST:
        stop(f"The suite needs {_FEWEST} displays of one panel; there are {len(bench.addresses)}.")
    found = []
    for name in conformance.CHECKS:
        notes.print(f"{name} …")
        found += await conformance.run(bench, only=[name])
    return found
