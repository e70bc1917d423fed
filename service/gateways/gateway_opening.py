"""A gateway is opened once before it is saved: whatever is wrong is said now, and not in the middle of the night.

Whoever sets a gateway through the API makes this machine connect to an address of his choice. Private addresses are
where gateways are, so they are fine; this machine itself and its link (where clouds answer with their credentials) are
not, unless SHELFCAST_GATEWAY_NETWORKS names them. At the shell nothing is refused.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Collection, Mapping
from contextlib import suppress
from urllib.parse import urlsplit

import structlog

from display_drivers import registry
from display_drivers.base import Driver, DriverInfo
from display_drivers.errors import DriverError
from service.errors import DriverRefusedError
from service.gateways import gateway_settings

WITHIN = 15.0
"""Seconds for a gateway to be opened, and again as many to be closed: drivers have limits of their own below that."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

log = structlog.get_logger()


async def tried(
    name: str, config: Mapping[str, str], *, check: bool, networks: Collection[str] | None
) -> DriverInfo | None:
    """What the driver states of a gateway that it could open just now; without `check` it is not opened: None.

    `networks`: where it may be besides the ordinary; None: anywhere. Raises DriverRefusedError with the driver's words.
    """
    try:
        _refuse_faults(name, config)
        driver = registry.create(name, config)
        if networks is not None:
            await _refuse_addresses(config, networks)
        return await _opened(driver) if check else None
    except DriverError as error:
        raise DriverRefusedError(
            f"The gateway was not saved, since its driver could not open it: {error.detail} "
            "Mend that, or save it unopened (`check: false`; at the shell --no-check)."
        ) from error


def _refuse_faults(name: str, config: Mapping[str, str]) -> None:
    if found := gateway_settings.faults(name, config):
        sentences = "; ".join(f"`{setting}` {fault}" for setting, fault in found.items())
        fields = {f"config.{setting}": fault for setting, fault in found.items()}
        raise DriverRefusedError(f"The gateway was not saved, since its settings cannot be right: {sentences}.", fields)


async def _opened(driver: Driver) -> DriverInfo:
    try:
        async with asyncio.timeout(WITHIN):
            await driver.open()
            return driver.info
    except DriverError:
        raise
    except TimeoutError:
        raise DriverRefusedError(
            f"The gateway was not saved, since it could not be opened within {WITHIN:g} s. Check its address and its "
            "power, or save it unopened (`check: false`; at the shell --no-check)."
        ) from None
    except Exception as error:
        log.exception("driver_broke_its_contract", driver=driver.info.name)
        raise DriverRefusedError(f"The gateway was not saved, since its driver failed: {error!r}.") from error
    finally:
        with suppress(Exception):
            async with asyncio.timeout(WITHIN):
                await driver.close()


async def _refuse_addresses(config: Mapping[str, str], networks: Collection[str]) -> None:
    """Refuse a setting that is a URL on this machine or its link.

    A name that comes to mean another address later is not noticed: where that matters, the workers' network has to
    refuse it (docs/gateways.md).
    """
    for setting, value in config.items():
        for address in await _addresses(value):
            if not may_be_at(address, networks):
                reason = f"is at {address}, on this machine or its link, where gateways set through the API may not be"
                raise DriverRefusedError(
                    f"The gateway was not saved: `{setting}` {reason}; the operator allows it with "
                    "SHELFCAST_GATEWAY_NETWORKS, or adds it at the shell.",
                    {f"config.{setting}": reason},
                )


async def _addresses(value: str) -> list[Address]:
    """Where a URL leads; nowhere, if it is none or nobody knows its host, which its driver will say."""
    try:
        host = urlsplit(value).hostname if "://" in value else None
        if not host:
            return []
        async with asyncio.timeout(WITHIN):
            found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (ValueError, OSError):  # a host that cannot be; one that nobody knows, or not in time
        return []
    return [ipaddress.ip_address(str(place[4][0]).partition("%")[0]) for place in found]


def may_be_at(address: Address, networks: Collection[str]) -> bool:
    """Whether a gateway that is set through the API may be at this address."""
    plain = getattr(address, "ipv4_mapped", None) or address
    if any(plain in ipaddress.ip_network(network, strict=False) for network in networks):
        return True
    return not (plain.is_loopback or plain.is_link_local or plain.is_unspecified or plain.is_multicast)
