"""Any combination of faces and faults, seeded: never two uploads at once, no false claim, everything right at last.

SHELFCAST_OEPL_SEEDS=20 plays more of them, and SHELFCAST_OEPL_TAGS=500 with more tags.
"""

import asyncio
import os
import random
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import pytest

from display_drivers.base import Update
from display_drivers.errors import DriverError
from display_drivers.openepaperlink import payload
from display_drivers.openepaperlink.tagtypes import KNOWN
from tests.display_drivers.openepaperlink.conftest import Shop, face, mac, opened, seen

SEEDS = range(1, 1 + int(os.environ.get("SHELFCAST_OEPL_SEEDS", "2")))
TAGS = int(os.environ.get("SHELFCAST_OEPL_TAGS", "30"))
POINTS = 3
FACES = [face(number) for number in range(4)]
MARKS = [payload.fingerprint(each, KNOWN[1]) for each in FACES]
ROUNDS, LATE = 8, 1500
"""Rounds with faults; virtual seconds after which what is not proven is sent again, as the service does."""

pytestmark = pytest.mark.timeout(1200)


@dataclass
class Side:
    """One access point, its tags, and what each is wanted to show."""

    shop: Shop
    random: random.Random
    wanted: dict[int, int] = field(default_factory=dict)
    sent_at: dict[int, float] = field(default_factory=dict)
    proven: set[int] = field(default_factory=set)

    @property
    def now(self) -> float:
        return self.shop.running.point.clock.now

    async def want(self) -> None:
        for number in self.random.sample(range(1, TAGS + 1), TAGS // 3):
            self.wanted[number] = self.random.randrange(len(FACES))
            self.sent_at.pop(number, None)
            self.proven.discard(number)

    async def push(self) -> None:
        due = [
            number
            for number in self.wanted
            if number not in self.proven and self.now - self.sent_at.get(number, -LATE) >= LATE
        ]
        for start in range(0, len(due), 4):
            some = due[start : start + 4]
            updates = []
            for number in some:
                self.shop.revision += 1
                face_ = FACES[self.wanted[number]]
                updates.append(Update(f"{self.shop.revision}", mac(number), self.shop.revision, face_))
            try:
                outcomes = await self.shop.driver.push(updates)
            except DriverError:
                continue
            self.sent_at |= {n: self.now for n, outcome in zip(some, outcomes, strict=True) if outcome.error is None}
        await asyncio.sleep(0.06)  # longer than the driver leaves to a transfer that may be under way

    async def ask(self) -> None:
        """What is claimed has to be on the tag: in its memory now, and on its glass once it has refreshed."""
        try:
            reports = await self.shop.driver.poll([mac(number) for number in self.wanted])
        except DriverError:
            return
        tags = self.shop.running.point.air.tags
        for report in reports:
            number = int(report.address, 16) - int(mac(0), 16)
            if report.shows is None:
                continue
            if report.shows == MARKS[self.wanted[number]] and number in self.sent_at:
                self.proven.add(number)
            elif number in self.proven:
                self.proven.discard(number)
            given = list(tags[report.address].stored.values())[-1:]
            assert [payload.fingerprint_of(image.data, KNOWN[1]) for image in given] == [report.shows], report

    async def trouble(self) -> None:
        some = [mac(number) for number in self.random.sample(range(1, TAGS + 1), 3)]
        fault = self.random.choice(
            [
                {"reboot": True}, {"crash": True}, {"absent": some}, {"present": some}, {"reset_after_body": 2},
                {"reset_before_answer": 2}, {"foreign_upload": {"mac": some[0], "colour": "R"}}, {"refuse": 30.0},
                {"drop_frames": 50}, {"truncate": 1},
            ]
        )  # fmt: skip
        await self.shop.remote.fault(**fault)


@pytest.mark.parametrize("seed", SEEDS)
async def test_whatever_happens_the_labels_are_right_in_the_end(seed: int):
    chance = random.Random(seed)
    async with AsyncExitStack() as stack:
        sides = []
        for number in range(POINTS):
            shop = await stack.enter_async_context(opened(tags=TAGS, seed=seed * 10 + number, maxsleep=5))
            sides.append(Side(shop, random.Random(chance.random())))
        for _ in range(ROUNDS):
            await asyncio.gather(*(turn(side, chance.uniform(5, 400), troubled=True) for side in sides))
        for side in sides:
            await side.shop.remote.fault(present=[mac(number) for number in range(1, TAGS + 1)], drop_frames=0)
        for _ in range(60):
            await asyncio.gather(*(turn(side, 400, troubled=False) for side in sides))
            if all(side.proven >= side.wanted.keys() for side in sides):
                break
        await asyncio.gather(*(judge(side) for side in sides))


async def turn(side: Side, seconds: float, *, troubled: bool) -> None:
    if troubled:
        await side.want()
        await side.trouble()
    await side.push()
    await side.shop.advance(seconds)
    await side.ask()


async def judge(side: Side) -> None:
    await side.shop.advance(60)
    assert (await side.shop.state())["overlappingUploads"] == 0
    for number, wanted in side.wanted.items():
        assert number in side.proven, f"{mac(number)} was never proven"
        assert await side.shop.glass(number) == seen(FACES[wanted])
