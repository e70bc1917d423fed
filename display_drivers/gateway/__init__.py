"""The driver for every gateway that speaks the Shelfcast gateway protocol (docs/drivers/gateway-protocol.md)."""

from collections.abc import Mapping

from display_drivers.base import with_settings
from display_drivers.gateway.client import SETTINGS, GatewayDriver


@with_settings(*SETTINGS)
def driver(config: Mapping[str, str]) -> GatewayDriver:
    """A driver for the gateway at `url`; `secret`, where given, goes with each request as a bearer token."""
    return GatewayDriver("gateway", config)


__all__ = ["SETTINGS", "GatewayDriver", "driver"]
