"""OpenEPaperLink access points: the driver (`driver`), and one to test against (`accesspoint`)."""

from collections.abc import Mapping

from display_drivers.base import Driver, with_settings
from display_drivers.openepaperlink.settings import SETTINGS


@with_settings(*SETTINGS)
def driver(config: Mapping[str, str]) -> Driver:
    """The entry point; raises PermanentError for a configuration that cannot be right."""
    from display_drivers.openepaperlink.client import OpenEPaperLinkDriver  # noqa: PLC0415 - loaded when it is asked for

    return OpenEPaperLinkDriver(config)
