"""Drivers by name, found by the entry point group `shelfcast.drivers`.

A driver is loaded when it is first asked for, and not before: one that cannot be loaded breaks nothing but itself.
"""

from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points

from display_drivers.base import Driver
from display_drivers.errors import DriverError, PermanentError

GROUP = "shelfcast.drivers"


def names() -> list[str]:
    """Of every driver that is installed, loadable or not, in alphabetical order."""
    return sorted(entry_points(group=GROUP).names)


def create(name: str, config: Mapping[str, str]) -> Driver:
    """A driver for one gateway, not yet open.

    Raises:
        DriverError: No driver has this name, or it cannot be loaded, or it refuses the configuration.
    """
    entry_point = _entry_point(name)
    try:
        driver: Driver = entry_point.load()(config)
    except DriverError:
        raise
    except Exception as error:  # whatever a plug-in raises is its own trouble, in words that name it
        raise PermanentError(f"Driver {name} ({entry_point.value}) cannot be used: {error!r}.") from error
    return driver


def _entry_point(name: str) -> EntryPoint:
    found = entry_points(group=GROUP, name=name)
    if not found:
        known = ", ".join(names()) or "none is installed"
        raise PermanentError(f"There is no driver named {name!r}. Known: {known}.")
    return next(iter(found))
