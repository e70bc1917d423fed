"""What the conformance suite needs of hardware, real or simulated: something to try a driver on."""

from collections.abc import Sequence
from typing import Protocol

from display_drivers.base import Data, Driver, Frame, Panel

Face = Frame | Data


class Bench(Protocol):
    """What the suite needs of hardware, or of its double.

    Attributes:
        addresses: Displays in reach that may show anything; three or more, all with `panel`.
        unknown: An address that the gateway does not know.
    """

    addresses: Sequence[str]
    panel: Panel
    unknown: str

    def driver(self) -> Driver:
        """A new one, not yet open, for the one gateway of the bench."""

    async def glass(self, address: str) -> Face | None:
        """What a shopper sees."""

    async def settle(self) -> None:
        """Returns once the hardware has done what it is going to do."""

    async def unplug(self) -> None:
        """Takes the gateway away; raises CannotError where nothing can."""

    async def plug(self) -> None:
        """Brings the gateway back, in the state that its power cut left it in."""


class CannotError(Exception):
    """This bench or driver cannot run this check; the words say why."""


class RealBench(Bench, Protocol):
    """A bench that knows what the owner of the hardware should be told."""

    async def facts(self) -> list[str]:
        """A sentence each: versions, limits, settings to change. Finds the displays; raises DriverError."""
