"""One simulated gateway: what it was given, what it has on air, and what it says about its displays.

A display sleeps until its next check-in. If the gateway then holds an update for it, it waits for the radio, which
serves one display at a time; the transfer succeeds or fails; a display that received everything refreshes, and then
shows the update. Everything of this that takes time is planned on the timeline.
"""

import math
import random
from collections import Counter, deque
from collections.abc import Callable, Iterable
from functools import partial

import msgspec

from display_drivers.base import Panel
from display_drivers.errors import FrameRefusedError
from display_drivers.gateway.frames import canonical, hashed, inflate
from display_drivers.gateway.wire import DisplayReport, Item, ItemOutcome, Touched
from display_drivers.simulator.display import Display, Held, Picture
from display_drivers.simulator.settings import Behaviour
from display_drivers.simulator.timeline import Timeline

Reported = Callable[[DisplayReport], None]
Landed = Callable[[Display], None]


class Gateway:
    """Pure: time comes in as `now`, chance from a generator with a seed of its own.

    Attributes:
        counts: What was pushed and what became of it, by word.
        violations: Address, newer revision and the older one that landed after it.
    """

    def __init__(self, name: str, behaviour: Behaviour, timeline: Timeline, seed: int) -> None:
        self.name = name
        self.behaviour = behaviour
        self.displays: dict[str, Display] = {}
        self.held: dict[str, Held] = {}
        self.counts: Counter[str] = Counter()
        self.violations: list[tuple[str, int, int]] = []
        self.reported: Reported = lambda _: None
        self.landed: Landed = lambda _: None
        self._timeline = timeline
        self._random = random.Random(f"{seed}/{name}")
        self._radio_queue: deque[Display] = deque()
        self._radio_busy = False
        self._boots = 0

    def reports_within(self) -> float:
        """Real seconds until the last display has reported, if a push went to every one of them."""
        own = self.behaviour
        if own.reports_within is not None:
            return own.reports_within
        panels = Counter(display.panel for display in self.displays.values())
        radio = sum(own.transfer_time(panel) * count for panel, count in panels.items())
        refresh = max((own.refresh_time(panel) for panel in panels), default=0.0)
        check_in = max((display.check_in or 0.0 for display in self.displays.values()), default=0.0)
        total = radio + refresh + max(own.check_in, check_in)
        return min(86_400.0, max(1.0, self._timeline.milliseconds(total) / 1000))

    # What the gateway is asked to do

    def push(self, items: Iterable[Item], now: int) -> list[ItemOutcome]:
        outcomes = [self._take(item, now) for item in items]
        self.counts["pushes"] += 1
        self.counts.update(outcome.outcome for outcome in outcomes)
        return outcomes

    def poll(self, addresses: Iterable[str], now: int) -> list[DisplayReport]:
        """The latest report of those that it knows and has heard of."""
        self.counts["polls"] += 1
        known = (display for address in addresses if (display := self.displays.get(address)))
        return [report for display in known if (report := self.report(display, now))]

    def report(self, display: Display, now: int) -> DisplayReport | None:
        own = self.behaviour
        at = display.last_check_in(now, own, self._timeline)
        by_proof = {"accepted": display.accepted, "delivered": display.delivered, "displayed": display.glass}
        proven = by_proof[own.proof]
        if at is None and (proven is None or own.proof != "accepted"):
            return None
        return DisplayReport(
            address=display.address,
            at=now if at is None else at,
            shows=proven.token if proven else None,
            proof=own.proof,
            battery=math.ceil(display.battery),
            signal=display.signal,
            temperature=display.temperature(own.temperature),
            touch=display.touch,
        )

    def touched(self, display: Display, touch: Touched) -> None:
        """Somebody is at the display, which wakes it: it tells at once, if it is in reach."""
        display.touch = touch
        self.counts["touches"] += 1
        if display.absent_since is None:
            self._tell(display, touch.at)

    def reboot(self) -> None:
        """Forgets what it held and had on air. What a display received already, it still refreshes to."""
        self._boots += 1
        self.held.clear()
        self._radio_queue.clear()
        self._radio_busy = False
        for display in self.displays.values():
            display.on_air, display.failures = False, 0

    def add(self, display: Display) -> None:
        self.displays[display.address] = display

    def remove(self, address: str) -> Display | None:
        """From now on the address is unknown here."""
        self.held.pop(address, None)
        return self.displays.pop(address, None)

    def await_check_in(self, display: Display, now: int) -> None:
        """Plans the display's next check-in, if an update waits for it and nothing is planned yet."""
        idle = not (display.awaited or display.on_air or display.drawing)
        if idle and display.absent_since is None and display.address in self.held:
            display.awaited = True
            self._timeline.at(display.next_check_in(now, self.behaviour, self._timeline), partial(self._woken, display))

    def chance(self, probability: float) -> bool:
        return probability > 0 and self._random.random() < probability

    # Taking an update

    def _take(self, item: Item, now: int) -> ItemOutcome:
        display = self.displays.get(item.address)
        if display is None:
            return ItemOutcome(item.token, "unknownDisplay", f"Gateway {self.name} knows no display {item.address}.")
        try:
            picture = self._picture(display.panel, item)
        except FrameRefusedError as error:
            return ItemOutcome(item.token, "refused", error.detail)
        newest = self.held.get(item.address) or display.drawing or display.glass
        if newest and newest.token == item.token:
            self.counts["repeated"] += 1
            return ItemOutcome(item.token, "accepted")
        if newest and newest.revision > item.revision and self.behaviour.keeps_order:
            detail = f"Revision {item.revision} of {item.address} is older than {newest.revision}."
            return ItemOutcome(item.token, "stale", detail, revision=newest.revision)
        if self._full(item.address) or self.chance(self.behaviour.busy):
            detail = f"Gateway {self.name} is busy."
            return ItemOutcome(item.token, "busy", detail, retry_after=self.behaviour.busy_retry_after)
        self._hold(display, Held(item.token, item.revision, picture), now)
        return ItemOutcome(item.token, "accepted")

    def _hold(self, display: Display, held: Held, now: int) -> None:
        display.accepted = held
        if self.behaviour.proof == "accepted":
            self._tell(display, now)
        if self.chance(self.behaviour.drop):
            self.counts["dropped"] += 1
            return
        self.held[display.address] = held
        display.failures = 0
        self.await_check_in(display, now)

    def _picture(self, panel: Panel, item: Item) -> Picture:
        if item.panel.panel != panel:
            raise FrameRefusedError(f"Display {item.address} is a {panel.name}, not a {item.panel.panel.name}.")
        if self.behaviour.takes == "frame" and item.frame is not None:
            return Picture(hashed(inflate(panel, item.frame)), frame=item.frame)
        if self.behaviour.takes == "data" and item.data is not None:
            content = canonical(item.data)
            return Picture(hashed(content), data=msgspec.Raw(content))
        raise FrameRefusedError(f"Gateway {self.name} takes a {self.behaviour.takes}.")

    def _full(self, address: str) -> bool:
        limit = self.behaviour.queue
        return 0 < limit <= len(self.held) and address not in self.held

    # Air

    def _is_here(self, display: Display) -> bool:
        """False for what was planned for a display that has left meanwhile, even if it came back."""
        return self.displays.get(display.address) is display

    def _holds_for(self, display: Display) -> bool:
        return self._is_here(display) and display.address in self.held

    def _woken(self, display: Display, now: int) -> None:
        display.awaited = False
        if display.absent_since is None and self._holds_for(display) and not display.on_air:
            display.on_air = True
            self._radio_queue.append(display)
            self._next_transfer(now)

    def _next_transfer(self, now: int) -> None:
        while self._radio_queue and not self._radio_busy:
            display = self._radio_queue.popleft()
            if not self._holds_for(display):  # it left while it waited
                continue
            self._radio_busy = True
            held = self.held[display.address]
            airtime = self._timeline.milliseconds(self.behaviour.transfer_time(display.panel))
            self._timeline.at(now + airtime, partial(self._transferred, display, held, self._boots))

    def _transferred(self, display: Display, held: Held, boots: int, now: int) -> None:
        if boots != self._boots:
            return  # the reboot ended this transfer
        self._radio_busy = display.on_air = False
        self.counts["transfers"] += 1
        failed = display.absent_since is not None or self.chance(self.behaviour.loss)
        if self._is_here(display):
            (self._failed if failed else self._delivered)(display, held, now)
        self._next_transfer(now)

    def _failed(self, display: Display, held: Held, now: int) -> None:
        self.counts["lostTransfers"] += 1
        display.failures += 1
        if display.failures > self.behaviour.retries and self.held.get(display.address) is held:
            del self.held[display.address]
            self.counts["givenUp"] += 1
        self.await_check_in(display, now + 1)

    def _delivered(self, display: Display, held: Held, now: int) -> None:
        display.delivered = display.drawing = held
        if self.held.get(display.address) is held:
            del self.held[display.address]
        if self.behaviour.proof == "delivered":
            self._tell(display, now)
        refresh = self._timeline.milliseconds(self.behaviour.refresh_time(display.panel))
        self._timeline.at(now + refresh, partial(self._refreshed, display, held))

    def _refreshed(self, display: Display, held: Held, now: int) -> None:
        if not self._is_here(display):
            return
        before = display.glass.revision if display.glass else 0
        if display.show(held, now, self.behaviour.drain):
            self.violations.append((display.address, before, held.revision))
        self.counts["refreshes"] += 1
        self.landed(display)
        if self.behaviour.proof == "displayed":
            self._tell(display, now)
        self.await_check_in(display, now)

    def _tell(self, display: Display, now: int) -> None:
        if report := self.report(display, now):
            self.reported(report)
