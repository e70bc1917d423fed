"""Random walks through everything that can happen in a store, judged after every step by recount and by the glass."""

import random
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from service import feed, pushing, sending, sync
from service.context import Shelfcast, opened
from service.core.batches import TERMINAL
from service.core.updates import LEGAL, Phase
from service.errors import ConflictError
from service.messages import Status
from service.settings import Settings
from service.store import tables
from tests.shop import Shop, opened_shop

BOUND = {"g1": {"SIM000001": ["a"], "SIM000003": ["a", "b"]}, "g2": {"SIM000002": ["b"], "SIM000004": ["c"]}}
STEPS = 30
FAULTS: list[dict[str, Any]] = [
    {"drop": 0.5},
    {"busy": 0.5},
    {"lost_answers": 0.5},
    {"reach": "closed"},
    {"reach": "unavailable"},
    {"drop": 0, "busy": 0, "lost_answers": 0, "reach": "up"},
]


class Walk:
    """One walk; its seed decides every step."""

    def __init__(self, shop: Shop, seed: int) -> None:
        self.shop = shop
        self.random = random.Random(seed)
        self.taken: list[str] = []
        self._batches: dict[str, Status] = {}
        self._phases: dict[str, str] = {}

    async def step(self) -> None:
        weights: dict[Callable[[], Awaitable[None]], int] = {
            self.change: 4,
            self.batch: 3,
            self.cancel: 1,
            self.save: 4,
            self.send: 6,
            self.die_in_a_push: 1,
            self.poll: 4,
            self.fault: 2,
            self.absence: 2,
            self.reboot: 1,
            self.time: 3,
            self.reconcile: 4,
        }
        (action,) = self.random.choices(list(weights), list(weights.values()))
        self.taken.append(action.__name__)
        await action()

    def _goods(self) -> list[dict[str, Any]]:
        barcodes = self.random.sample("abcd", self.random.randint(1, 4))
        return [{"barcode": code, "name": code, "price": self.random.randint(1, 3)} for code in barcodes]

    def _gateway(self) -> str:
        return self.random.choice(["g1", "g2"])

    async def change(self) -> None:
        await self.shop.add(*self._goods(), kind=self.random.choice(["whole", "patch"]))

    async def batch(self) -> None:
        session = await feed.start(self.shop.ctx, self.shop.caller, None, "merge", None)
        for _ in range(self.random.randint(1, 2)):
            await self.shop.push(session.session_id, *self._goods())
        if self.random.random() < 0.3:
            await self.change()  # newer than what the batch holds
        await feed.complete(self.shop.ctx, self.shop.caller, session.session_id)

    async def cancel(self) -> None:
        if self._batches:
            try:
                await feed.cancel(self.shop.ctx, self.shop.caller, self.random.choice(sorted(self._batches)))
            except ConflictError:
                assert self.taken

    async def save(self) -> None:
        """Sometimes for so short a time that a batch is left halfway, by a saver that keeps its lease."""
        soon = self.shop.clock.at + self.random.choice([4, 60_000])
        await sync.save_due(self.shop.ctx, self.shop.caller.store_id, "saver", soon)

    async def send(self) -> None:
        await self.shop.send(self._gateway())

    async def die_in_a_push(self) -> None:
        """Claimed, perhaps pushed, and nothing written down."""
        line, now = await self.shop.line(self._gateway()), self.shop.clock()
        claimed = await self.shop.ctx.db.write(sending.claim, line.at, 10, now, now + 15_000)
        if claimed and self.random.random() < 0.5:
            await pushing.push(line, claimed)

    async def poll(self) -> None:
        await self.shop.poll(self._gateway(), audit=self.random.random() < 0.3)

    async def fault(self) -> None:
        await self.shop.remote.change(self._gateway(), **self.random.choice(FAULTS))

    async def absence(self) -> None:
        address = f"SIM00000{self.random.randint(1, 4)}"
        await self.shop.remote.change_displays([address], absent=self.random.random() < 0.5)

    async def reboot(self) -> None:
        await self.shop.remote.reboot(self._gateway())

    async def time(self) -> None:
        self.shop.clock.advance(self.random.choice([1_000, 6_000, 20_000, 130_000, 400_000]))

    async def reconcile(self) -> None:
        await sync.reconcile(self.shop.ctx)

    async def check(self) -> None:
        await self._check_counters()
        await self._check_updates()
        assert (await self.shop.remote.stats()).violations == []

    async def _check_counters(self) -> None:
        """What a batch says of its displays is what a recount of them comes to, and it only says more with time."""
        rows = [row for row in await self.shop.rows(tables.batch_displays) if row["digest"]]
        for batch in await self.shop.rows(tables.batches):
            session = batch["id"]
            said, before = await self.shop.status(session), self._batches.get(session)
            mine = [row for row in rows if row["batch_id"] == session]
            states = Counter(row["state"] for row in mine)
            assert said.tags_total == len(mine)
            assert said.tags_sent == sum(row["sent_at"] is not None for row in mine)
            counted = (said.tags_confirmed, said.tags_failed, said.tags_superseded, said.tags_pending)
            assert counted == tuple(states[state] for state in ("confirmed", "failed", "superseded", "pending"))
            assert said.proof.displayed == said.tags_confirmed
            if before is not None:
                assert (said.progress, said.tags_sent) >= (before.progress, before.tags_sent)
                assert said.tags_sent >= before.tags_sent
                assert before.status not in TERMINAL or said.status == before.status
            self._batches[session] = said

    async def _check_updates(self) -> None:
        """Phases change as the table says, and what counts as proven was on the glass."""
        seen = await self.shop.remote.glass(history=True)
        on_glass = {shot.token for display in seen.values() for shot in display.history or []}
        updates = {row["id"]: row for row in await self.shop.rows(tables.updates)}
        for id_, row in updates.items():
            assert row["phase"] in _reachable(self._phases.get(id_, row["phase"]))
            assert row["proof"] is None or id_ in on_glass
        proven = {(row["display_id"], row["digest"]) for id_, row in updates.items() if id_ in on_glass}
        for tag in await self.shop.rows(tables.batch_displays):
            assert tag["state"] != "confirmed" or (tag["display_id"], tag["digest"]) in proven
        self._phases = {id_: row["phase"] for id_, row in updates.items()}

    async def come_to_rest(self) -> None:
        """All faults mended, the workers have a few rounds."""
        await self.shop.remote.change(**FAULTS[-1])
        await self.shop.remote.change_displays(absent=False)
        await self.shop.work(5)

    async def check_shelf(self) -> None:
        """The glass says what the products say, and the service knows it."""
        prices = {row["barcode"]: row["regular"] for row in await self._prices()}
        for bound in BOUND.values():
            for address, barcodes in bound.items():
                shown = (await self.shop.glass())[address]
                slots = shown["slots"] if shown else []
                expected = [f"{prices[code] / 10_000:.2f}" for code in barcodes if code in prices]
                assert [slot["price"] for slot in slots if slot] == expected, address
        assert all(row["desired_digest"] == row["shown_digest"] for row in await self.shop.rows(tables.displays))
        assert all(row["phase"] not in ("PENDING", "SENT") for row in await self.shop.rows(tables.updates))
        assert all(status.status in TERMINAL for status in self._batches.values())

    async def _prices(self) -> list[dict[str, Any]]:
        current = {row["price_id"] for row in await self.shop.rows(tables.products)}
        return [row for row in await self.shop.rows(tables.price_history) if row["id"] in current]


def _reachable(phase: str) -> set[Phase]:
    """Phases that one or more steps lead to."""
    found = {Phase(phase)}
    while (more := set().union(*(LEGAL[one] for one in found)) | found) != found:
        found = more
    return found


async def walk(ctx: Shelfcast, seed: int) -> None:
    async with opened_shop(ctx, displays=4, gateways=2, keeps_order=seed % 2 == 0, seed=seed) as shop:
        for gateway, bound in BOUND.items():
            await shop.bind(bound, gateway)
            await shop.line(gateway)
        taken = Walk(shop, seed)
        for _ in range(STEPS):
            await taken.step()
            await taken.check()
        await taken.come_to_rest()
        await taken.check()
        await taken.check_shelf()


@pytest.mark.parametrize("seed", range(2))
async def test_whatever_happens_counts_are_true_and_the_shelf_ends_right(ctx: Shelfcast, seed: int) -> None:
    await walk(ctx, seed)


@pytest.mark.parametrize("seed", range(2, 10))
async def test_whatever_happens_the_shelf_ends_right(on_sqlite: Settings, seed: int) -> None:
    async with opened(on_sqlite) as ctx:
        await walk(ctx, seed)
