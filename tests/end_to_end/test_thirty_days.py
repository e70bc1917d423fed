"""Promise 4 for thirty days and nights, with faults: what comes onto the glass is what changed, and nothing else.

A day begins with the clock, which starts and ends sales; the night's whole file follows. WHOLE_STORE=1 binds
a display to every row of the store; without it, every twenty-fourth row is a smaller store.
"""

import asyncio
import os
import sys
import time
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from display_drivers.gateway.frames import canonical, hashed
from service.shelves.shelf import display_states
from tests.end_to_end import konzum
from tests.end_to_end.clocked import Calendar
from tests.end_to_end.price_list import PriceList, Shelf
from tests.end_to_end.shelf import Store, assert_never_back, open_store
from tests.processes import SWIFT, Site, installed

WHOLE = os.environ.get("WHOLE_STORE") == "1"

pytestmark = [pytest.mark.feeds, pytest.mark.timeout(1800 if WHOLE else 300)]

DAYS = 30
EVERY = 1 if WHOLE else 24
ZONE = "Europe/Zagreb"
FACTS = {"currency": "EUR", "timezone": ZONE, "locale": "hr"}
PARTS = ("valkey", "api", "worker", "worker-2")
HARDWARE = {"gateways": 4, "max_batch": 500, "max_in_flight": 2, "time_scale": 400, "busy_retry_after": 0.1}
HURRIED = SWIFT | {"retry_first": 0.1, "retry_most": 0.5}
LOSS, BUSY, DROP, LOST = {"loss": 0.3}, {"busy": 0.3}, {"drop": 0.1}, {"lost_answers": 0.4}
NO_FAULTS = dict.fromkeys(LOSS | BUSY | DROP | LOST, 0)
MIXED = {"loss": 0.2, "busy": 0.15, "drop": 0.05, "lost_answers": 0.2}
FAULTS = ({}, LOSS, {}, BUSY, LOST, {}, DROP, LOSS, LOST, MIXED)
"""Of one night after the other."""
KILLS = {3: "worker", 11: "worker-2", 19: "worker", 26: "worker-2"}
REBOOTS = (5, 14, 22, 29)


@dataclass
class Days:
    """One store's days; what came onto its glass since somebody looked last, and what hardware had to do for it.

    Attributes:
        looked_at: Address -> pictures that were judged already.
        changes: Faces that changed so far, by our own account.
        work: What the gateways counted since the first night, by their words.
    """

    site: Site
    store: Store
    calendar: Calendar
    shelf: Shelf
    looked_at: Counter = field(default_factory=Counter)
    changes: int = 0
    work: Counter = field(default_factory=Counter)

    async def come(self, today):
        """Midnight: sales start and end."""
        before = self.shelf.faces(today - timedelta(days=1))
        self.calendar.turn_to(today)
        changed = changes(before, self.shelf.faces(today))
        if changed:
            await self.until_shown(changed)
            await self.judge(changed)

    async def feed(self, rows, today, mode, meanwhile):
        """The night's file."""
        before = self.shelf.faces(today)
        counts = self.shelf.take(rows, full=mode == "full")
        changed = changes(before, self.shelf.faces(today))
        stated = [konzum.product(key, row) for key, row in rows.items()]
        session_id = await self.store.pos.feed(stated, mode=mode, expectedProducts=len(stated))
        await meanwhile(session_id)
        status = await self.store.pos.done(session_id, within=60)
        names = ("Created", "Updated", "Unchanged", "Archived")
        assert tuple(status[f"products{name}"] for name in names) == counts
        assert status["productsReceived"] == status["productsSaved"] == len(stated)
        tags = [status[f"tags{name}"] for name in ("Total", "Sent", "Confirmed", "Failed", "Superseded", "Pending")]
        assert tags == [len(changed), len(changed), len(changed), 0, 0, 0]
        await self.judge(changed)

    async def judge(self, changed):
        """Each display whose face changed came to show the new one, once, and no other display anything."""
        await self.until_right()
        assert await self.store.remote.settled()
        glass = await self.store.glass(history=True)
        shown = {
            self.store.shows[address]: [shot.fingerprint for shot in seen.history[self.looked_at[address] :]]
            for address, seen in glass.items()
            if len(seen.history) > self.looked_at[address]
        }
        assert shown == {key: [fingerprint] for key, fingerprint in changed.items()}
        self.looked_at = Counter({address: len(seen.history) for address, seen in glass.items()})
        self.changes += len(changed)

    async def until_shown(self, changed):
        """Waits for what the clock alone brings about, of which no batch tells."""
        address_of = {key: address for address, key in self.store.shows.items()}
        there = {address_of[key]: fingerprint for key, fingerprint in changed.items()}
        give_up = time.monotonic() + 60
        while there:
            glass = await self.store.remote.glass(list(there))
            there = {address: new for address, new in there.items() if glass[address].fingerprint != new}
            assert time.monotonic() < give_up, there
            await asyncio.sleep(0.05)

    async def until_right(self):
        """Waits until the service has proof of every display."""
        give_up = time.monotonic() + 60
        async with self.site.opened() as ctx:
            while wrong := [state async for state in display_states(ctx, self.store.slug, wrong=True)]:
                assert time.monotonic() < give_up, wrong
                await asyncio.sleep(0.05)

    async def done_by_hardware(self):
        """What was done since the last question, by the gateways' words, and how many pictures came onto a glass."""
        stats = await self.store.remote.stats()
        lost = Counter({"answersLost": sum(gateway.traffic.answers_lost for gateway in stats.gateways)})
        now = sum((Counter(gateway.counts) for gateway in stats.gateways), lost)
        new, self.work = now - self.work, now
        return new


def changes(before, after):
    """Key -> fingerprint of the new face, where that is another one."""
    return {key: hashed(canonical(face)) for key, face in after.items() if face != before.get(key)}


@asynccontextmanager
async def opened(database, keys):
    """A site whose clock can be moved, with a store that has a display for each of these products."""
    folder = database.data_dir
    calendar = Calendar(folder / "calendar", ZONE)
    async with installed(folder, database_url=database.database_url, settings=HURRIED) as site:
        site.environ |= calendar.environ
        await site.start("valkey")
        hardware = {"displays": len(keys), "reports_within": 0.4 + len(keys) / 4000, **HARDWARE}
        async with open_store(site, "k0901", list(keys), FACTS, **hardware) as store:
            await site.start(*PARTS[1:])
            await site.ready()
            yield Days(site, store, calendar, Shelf())


async def test_for_thirty_days_and_nights_what_is_pushed_is_what_changed(settings):
    rows = konzum.by_key(konzum.read(konzum.file("0901")))
    prices = PriceList(dict(list(rows.items())[::EVERY]), seed=901)
    first = datetime.now(ZoneInfo(ZONE)).date() + timedelta(days=1)
    async with opened(settings, prices.rows) as days:
        days.calendar.turn_to(first)
        await days.feed(prices.now(), first, "full", nothing)
        await days.done_by_hardware()
        began, loaded, work = time.monotonic(), days.changes, days.work
        for number in range(1, DAYS + 1):
            await one_day(days, prices, number, first + timedelta(days=number))
        show(days, time.monotonic() - began, days.changes - loaded, days.work - work)
        await assert_never_back(days.store)


async def one_day(days, prices, number, today):
    """The turn of the clock and a file, with the night's faults from beginning to end."""
    faults = FAULTS[number % len(FAULTS)]
    before = days.changes
    await days.store.remote.change(**NO_FAULTS | faults)
    await days.come(today)
    prices.next_night(today)
    await days.feed(prices.now(), today, "full" if number % 3 == 0 else "merge", trouble(days, number))
    work = await days.done_by_hardware()
    assert work["refreshes"] == days.changes - before > 0
    if number not in REBOOTS:  # when a gateway forgets what it held, nobody counts it
        shown = work["accepted"] - work["repeated"] - work["dropped"] - work["givenUp"]
        assert shown == work["refreshes"], "a display was sent something that it did not need"


def trouble(days, number):
    """What happens to processes and gateways in the middle of this night's batch."""

    async def kill(session_id):
        await days.store.pos.until(session_id, lambda status: status["tagsSent"] or status["status"] == "completed")
        await days.site.kill(KILLS[number])
        await days.site.start(KILLS[number])

    async def reboot(session_id):
        await days.store.pos.until(session_id, lambda status: status["tagsSent"] or status["status"] == "completed")
        await days.store.remote.reboot()

    return kill if number in KILLS else reboot if number in REBOOTS else nothing


async def nothing(_session_id):
    """A quiet night."""


def show(days, seconds, changed, work):
    """For `pytest -rP`, which prints what tests say."""
    counted = ", ".join(f"{word} {count:,}" for word, count in sorted(work.items()))
    sys.stdout.write(f"{DAYS} days, {len(days.store.shows):,} displays: {changed:,} faces changed, {seconds:.1f} s;\n")
    sys.stdout.write(f"since the first night: {counted}\n")
