"""A simulated store on a port of its own, from the command line."""

import argparse
import re
from collections.abc import Sequence
from typing import Any

import msgspec

from display_drivers.base import Panel
from display_drivers.simulator.process import run
from display_drivers.simulator.settings import Behaviour
from display_drivers.simulator.store import Options

_PANEL = re.compile(r"(\d{1,4})x(\d{1,4})-(BW|BWR|BWY|BWRY)")
_OPTIONS = {
    "--displays": "how many displays, spread evenly over the gateways",
    "--gateways": "how many gateways, named g1, g2, …",
    "--panels": "panels given to the displays in turn, such as 296x128-BWR,400x300-BWR",
    "--prefix": "what the displays' addresses begin with",
    "--seed": "the same seed gives the same store",
    "--time-scale": "how many times faster than real; 0: nothing takes any time",
    "--secret": "bearer secret that the gateways and the control API demand",
    "--host": "address to listen on",
    "--port": "port to listen on; 0: any free one",
    "--state": "file that keeps what is on the glass across a restart",
}


def options(arguments: Sequence[str] | None = None) -> Options:
    """The command line as Options; every setting of Behaviour is a flag of the same name. Ends the process if wrong."""
    parser = argparse.ArgumentParser(prog="python -m display_drivers.simulator", description=__doc__)
    for flag, words in _OPTIONS.items():
        parser.add_argument(flag, help=words, default=argparse.SUPPRESS)
    behaviour = parser.add_argument_group("each gateway's behaviour, which the control API can change")
    for field in msgspec.structs.fields(Behaviour):
        behaviour.add_argument(
            f"--{field.name.replace('_', '-')}", default=argparse.SUPPRESS, help=f"({field.default})"
        )
    given = vars(parser.parse_args(arguments))
    try:
        return _options(given)
    except (msgspec.ValidationError, ValueError) as error:
        parser.error(str(error))


def _options(given: dict[str, Any]) -> Options:
    fields = {field.name: field.encode_name for field in msgspec.structs.fields(Behaviour)}
    behaviour = {name: given.pop(field) for field, name in fields.items() if field in given}
    if "panels" in given:
        given["panels"] = [panel(name) for name in given["panels"].split(",")]
    return msgspec.convert(given | {"behaviour": behaviour}, Options, strict=False)


def panel(name: str) -> Panel:
    """The panel of that name; raises ValueError."""
    found = _PANEL.fullmatch(name)
    if found is None:
        raise ValueError(f"A panel is written as 296x128-BWR, not {name!r}.")
    return msgspec.convert({"width": int(found[1]), "height": int(found[2]), "palette": found[3]}, Panel)


def main(arguments: Sequence[str] | None = None) -> None:
    """Serves until SIGTERM or SIGINT."""
    run(options(arguments))
