"""A simulated OpenEPaperLink access point on ports of its own, from the command line."""

from typing import Any

import click
import msgspec

from display_drivers.openepaperlink.accesspoint.process import run
from display_drivers.openepaperlink.accesspoint.settings import Options
from display_drivers.openepaperlink.accesspoint.tagtypes import TAG_TYPES


@click.command("openepaperlink")
@click.option("--tags", type=int, default=20, show_default=True, help="How many tags.")
@click.option("--types", default="01,27", show_default=True, help="Their hwTypes in turn, in hexadecimal.")
@click.option("--first-mac", default="0000021000000001", show_default=True, help="Address they count up from.")
@click.option("--ver", type=int, default=26, show_default=True, help="Their firmware; compressed payloads from 27 on.")
@click.option("--speed", type=float, default=1.0, show_default=True, help="Times faster than real; 0: time stands.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=int, default=0, help="Port of the access point; 0: any free one.")
@click.option("--control-port", type=int, default=0, help="Port of the control API; 0: any free one.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed gives the same tags.")
@click.option("--profile", type=click.Choice(["modern", "legacy"]), default="modern", show_default=True)
@click.option("--maxsleep", type=int, default=10, show_default=True, help="Most minutes that a tag sleeps.")
@click.option("--stopsleep", type=click.IntRange(0, 1), default=1, help="1: no sleep while a WebSocket is open.")
@click.option("--preview", type=click.IntRange(0, 1), default=1, help="1: keep the last image of each tag.")
@click.option("--lock", type=click.IntRange(0, 2), default=0, help="0: adopt every tag, 1: none, 2: on first boot.")
@click.option("--no-nightly-reboot", is_flag=True, help="It restarts at 03:56 otherwise.")
def command(types: str, *, no_nightly_reboot: bool, **given: Any) -> None:
    """A simulated OpenEPaperLink access point with its tags. Serves until SIGTERM or SIGINT."""
    try:
        wanted = [int(name, 16) for name in types.split(",")]
        unknown = [name for name in wanted if name not in TAG_TYPES]
        if unknown:
            known = ", ".join(f"{name:02X}" for name in TAG_TYPES)
            raise click.UsageError(f"Of hwType {unknown[0]:02X} there are no simulated tags; there are {known}.")
        options = {**given, "types": wanted, "nightlyreboot": int(not no_nightly_reboot)}
        run(msgspec.convert(options, Options))
    except (ValueError, msgspec.ValidationError) as error:
        raise click.UsageError(str(error)) from error
