"""One simulated display: what it shows, kept apart from what is said of it."""

import zlib

import msgspec

from display_drivers.base import Panel
from display_drivers.gateway.wire import Touched
from display_drivers.simulator.settings import Behaviour
from display_drivers.simulator.timeline import Timeline


class Picture(msgspec.Struct, frozen=True):
    """The content of an update as it came: a packed frame, or data as canonical JSON; its fingerprint either way."""

    fingerprint: str
    frame: bytes | None = None
    data: msgspec.Raw | None = None


class Held(msgspec.Struct, frozen=True):
    """An update that was taken and is on its way to the glass, or on it."""

    token: str
    revision: int
    picture: Picture


class Shot(msgspec.Struct, frozen=True, rename="camel"):
    """One moment of the glass: what appeared on it, and when the refresh was finished."""

    token: str
    revision: int
    at: int
    fingerprint: str


class Display(msgspec.Struct, eq=False):
    """Mutable, and its gateway's alone to change.

    Attributes:
        character: A number that the seed and the address decide; phase, signal and temperature come of it.
        added_at: When the gateway first heard of it.
        check_in: Seconds, or None for its gateway's.
        absent_since: When it stopped checking in; None while it is in reach.
        accepted: The update that the gateway said it took last.
        delivered: The one that the display has the bytes of.
        drawing: The one that it is refreshing to.
        glass: The one it shows.
        history: Everything it ever showed, oldest first.
        awaited: Whether its next check-in is on the timeline.
        on_air: Whether it is awake, waiting for the radio or receiving.
        failures: Transfers of the held update that failed.
        touch: The last time that somebody was at it.
    """

    address: str
    panel: Panel
    character: int
    added_at: int
    check_in: float | None = None
    absent_since: int | None = None
    battery: float = 100.0
    accepted: Held | None = None
    delivered: Held | None = None
    drawing: Held | None = None
    glass: Held | None = None
    history: list[Shot] = []
    awaited: bool = False
    on_air: bool = False
    failures: int = 0
    blinks: int = 0
    touch: Touched | None = None

    @property
    def signal(self) -> int:
        """dBm, from -40 to -84."""
        return -40 - self.character % 45

    def temperature(self, store: int) -> int:
        return store - 1 + self.character % 3

    def next_check_in(self, now: int, behaviour: Behaviour, timeline: Timeline) -> int:
        """The first at or after `now`."""
        interval = self._interval(behaviour, timeline)
        return now + (self.character - now) % interval if interval else now

    def last_check_in(self, now: int, behaviour: Behaviour, timeline: Timeline) -> int | None:
        """The last at or before `now`; None if it was never heard of."""
        heard = now if self.absent_since is None else self.absent_since
        interval = self._interval(behaviour, timeline)
        last = heard - (heard - self.character) % interval if interval else heard
        shown = self.history[-1].at if self.history else 0  # a display reports when its refresh is done
        return max(last, shown) if max(last, shown) >= self.added_at else None

    def _interval(self, behaviour: Behaviour, timeline: Timeline) -> int:
        return timeline.milliseconds(behaviour.check_in if self.check_in is None else self.check_in)

    def moved(self) -> "Display":
        """The same display at another gateway, which knows nothing of what the first had under way for it."""
        return msgspec.structs.replace(
            self, accepted=None, drawing=None, delivered=self.glass, awaited=False, on_air=False, failures=0
        )

    def show(self, held: Held, at: int, drain: float) -> bool:
        """Ends a refresh. Whether the glass went back to an older revision, which it never should."""
        went_back = self.glass is not None and held.revision < self.glass.revision
        self.drawing, self.glass = None, held
        self.history.append(Shot(held.token, held.revision, at, held.picture.fingerprint))
        self.battery = max(0.0, self.battery - drain)
        if not self.battery:
            self.absent_since = at  # the picture stays, as electronic paper does
        return went_back


def character(seed: int, address: str) -> int:
    return zlib.crc32(f"{seed}/{address}".encode())
