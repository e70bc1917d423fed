"""The messages of the Shelfcast gateway protocol, version 1, for both ends (docs/drivers/gateway-protocol.md).

JSON, camelCase. Members that a side does not know are ignored, so that adding one needs no new version.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from display_drivers.base import Data, Discovered, Frame, Panel, Proof, Report, Takes, Touch, Update
from display_drivers.gateway.frames import pack, unpack

VERSION = 1
VERSION_HEADER = "shelfcast-protocol"

ProofWord = Literal["accepted", "delivered", "displayed"]
OutcomeWord = Literal["accepted", "stale", "busy", "unknownDisplay", "refused"]
Token = Annotated[str, Meta(min_length=1, max_length=128)]
Address = Annotated[str, Meta(min_length=1, max_length=128)]
Moment = Annotated[int, Meta(ge=0, lt=1 << 53)]
Seconds = Annotated[float, Meta(ge=0, le=86_400)]
_EDGE = Annotated[int, Meta(ge=1, le=4096)]


class Message(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    pass


class Info(Message, frozen=True):
    """`GET /info`: what the gateway is. Times in seconds but `time`, its clock."""

    protocols: list[int]
    name: str
    takes: Takes
    proof: ProofWord
    max_batch: Annotated[int, Meta(ge=1, le=1000)]
    max_in_flight: Annotated[int, Meta(ge=1, le=64)]
    send_timeout: Annotated[float, Meta(gt=0, le=10)]
    reports_within: Annotated[float, Meta(gt=0, le=86_400)]
    time: Moment
    max_displays: Annotated[int, Meta(ge=1)] | None = None


class Screen(Message, frozen=True):
    """A panel, with the bounds of what a gateway may have to allocate for it."""

    width: _EDGE
    height: _EDGE
    palette: Literal["BW", "BWR", "BWY", "BWRY"]

    @classmethod
    def of(cls, panel: Panel) -> "Screen":
        return cls(panel.width, panel.height, panel.palette)

    @property
    def panel(self) -> Panel:
        return Panel(self.width, self.height, self.palette)


class Item(Message, frozen=True):
    """One update of a push, with either a packed frame (base64 in JSON) or data."""

    token: Token
    address: Address
    revision: Annotated[int, Meta(ge=0, lt=1 << 53)]
    panel: Screen
    frame: bytes | None = None
    data: dict[str, Any] | None = None
    again: bool = False

    @classmethod
    def of(cls, update: Update) -> "Item":
        """Raises FrameRefusedError if the pixels do not fit their panel."""
        face, screen = update.face, Screen.of(update.face.panel)
        if isinstance(face, Frame):
            return cls(update.token, update.address, update.revision, screen, frame=pack(face), again=update.again)
        data = dict(face.content)
        return cls(update.token, update.address, update.revision, screen, data=data, again=update.again)


class Push(Message, frozen=True):
    """`POST /updates`."""

    updates: list[Item]


class ItemOutcome(Message, frozen=True):
    """What became of one update; `retryAfter` in seconds goes with busy, `revision` (the held or shown) with stale."""

    token: Token
    outcome: OutcomeWord
    detail: str = ""
    retry_after: Seconds | None = None
    revision: int = 0


class PushAnswer(Message, frozen=True):
    """One outcome for each update, in order."""

    outcomes: list[ItemOutcome]


class Poll(Message, frozen=True):
    """`POST /reports`."""

    addresses: list[Address]


class Touched(Message, frozen=True):
    """The last time that somebody pressed a button of a display, counted from 1, or held a phone to it."""

    kind: Literal["button", "nfc"]
    at: Moment
    button: Annotated[int, Meta(ge=1, le=255)] | None = None


class DisplayReport(Message, frozen=True):
    """A line of `GET /events`, or one of the answer to a poll. Absent: not known."""

    address: Address
    at: Moment
    shows: Token | None = None
    proof: ProofWord | None = None
    battery: Annotated[int, Meta(ge=0, le=100)] | None = None
    signal: Annotated[int, Meta(ge=-200, le=50)] | None = None
    temperature: Annotated[int, Meta(ge=-100, le=200)] | None = None
    touch: Touched | None = None

    def report(self, declared: Proof) -> Report:
        """As our own value; a gateway that claims more than it declared is believed as far as it declared."""
        proof = None if self.proof is None else min(Proof[self.proof.upper()], declared)
        touch = None if self.touch is None else Touch(self.touch.kind, self.touch.at, self.touch.button)
        return Report(self.address, self.at, self.shows, proof, self.battery, self.signal, self.temperature, touch)


class PollAnswer(Message, frozen=True):
    """The latest report of each display that the gateway knows and has heard of."""

    reports: list[DisplayReport]


class Blink(Message, frozen=True):
    """`POST /blink`."""

    address: Address
    seconds: Annotated[int, Meta(ge=1, le=3600)]


class KnownDisplay(Message, frozen=True):
    address: Address
    panel: Screen

    @property
    def discovered(self) -> Discovered:
        return Discovered(self.address, self.panel.panel)


class Displays(Message, frozen=True):
    """`GET /displays`."""

    displays: list[KnownDisplay]


class Glass(Message, frozen=True):
    """`GET /displays/{address}/glass`: what the display shows now; neither frame nor data for a blank one."""

    panel: Screen
    token: Token | None = None
    frame: bytes | None = None
    data: dict[str, Any] | None = None

    @property
    def face(self) -> Frame | Data | None:
        """Raises FrameRefusedError for a frame that is damaged."""
        if self.frame is not None:
            return unpack(self.panel.panel, self.frame)
        return None if self.data is None else Data(self.panel.panel, self.data)


class Problem(Message, frozen=True):
    """The body of every answer that is not a success."""

    code: str = ""
    detail: str = ""
