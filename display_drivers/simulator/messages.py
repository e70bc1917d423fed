"""The messages of the control API, for both ends. JSON, camelCase."""

from typing import Annotated, Any, Literal

import msgspec

from display_drivers.base import Data, Frame
from display_drivers.gateway.frames import unpack
from display_drivers.gateway.wire import Address, Message, Screen
from display_drivers.simulator.display import Shot
from display_drivers.simulator.settings import Behaviour, Duration


class Traffic(msgspec.Struct, rename="camel"):
    """What a gateway saw of its peers, beside the model: requests that were open at once."""

    in_flight: int = 0
    max_in_flight: int = 0
    max_in_flight_per_display: int = 0
    answers_lost: int = 0
    listeners: int = 0


class GatewayState(Message, frozen=True):
    name: str
    displays: int
    behaviour: Behaviour


class Overview(Message, frozen=True):
    now: int
    seed: int
    time_scale: float
    gateways: list[GatewayState]


class NewGateway(Message, frozen=True, forbid_unknown_fields=True):
    name: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
    behaviour: dict[str, Any] = msgspec.field(default_factory=dict)


class NewDisplay(Message, frozen=True, forbid_unknown_fields=True):
    address: Address
    panel: Screen | None = None


class NewDisplays(Message, frozen=True, forbid_unknown_fields=True):
    """Named displays, or `count` more with the next addresses after the prefix; `panel` where a display names none."""

    gateway: str
    displays: tuple[NewDisplay, ...] = ()
    count: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] = 0
    panel: Screen | None = None


class DisplayChange(Message, frozen=True, forbid_unknown_fields=True):
    """For some displays, or for all of them where `addresses` is absent. What is absent stays."""

    addresses: list[Address] | None = None
    absent: bool | None = None
    check_in: Duration | msgspec.UnsetType | None = msgspec.UNSET
    battery: Annotated[float, msgspec.Meta(ge=0, le=100)] | None = None
    gateway: str | None = None


class Press(Message, frozen=True, forbid_unknown_fields=True):
    """Somebody presses a button of these displays, or holds a phone to them."""

    addresses: list[Address]
    kind: Literal["button", "nfc"] = "button"
    button: Annotated[int, msgspec.Meta(ge=1, le=255)] | None = None


class Addresses(Message, frozen=True):
    addresses: list[str]


class Seen(Message, frozen=True):
    """One display's glass; no token: it is blank. `content` and `history` only where they are asked for."""

    address: str
    gateway: str
    panel: Screen
    token: str | None = None
    revision: int | None = None
    shown_at: int | None = None
    fingerprint: str | None = None
    refreshes: int = 0
    blinks: int = 0
    battery: float = 100.0
    frame: bytes | None = None
    data: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    history: list[Shot] | None = None

    @property
    def face(self) -> Frame | Data | None:
        """What a shopper sees, if the content was asked for; None for a blank display."""
        if self.frame is not None:
            return unpack(self.panel.panel, self.frame)
        if isinstance(self.data, msgspec.Raw):
            return Data(self.panel.panel, msgspec.json.decode(self.data, type=dict[str, Any]))
        return None


class SeenGlass(Message, frozen=True):
    displays: list[Seen]


class Violation(Message, frozen=True):
    """An older face that landed after a newer one."""

    address: str
    newer: int
    older: int


class GatewayStats(Message, frozen=True, omit_defaults=False):
    name: str
    held: int
    counts: dict[str, int]
    traffic: Traffic


class Stats(Message, frozen=True, omit_defaults=False):
    settled: bool
    refreshes: int
    violations: list[Violation]
    gateways: list[GatewayStats]


class Settled(Message, frozen=True, omit_defaults=False):
    settled: bool
