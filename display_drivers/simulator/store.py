"""The simulated store: its gateways and displays, and the journal of what is on their glass."""

from collections.abc import Iterable, Iterator
from itertools import count as numbers
from itertools import islice
from pathlib import Path
from typing import Annotated, BinaryIO

import msgspec

from display_drivers.base import Panel
from display_drivers.gateway.wire import DisplayReport, Screen
from display_drivers.simulator.display import Display, Held, Picture, Shot, character
from display_drivers.simulator.gateway import Gateway
from display_drivers.simulator.settings import Behaviour
from display_drivers.simulator.timeline import Timeline


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a simulated store starts out.

    Attributes:
        displays: How many to begin with, spread evenly over the gateways.
        gateways: How many, named g1, g2, …
        panels: Given to the displays in turn.
        prefix: Of the displays' addresses: SIM000001, SIM000002, …
        seed: The same seed, options and requests at the same times make the same store.
        time_scale: How many times faster than real; 0: nothing takes any time.
        secret: Bearer secret that the gateways and the control API demand; empty: none.
        state: File that keeps what is on the glass across a restart; None: nothing is kept.
    """

    displays: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] = 200
    gateways: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 1
    panels: tuple[Panel, ...] = (Panel(296, 128, "BWR"),)
    prefix: str = "SIM"
    seed: int = 1
    time_scale: Annotated[float, msgspec.Meta(ge=0)] = 1.0
    behaviour: Behaviour = Behaviour()
    secret: str = ""
    host: str = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=0, le=65_535)] = 0
    state: str | None = None


class Appeared(msgspec.Struct, frozen=True, tag="display", omit_defaults=True):
    """Journal: a display was added, or moved to another gateway."""

    address: str
    gateway: str
    panel: Screen


class Left(msgspec.Struct, frozen=True, tag="left"):
    """Journal: a display was removed."""

    address: str


class Showed(msgspec.Struct, frozen=True, tag="shot", omit_defaults=True):
    """Journal: something appeared on a glass; without content where something newer is known to have followed."""

    address: str
    token: str
    revision: int
    at: int
    fingerprint: str
    battery: float
    frame: bytes | None = None
    data: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


Entry = Appeared | Left | Showed


class VirtualStore:
    """Pure but for the journal. Call `advance` before and after whatever is asked of a gateway."""

    def __init__(self, options: Options, now: int) -> None:
        self.options = options
        self.timeline = Timeline(options.time_scale)
        self.gateways: dict[str, Gateway] = {}
        self.home: dict[str, Gateway] = {}
        self.reports: list[tuple[str, DisplayReport]] = []
        self._gone: set[str] = set()  # removed, and to stay so though the options name them
        self._entries: list[Entry] = []
        self._journal: BinaryIO | None = None
        for number in range(1, options.gateways + 1):
            self.add_gateway(f"g{number}", options.behaviour)
        self._furnish(now)
        self._entries.clear()  # what the options say needs no journal
        if options.state is not None:
            self._recall(Path(options.state), now)

    def advance(self, now: int) -> list[tuple[str, DisplayReport]]:
        """Lets happen what is due, keeps it, and hands out what the gateways have reported since: name and report."""
        self.timeline.run(now)
        self._keep()
        reports, self.reports = self.reports, []
        return reports

    def display(self, address: str) -> Display | None:
        gateway = self.home.get(address)
        return gateway.displays.get(address) if gateway else None

    def add_gateway(self, name: str, behaviour: Behaviour) -> Gateway:
        gateway = Gateway(name, behaviour, self.timeline, self.options.seed)
        gateway.reported = lambda report: self.reports.append((name, report))
        gateway.landed = self._landed
        self.gateways[name] = gateway
        return gateway

    def add_display(self, gateway: Gateway, address: str, panel: Panel, now: int) -> Display:
        """A blank display; one that is known already moves to this gateway with what it shows."""
        known = self._leave(address)
        fresh = Display(address, panel, character(self.options.seed, address), added_at=now)
        display = known.moved() if known and known.panel == panel else fresh
        gateway.add(display)
        self.home[address] = gateway
        self._gone.discard(address)
        self._entries.append(Appeared(address, gateway.name, Screen.of(panel)))
        return display

    def free_addresses(self, count: int) -> list[str]:
        """The next ones after the prefix that no display has."""
        numbered = map(self.address, numbers(1))
        return list(islice((address for address in numbered if address not in self.home), count))

    def address(self, number: int) -> str:
        return f"{self.options.prefix}{number:06d}"

    def remove_display(self, address: str) -> bool:
        """Whether there was one."""
        if self._leave(address) is None:
            return False
        self._gone.add(address)
        self._entries.append(Left(address))
        return True

    def _leave(self, address: str) -> Display | None:
        gateway = self.home.pop(address, None)
        return gateway.remove(address) if gateway else None

    def _landed(self, display: Display) -> None:
        if display.glass and self._journal:
            self._entries.append(_showed(display, display.history[-1], display.glass.picture))

    def settled(self) -> bool:
        """Whether nothing more will happen unless somebody asks for it."""
        return self.timeline.next_due() is None

    def close(self) -> None:
        self._keep()
        if self._journal is not None:
            self._journal.close()
            self._journal = None

    def _furnish(self, now: int) -> None:
        options, names = self.options, list(self.gateways)
        for number in range(options.displays):
            gateway = self.gateways[names[number % len(names)]]
            panel = options.panels[number % len(options.panels)]
            self.add_display(gateway, self.address(number + 1), panel, now)

    def _recall(self, path: Path, now: int) -> None:
        """Puts back what was on the glass, then writes the journal anew without what it no longer needs.

        Only the process may die between two writes, not the machine: nothing is synced to the disk.
        """
        for entry in _read(path):
            self._apply(entry, now)
        self._entries.clear()
        fresh = path.with_name(f"{path.name}.new")
        with fresh.open("wb") as file:
            file.writelines(_line(entry) for entry in self._everything())
        fresh.replace(path)
        self._journal = path.open("ab")

    def _apply(self, entry: Entry, now: int) -> None:
        match entry:
            case Appeared():
                gateway = self.gateways.get(entry.gateway) or self.add_gateway(entry.gateway, self.options.behaviour)
                self.add_display(gateway, entry.address, entry.panel.panel, now)
            case Left():
                self.remove_display(entry.address)
            case Showed() if display := self.display(entry.address):
                _put_back(display, entry)

    def _everything(self) -> Iterator[Entry]:
        yield from map(Left, sorted(self._gone))
        for gateway in self.gateways.values():
            for display in gateway.displays.values():
                yield Appeared(display.address, gateway.name, Screen.of(display.panel))
                for shot in display.history[:-1]:
                    yield _showed(display, shot, Picture(shot.fingerprint))
                if display.glass:
                    yield _showed(display, display.history[-1], display.glass.picture)

    def _keep(self) -> None:
        if self._journal is not None and self._entries:
            self._journal.write(b"".join(map(_line, self._entries)))
            self._journal.flush()
        self._entries.clear()


_encode_line = msgspec.json.Encoder().encode


def _line(entry: Entry) -> bytes:
    return _encode_line(entry) + b"\n"


def _read(path: Path) -> Iterable[Entry]:
    """The journal's entries; a last line that was cut off by the end of the process is left out."""
    decoder: msgspec.json.Decoder[Entry] = msgspec.json.Decoder(Entry)
    if path.exists():
        with path.open("rb") as file:
            for line in file:
                if line.endswith(b"\n"):
                    yield decoder.decode(line)


def _showed(display: Display, shot: Shot, picture: Picture) -> Showed:
    return Showed(
        address=display.address,
        token=shot.token,
        revision=shot.revision,
        at=shot.at,
        fingerprint=shot.fingerprint,
        battery=display.battery,
        frame=picture.frame,
        data=msgspec.UNSET if picture.data is None else picture.data,
    )


def _put_back(display: Display, entry: Showed) -> None:
    data = None if entry.data is msgspec.UNSET else entry.data.copy()
    held = Held(entry.token, entry.revision, Picture(entry.fingerprint, entry.frame, data))
    display.glass = display.delivered = display.accepted = held
    display.battery = entry.battery
    display.history.append(Shot(entry.token, entry.revision, entry.at, entry.fingerprint))
