"""Processes: everything under one supervisor, or each by itself."""

import os
import sys

import click

from display_drivers import registry
from service import supervisor, valkey
from service.children import python
from service.cli.console import USAGE, notes, stop, warn
from service.cli.work import bring_up_to_date, settings
from service.settings import Settings, SettingsError


@click.command()
def serve() -> None:
    """Run API, workers and, if no Redis is set, the embedded Valkey.

    What dies is started again. Ends with SIGTERM or Ctrl-C, and takes everything with it.
    """
    found = settings()
    try:
        with supervisor.only_one(found):
            supervisor.check_port(found)
            _check_redis(found)
            bring_up_to_date(found)
            supervisor.serve(found, lambda: _announce(found))
    except SettingsError as error:
        stop(str(error))


def _announce(found: Settings) -> None:
    host = f"[{found.host}]" if ":" in found.host else found.host
    url = f"http://{host}:{found.port}"
    notes.print(f"Shelfcast is ready at {url}; its API is described at {url}/docs", style="bold")
    notes.print(f"Data: {found.data_dir}. Ctrl-C ends it.")


@click.command()
def api() -> None:
    """Run the API alone."""
    found = settings()
    _check_redis(found)
    from service.app import run_api  # noqa: PLC0415 - Litestar is for those who serve

    run_api(found)


@click.command()
def worker() -> None:
    """Run one worker alone.

    Without SHELFCAST_REDIS_URL it needs a `shelfcast serve` on the same data folder, whose Valkey it uses.
    """
    found = settings()
    _check_redis(found)
    _become("workers.main")


@click.command()
def migrate() -> None:
    """Bring the database to this version. `serve` does it by itself."""
    bring_up_to_date(settings())


@click.command(context_settings={"ignore_unknown_options": True, "help_option_names": []}, add_help_option=False)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def simulate(arguments: tuple[str, ...]) -> None:
    """Run a simulated store of displays, or `simulate openepaperlink` an access point; --help tells of the options."""
    known = registry.simulators()
    if arguments and arguments[0] in known:
        _become(known[arguments[0]], *arguments[1:])
    if arguments and not arguments[0].startswith("-"):
        stop(f"There is no simulation {arguments[0]}; there are: {', '.join(sorted(known))}.", USAGE)
    _become(known["simulator"], *arguments)


def _become(module: str, *arguments: str) -> None:
    """Go on as another of our modules, in this very process: signals and its exit code are then its own."""
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, python(module, *arguments))  # noqa: S606 - our own module


def _check_redis(found: Settings) -> None:
    if found.redis_url is None:
        return
    try:
        for warning in valkey.check_redis(found.redis_url):
            warn(warning)
    except SettingsError as error:
        stop(str(error), USAGE)
