"""A virtual store that behaves like hardware, and the driver that sandbox stores reach it with.

The store runs in a process of its own (`python -m display_drivers.simulator`) and speaks the Shelfcast gateway
protocol, so its driver is the one of every gateway that does, under its own name.
"""

from collections.abc import Mapping

from display_drivers.base import with_settings
from display_drivers.gateway import SETTINGS, GatewayDriver


@with_settings(*SETTINGS)
def driver(config: Mapping[str, str]) -> GatewayDriver:
    """A driver for one gateway of a simulated store; the settings are those of driver `gateway`."""
    return GatewayDriver("simulator", config)
