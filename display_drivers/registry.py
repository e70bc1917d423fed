"""Drivers by name, found by the entry point group `shelfcast.drivers`.

A driver is loaded when it is first asked for, and not before: one that cannot be loaded breaks nothing but itself.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import EntryPoint, entry_points

from display_drivers.base import Driver, Setting
from display_drivers.bench import RealBench
from display_drivers.errors import DriverError, PermanentError

GROUP = "shelfcast.drivers"
BENCHES = "shelfcast.benches"
"""Real hardware as a bench of the conformance suite."""
SIMULATORS = "shelfcast.simulators"
"""Modules that run a simulation, as `python -m` does."""


def names() -> list[str]:
    """Of every driver that is installed, loadable or not, in alphabetical order."""
    return sorted(entry_points(group=GROUP).names)


def create(name: str, config: Mapping[str, str]) -> Driver:
    """A driver for one gateway, not yet open.

    Raises:
        DriverError: No driver has this name, or it cannot be loaded, or it refuses the configuration.
    """
    entry_point = _entry_point(name)
    with _blamed(entry_point):
        driver: Driver = entry_point.load()(config)
    return driver


def settings(name: str) -> tuple[Setting, ...] | None:
    """What a gateway of this driver can be set to; None where the driver does not state it. Raises as `create`."""
    entry_point = _entry_point(name)
    with _blamed(entry_point):
        stated: tuple[Setting, ...] | None = getattr(entry_point.load(), "settings", None)
    return stated


@contextmanager
def _blamed(entry_point: EntryPoint) -> Iterator[None]:
    """Whatever a plug-in raises is its own trouble, in words that name it."""
    try:
        yield
    except DriverError:
        raise
    except Exception as error:
        raise PermanentError(f"Driver {entry_point.name} ({entry_point.value}) cannot be used: {error!r}.") from error


def bench(name: str, config: Mapping[str, str]) -> RealBench:
    """Real hardware to try a driver on; raises DriverError where there is no such bench, or it refuses this."""
    made: RealBench = _entry_point(name, BENCHES).load()(config)
    return made


def simulators() -> dict[str, str]:
    """Name -> module."""
    return {found.name: found.value for found in entry_points(group=SIMULATORS)}


def _entry_point(name: str, group: str = GROUP) -> EntryPoint:
    found = entry_points(group=group, name=name)
    if not found:
        known = ", ".join(sorted(entry_points(group=group).names)) or "none is installed"
        what = "driver named" if group == GROUP else "way to check a driver named"
        raise PermanentError(f"There is no {what} {name!r}. Known: {known}.")
    return next(iter(found))
