"""The driver contract: everything a hardware family has to implement, and everything it may.

A driver is one folder with a factory `driver` that the entry point group `shelfcast.drivers` names. It imports this
module, `display_drivers.errors` and `display_drivers.planes` of ours and nothing else; its bench, for the conformance
suite, `display_drivers.bench` as well. All times are integer milliseconds since the epoch, UTC.
"""

import enum
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any, Literal, Protocol, TypeVar, runtime_checkable

import msgspec

from display_drivers.errors import DriverError

Palette = Literal["BW", "BWR", "BWY", "BWRY"]
"""A panel's inks, a letter each; a pixel is an index into this string: 0 is black, 1 is white, 2 and 3 the colours."""

Takes = Literal["frame", "data"]


class Proof(enum.IntEnum):
    """How much the hardware can truthfully say of a face. Higher is stronger."""

    ACCEPTED = 1  # the gateway took it
    DELIVERED = 2  # the display has the bytes
    DISPLAYED = 3  # the display finished its refresh and shows it

    @property
    def word(self) -> str:
        return self.name.lower()


class Panel(msgspec.Struct, frozen=True):
    """A display model's screen; width and height in pixels as the shopper sees it."""

    width: int
    height: int
    palette: Palette = "BWR"

    @property
    def name(self) -> str:
        """The panel as people write it, such as `296x128-BWR`."""
        return f"{self.width}x{self.height}-{self.palette}"


class Frame(msgspec.Struct, frozen=True):
    """The pixels of a face: one byte a pixel, row by row from the top left, each an index into the panel's palette."""

    panel: Panel
    pixels: bytes


class Data(msgspec.Struct, frozen=True):
    """The content of a face for hardware that draws by itself: JSON values only, already chosen for this moment."""

    panel: Panel
    content: Mapping[str, Any]


class Update(msgspec.Struct, frozen=True):
    """One display's way to a new face, as a driver gets it.

    Attributes:
        token: Unique id of this update. The same token is only ever sent again with the same face.
        address: The display's address, as its hardware writes it.
        revision: Grows by at least one with every new face of this display. A gateway that holds or shows a higher
            revision must not go back to a lower one.
        face: What to show, a Frame or Data as the driver's `takes` says.
        again: People saw something else than what the hardware said: do not skip the transfer because it seems done.
    """

    token: str
    address: str
    revision: int
    face: Frame | Data
    again: bool = False


class Outcome(msgspec.Struct, frozen=True):
    """What the gateway said to one update.

    Attributes:
        token: The update's.
        error: None if the gateway took it, which proves nothing about the glass.
        mark: What the hardware will report once the display shows this update: the token itself where updates carry
            an id, else a fingerprint of the bytes that were sent.
    """

    token: str
    error: DriverError | None = None
    mark: str | None = None


class Touch(msgspec.Struct, frozen=True):
    """Somebody was at the display: pressed a button of it, or held a phone to it.

    Attributes:
        at: When, by the gateway's clock. A touch that is told twice says the same time twice.
        button: Which one, from 1, where the hardware tells them apart.
    """

    kind: Literal["button", "nfc"]
    at: int
    button: int | None = None


class Report(msgspec.Struct, frozen=True):
    """What the hardware says of one display. Absent means: not known, never: zero.

    Attributes:
        address: The display's.
        at: When the display said so, by the gateway's clock.
        shows: The mark of what the display shows, at the level `proof`; None if it shows nothing of ours.
        proof: How certain `shows` is; None if the report says nothing about the face (a bare check-in).
        battery: Percent, 0 to 100.
        signal: dBm.
        temperature: Degrees Celsius.
        touch: The last one that is known; it may be told again and again.
    """

    address: str
    at: int
    shows: str | None = None
    proof: Proof | None = None
    battery: int | None = None
    signal: int | None = None
    temperature: int | None = None
    touch: Touch | None = None


class DriverInfo(msgspec.Struct, frozen=True):
    """What a driver states about its hardware, as data.

    Attributes:
        name: As in the entry point.
        takes: Frames (we draw) or data (the hardware draws).
        proof: The strongest level its reports reach; what counts as confirmed.
        max_batch: Most updates in one `push` and most addresses in one `poll`.
        max_in_flight: Most `push` calls at once for one gateway.
        send_timeout: Seconds after which a `push` is given up; well under the service's lease of 15 s.
        reports_within: Seconds from an accepted push to its report, on a good day with every display in reach; after
            twice that the service sends again.
        carries_id: Whether an update's token travels with it and comes back as `Report.shows`.
        max_displays: Most displays that one gateway can look after; None: it does not say.
    """

    name: str
    takes: Takes
    proof: Proof
    max_batch: int = 100
    max_in_flight: int = 1
    send_timeout: float = 10.0
    reports_within: float = 120.0
    carries_id: bool = True
    max_displays: int | None = None


class Driver(Protocol):
    """One gateway's driver: made by `Factory`, opened once, used by one event loop, closed once."""

    @property
    def info(self) -> DriverInfo:
        """Facts about this gateway's hardware; settled once `open` has returned."""

    async def open(self) -> None:
        """Reach the gateway and check its configuration; raises DriverError with the mend in its words."""

    async def close(self) -> None:
        """Let go of everything; never raises."""

    async def push(self, updates: Sequence[Update]) -> list[Outcome]:
        """Hand over updates, at most one for each display: one outcome for each, in order.

        Raises DriverError only if none of them can have been taken; after a lost answer it raises UnreachableError
        and the service sends the same tokens again.
        """

    async def poll(self, addresses: Sequence[str]) -> list[Report]:
        """The latest report of each display that the gateway knows, in any order; raises DriverError."""


@runtime_checkable
class Listens(Protocol):
    """The gateway tells us by itself. A hint: whatever is lost here is polled later."""

    def listen(self) -> AsyncIterator[Report]:
        """Reports as they come; raises DriverError when the stream breaks."""


@runtime_checkable
class Blinks(Protocol):
    async def blink(self, address: str, seconds: int) -> None:
        """Flash the display's light, so that staff find it."""


class Discovered(msgspec.Struct, frozen=True):
    """A display that the gateway knows."""

    address: str
    panel: Panel


@runtime_checkable
class Discovers(Protocol):
    async def discover(self) -> list[Discovered]:
        """Every display the gateway knows, ours or not."""


@runtime_checkable
class Renders(Protocol):
    async def glass(self, address: str) -> Frame | Data | None:
        """What is on the glass now, as the hardware itself would see it; None for a blank display."""


class Factory(Protocol):
    """What an entry point of group `shelfcast.drivers` names."""

    def __call__(self, config: Mapping[str, str]) -> Driver:
        """A driver for one gateway; raises NotAllowedError or PermanentError if the configuration cannot be right."""


class Setting(msgspec.Struct, frozen=True):
    """One setting of a gateway, as its driver states it; every value is text.

    Attributes:
        name: Its key in the configuration.
        text: What it is, in one sentence for whoever fills it in.
        required: Whether a gateway cannot be without it.
        secret: Sealed at rest, and shown to nobody again.
    """

    name: str
    text: str
    required: bool = False
    secret: bool = False


F = TypeVar("F", bound=Factory)


def with_settings(*settings: Setting) -> Callable[[F], F]:
    """State the settings of a factory: no other is let through to it, and those that are secret are kept so."""

    def state(factory: F) -> F:
        factory.__dict__["settings"] = settings
        return factory

    return state
