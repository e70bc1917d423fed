"""The radio and the tags around it: wake-ups, slots, and one transfer at a time (section 8 of the behaviour)."""

from collections.abc import Callable
from random import Random
from typing import Protocol

import msgspec

from display_drivers.openepaperlink.accesspoint.clock import Clock
from display_drivers.openepaperlink.accesspoint.records import Item, Queue, Slot
from display_drivers.openepaperlink.accesspoint.rendering import DataType
from display_drivers.openepaperlink.accesspoint.tags import FIRST_BOOT, Stored, Tag

BLOCK = 4096
_START = 0.35  # seconds from a tag's question to its first block
_PER_BLOCK = 0.14 + BLOCK / 5000
_LONG_EVERY = 300.0  # seconds between two reports with telemetry
_TRIES, _BETWEEN_TRIES = 5, 0.2
_SEARCHES = [(5, 0.0), (24, 3600.0), (12, 7200.0)]  # unanswered wake-ups and how far apart; then daily (X12)
_PRELOAD = 1
SEARCHING = 0xFD


class Listener(Protocol):
    """What the radio tells the access point."""

    queue: Queue

    def radio_answers(self) -> bool: ...
    def checked_in(self, tag: Tag, *, long: bool) -> None: ...
    def block_sent(self, item: Item, block: int) -> None: ...
    def completed(self, mac: str) -> None: ...
    def timed_out(self, mac: str) -> None: ...


class Air:
    """Slots of the radio, and the tags that ask for what is in them."""

    def __init__(self, listener: Listener, clock: Clock, random: Random, slots: int) -> None:
        self._listener, self._clock, self._random = listener, clock, random
        self._most = slots
        self.slots: dict[str, Slot] = {}
        self.tags: dict[str, Tag] = {}
        self.stalled_until = 0.0  # while the access point tries a full radio again, its scheduler stands still
        self._sending: str | None = None
        self._boot = 0
        clock.after(60.0, self._age)

    # -- the access point's side ------------------------------------------------------------------------------------

    def announce(self, mac: str) -> None:
        """The first queued item of a tag goes into its slot (P8); on a full radio that is tried five times (X11)."""
        if self._try(mac):
            return
        self.stalled_until = self._clock.now + _TRIES * _BETWEEN_TRIES
        self._later(_BETWEEN_TRIES, lambda: self._again(mac, _TRIES - 1))

    def announce_if_missing(self, mac: str) -> None:
        """At a check-in. A slot that has the item already keeps its age, else nothing could ever time out."""
        first, slot = next(iter(self._listener.queue.of(mac)), None), self.slots.get(mac)
        if first is not None and (slot is None or slot.data_ver != first.data_ver):
            self.announce(mac)

    def put_to_sleep(self, mac: str, minutes: int, attempts: int) -> None:
        if mac in self.slots or len(self.slots) < self._most:
            self.slots[mac] = Slot(
                data_type=DataType.NO_UPDATE, data_ver="", size=0, next_check_in=minutes * 60.0, attempts_left=attempts
            )

    def restart(self) -> None:
        """Slots are gone, and so is what was on the air (R3)."""
        self._boot += 1
        self.slots.clear()
        self._sending = None

    def _try(self, mac: str) -> bool:
        items = self._listener.queue.of(mac)
        if not items:
            return True
        if mac not in self.slots and len(self.slots) >= self._most:
            return False
        first = items[0]
        self.slots[mac] = Slot(
            data_type=first.data_type,
            data_ver=first.data_ver,
            size=first.size,
            next_check_in=5.0 if len(items) > 1 else first.next_check_in,
            attempts_left=first.attempts,
            argument=first.argument,
        )
        return True

    def _again(self, mac: str, tries: int) -> None:
        if not self._try(mac) and tries > 1:
            self._later(_BETWEEN_TRIES, lambda: self._again(mac, tries - 1))

    def _later(self, seconds: float, action: Callable[[], None]) -> None:
        """Unless the access point restarts in between."""
        boot = self._boot
        self._clock.after(seconds, lambda: action() if boot == self._boot else None)

    def _age(self) -> None:
        """Each minute takes one attempt from every slot (X10)."""
        self._clock.after(60.0, self._age)
        for mac, slot in list(self.slots.items()):
            slot.attempts_left -= 1
            if slot.attempts_left <= 0:
                del self.slots[mac]
                if slot.data_type != DataType.NO_UPDATE:
                    self._listener.timed_out(mac)

    # -- the tags' side ---------------------------------------------------------------------------------------------

    def add(self, tag: Tag) -> None:
        """It first checks in some time within its period."""
        self.tags[tag.mac] = tag
        self.wake_in(tag, self._random.uniform(0.0, tag.check_in))

    def remove(self, mac: str) -> bool:
        tag = self.tags.pop(mac, None)
        if tag is None:
            return False
        tag.life += 1
        tag.absent = True
        return True

    def wake_in(self, tag: Tag, seconds: float) -> None:
        """Its next check-in, instead of any planned before."""
        tag.plan += 1
        plan = tag.plan
        self._clock.after(seconds, lambda: self._wake(tag) if plan == tag.plan else None)

    def press(self, tag: Tag, reason: int) -> None:
        """Somebody wakes the tag: it reports at once, and in full."""
        if self._sending != tag.mac:
            tag.wakeup_reason, tag.asleep, tag.next_long = reason, False, 0.0
            self.wake_in(tag, 0.0)

    def _wake(self, tag: Tag) -> None:
        if tag.absent or tag.asleep:
            return
        if not self._listener.radio_answers():
            self._search(tag)
            return
        tag.misses = 0
        if self._sending is not None:
            self.wake_in(tag, tag.check_in)
            return
        # The radio answers from what it holds at this moment; only then does the access point hear of the tag (X2).
        slot = self.slots.get(tag.mac)
        told = None if slot is None else msgspec.structs.replace(slot)
        self._report(tag)
        self._obey(tag, told)

    def _report(self, tag: Tag) -> None:
        long = self._clock.now >= tag.next_long
        if long:
            tag.next_long = self._clock.now + _LONG_EVERY
        self._listener.checked_in(tag, long=long)
        if long:
            tag.wakeup_reason = 0

    def _search(self, tag: Tag) -> None:
        """Nobody answers: ever rarer."""
        tag.misses += 1
        left = tag.misses
        for times, apart in _SEARCHES:
            if left <= times:
                self.wake_in(tag, apart or tag.check_in)
                return
            left -= times
        self.wake_in(tag, 86400.0)

    def _obey(self, tag: Tag, slot: Slot | None) -> None:
        if slot is None:
            self.wake_in(tag, tag.check_in)
        elif slot.data_type == DataType.NO_UPDATE:
            self.wake_in(tag, slot.next_check_in)
        elif not tag.takes(slot.data_type, slot.size):
            self.wake_in(tag, tag.check_in)
        elif slot.data_type == DataType.COMMAND:
            self._send(tag, _START, lambda: self._command(tag, slot))
        elif slot.data_ver in tag.stored or (tag.slot is not None and slot.size > tag.slot):
            self._complete(tag, slot, tag.stored.get(slot.data_ver))
        else:
            self._send(tag, _START + _PER_BLOCK, lambda: self._block(tag, slot, 0))

    def _send(self, tag: Tag, seconds: float, then: Callable[[], None]) -> None:
        """Keeps the air for this tag and goes on, unless the tag is gone by then."""
        self._sending = tag.mac
        life = tag.life

        def go_on() -> None:
            if tag.absent or tag.life != life:
                self._sending = None
            else:
                then()

        self._later(seconds, go_on)
        # A restart of the access point voids the rest; the tag wakes by itself then.
        self.wake_in(tag, seconds + tag.check_in)

    def _block(self, tag: Tag, slot: Slot, block: int) -> None:
        item = self._listener.queue.find(tag.mac, slot.data_ver)
        if item is None:
            self._cancel(tag, slot)
            return
        self._listener.block_sent(item, block)
        if (block + 1) * BLOCK < item.size:
            self._send(tag, _PER_BLOCK, lambda: self._block(tag, slot, block + 1))
            return
        tag.transfers += 1
        self._complete(tag, slot, Stored(item.data_type, item.data_ver, item.data))

    def _cancel(self, tag: Tag, slot: Slot) -> None:
        """The queue no longer has what the radio announced: one wake-up for nothing (T3)."""
        self._sending = None
        announced = self.slots.get(tag.mac)
        if announced is not None and announced.data_ver == slot.data_ver:
            del self.slots[tag.mac]
        self.wake_in(tag, tag.check_in)

    def _complete(self, tag: Tag, slot: Slot, image: Stored | None) -> None:
        """The access point learns this first; only then does the tag begin to refresh (X6)."""
        self._sending = None
        self.slots.pop(tag.mac, None)
        self._listener.completed(tag.mac)
        busy = 0.0
        if image is not None:
            tag.store(image)
            already = tag.shown is not None and tag.shown.data_ver == image.data_ver
            if slot.argument != _PRELOAD and not already and not tag.never_shows:
                busy = tag.refresh
                life = tag.life
                self._clock.after(busy, lambda: self._show(tag, image, life))
        self.wake_in(tag, max(busy, slot.next_check_in or tag.check_in))

    def _show(self, tag: Tag, image: Stored, life: int) -> None:
        if tag.life == life:
            tag.show(image, self._clock.now)

    def _command(self, tag: Tag, slot: Slot) -> None:
        self._sending = None
        self.slots.pop(tag.mac, None)
        name = next((item.filename for item in self._listener.queue.of(tag.mac)), "")
        self._listener.completed(tag.mac)
        self.wake_in(tag, slot.next_check_in or tag.check_in)
        match name:
            case "reboot" | "reset":
                tag.wakeup_reason, tag.next_long = FIRST_BOOT, 0.0
                self.wake_in(tag, tag.refresh)
            case "scan":
                tag.wakeup_reason, tag.next_long = SEARCHING, 0.0
                self.wake_in(tag, tag.refresh)
            case "deepsleep":
                tag.asleep = True
