"""A store that lives fast: a whole file every few minutes, single changes all the time, and faults; its own account."""

import asyncio
import contextlib
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.end_to_end.shelf import Store
from tests.processes import Site

PUSH = 1000
NEW_PRICE = (0.01, 0.03)
GOING = 0.002
FAULTS: tuple[Mapping[str, float], ...] = (
    {},
    {"loss": 0.3},
    {"busy": 0.3},
    {"lost_answers": 0.3},
    {"drop": 0.1},
    {"loss": 0.2, "busy": 0.15, "drop": 0.05, "lost_answers": 0.2},
)
"""Of the gateways, one night after the other."""
NO_FAULTS = {"loss": 0.0, "busy": 0.0, "lost_answers": 0.0, "drop": 0.0}


@dataclass(frozen=True)
class Pace:
    """Seconds between what happens; of the kills, and of a gateway that is closed for a while."""

    night: float = 270.0
    change: float = 0.6
    worker_killed: float = 600.0
    valkey_killed: float = 2700.0
    gateway_closed: float = 900.0
    closed_for: float = 40.0
    reboot: float = 1100.0


@dataclass
class Load:
    """What is done to the store, and what it should show after that.

    Attributes:
        number_of: Products that ever are on the list; `listed` are on it now.
        prices: Barcode -> price; of what is not listed, the last one.
        said: What happened so far, counted.
        troubles: What went otherwise than it should.
    """

    site: Site
    store: Store
    number_of: int
    pace: Pace
    seed: int = 1
    prices: dict[str, str] = field(default_factory=dict)
    listed: set[str] = field(default_factory=set)
    said: Counter[str] = field(default_factory=Counter)
    troubles: list[str] = field(default_factory=list)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        every = [f"{number:08d}" for number in range(self.number_of)]
        self.prices = {barcode: self._price() for barcode in every}
        self.listed = set(every[: self.number_of - self.number_of // 50])

    def _price(self) -> str:
        return f"{self._random.randrange(1, 200)}.{self._random.randrange(100):02d}"

    async def run(self, until: float) -> None:
        """Everything at once, until that moment of the monotonic clock; then the last night's end is awaited."""
        await self.night()
        works = [
            self._every(self.pace.night, self.night, until),
            self._every(self.pace.change, self.change, until),
            self._every(self.pace.worker_killed, self._kill("worker-2"), until),
            self._every(self.pace.valkey_killed, self._kill("valkey"), until),
            self._every(self.pace.gateway_closed, self._close_a_gateway, until),
            self._every(self.pace.reboot, self._reboot, until),
        ]
        async with asyncio.TaskGroup() as group:
            for work in works:
                group.create_task(work)

    async def _every(self, seconds: float, do: Callable[[], Awaitable[None]], until: float) -> None:
        """At a steady rhythm, whatever each time takes; a trouble is noted and does not end the load."""
        due = time.monotonic() + seconds
        while due < until:
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            try:
                await do()
            except Exception as error:  # noqa: BLE001 - the run of hours goes on, and tells of it in the end
                self.troubles.append(f"{type(error).__name__}: {error}"[:500])
            due = max(due + seconds, time.monotonic())

    async def night(self) -> None:
        """A whole file in pushes, with single changes between them; until it is completed."""
        number = self.said["nights"]
        await self.store.remote.change(**NO_FAULTS | dict(FAULTS[number % len(FAULTS)]))
        gone = set(self._some(sorted(self.listed), GOING)) if number else set()
        come = self._some(sorted(self.prices.keys() - self.listed), 0.2) if number else []
        self.listed -= gone
        session_id = await self.store.pos.start(mode="full")
        changing = self._random.uniform(*NEW_PRICE)
        for push, start in enumerate(range(0, self.number_of, PUSH)):
            barcodes = [f"{place:08d}" for place in range(start, min(start + PUSH, self.number_of))]
            await self._push(session_id, push, barcodes, set(come), changing)
        await self.store.pos.complete(session_id)
        status = await self.store.pos.done(session_id, within=self.pace.night * 3)
        self.said += Counter(
            {
                "nights": 1,
                "rows": status["productsReceived"],
                "changed by nights": status["productsUpdated"] + status["productsCreated"],
                "archived": status["productsArchived"],
                "displays changed by nights": status["tagsTotal"],
                "confirmed in time": status["tagsConfirmed"],
                "superseded": status["tagsSuperseded"],
                "failed in time": status["tagsFailed"],
            }
        )

    async def _push(self, session_id: str, number: int, barcodes: list[str], come: set[str], changing: float) -> None:
        """Rows are made when they are sent: what a single change said a moment ago is in them."""
        async with self._turn:
            self.listed |= come.intersection(barcodes)
            stated = [barcode for barcode in barcodes if barcode in self.listed]
            self.prices |= {barcode: self._price() for barcode in self._some(stated, changing)}
            if stated:
                await self.store.pos.push(session_id, number, [self._row(barcode) for barcode in stated])

    def _row(self, barcode: str) -> dict[str, Any]:
        return {"barcode": barcode, "name": f"Product {barcode}", "category": "Food", "price": self.prices[barcode]}

    async def change(self) -> None:
        """One price, most often of a product on a display."""
        async with self._turn:
            shown = self._random.random() < 0.7
            listed = [f"{place:08d}" for place in range(len(self.store.shows) if shown else self.number_of)]
            barcode = self._random.choice([each for each in listed if each in self.listed])
            self.prices[barcode] = self._price()
            if self._random.random() < 0.2:
                await self.store.pos.told("POST", "/add", {"products": [self._row(barcode)]})
            else:
                changed = {"barcode": barcode, "price": self.prices[barcode]}
                await self.store.pos.told("POST", "/productUpdate", {"products": [changed]})
            self.said["single changes"] += 1

    def _kill(self, name: str) -> Callable[[], Awaitable[None]]:
        async def kill() -> None:
            with contextlib.suppress(ProcessLookupError):
                self.site.kill_child(name)
                self.said[f"{name} killed"] += 1

        return kill

    async def _close_a_gateway(self) -> None:
        name = self._random.choice([gateway.name for gateway in (await self.store.remote.overview()).gateways])
        await self.store.remote.change(name, reach=self._random.choice(["closed", "unavailable", "silent"]))
        await asyncio.sleep(self.pace.closed_for)
        await self.store.remote.change(name, reach="up")
        self.said["gateways closed"] += 1

    async def _reboot(self) -> None:
        name = self._random.choice([gateway.name for gateway in (await self.store.remote.overview()).gateways])
        await self.store.remote.reboot(name)
        self.said["reboots"] += 1

    def _some(self, barcodes: list[str], share: float) -> list[str]:
        return self._random.sample(barcodes, round(len(barcodes) * share))
