"""One seed, played on real processes: the till, its changes, the troubles, and somebody who watches the status."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import httpx
import msgspec

from display_drivers.simulator.messages import Seen, Stats
from service.store.database import UNAVAILABLE
from tests.chaos import judges
from tests.chaos.account import NEVER, Account, Statement
from tests.chaos.faults import NO_FAULTS, happen
from tests.chaos.ground import Field, Ground, barcode, first_price
from tests.chaos.plans import DISPLAYS, MOMENTS, PRODUCTS, PUSH, Change, Moment, Plan

_LOOK_EVERY = 0.15
_RETRY = 0.05
_AT_MOST = 90.0
_MAY_STILL_COME = 5.0
"""Seconds after which a request that nobody waits for is surely over."""
_QUARTER = DISPLAYS // 4

Answer = dict[str, Any]


@dataclass
class Claim:
    """That a display is confirmed, by the status of a batch, at that moment of the wall clock (ms)."""

    address: str
    statement: Statement
    seen_at: int
    session_id: str


@dataclass
class Batch:
    """One of the till's: what it states last of each product, and how that went."""

    statements: dict[str, Statement] = field(default_factory=dict)
    session_id: str = ""
    rows: int = 0
    began_at: int = 0
    final: Answer = field(default_factory=dict)


@dataclass
class Played:
    """What came of a seed."""

    plan: Plan
    findings: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    logs: dict[str, str] = field(default_factory=dict)


class Play:
    """The till of one seed and all that happens to it."""

    def __init__(self, plan: Plan, ground: Field, client: httpx.AsyncClient) -> None:
        self.plan = plan
        self.field = ground
        self.account = Account()
        self.claims: dict[tuple[str, str], Claim] = {}
        self.batches: list[Batch] = []
        self.findings: list[str] = []
        self.counts: Counter[str] = Counter()
        self._client = client
        self._draw = random.Random(plan.seed)
        self._moments: dict[Moment, asyncio.Event] = {moment: asyncio.Event() for moment in MOMENTS}
        for product in range(PRODUCTS):
            self.account.take(self.account.state(barcode(product), first_price(product), 0.0), 0.0)

    async def run(self) -> None:
        """Until everything is over and quiet, or had its time."""
        self._moments["begun"].set()
        async with asyncio.timeout(_AT_MOST * 2):
            async with asyncio.TaskGroup() as group:
                for trouble in self.plan.troubles:
                    group.create_task(self._trouble(trouble))
                for product in {change.product for change in self.plan.changes}:
                    group.create_task(self._changes([one for one in self.plan.changes if one.product == product]))
                group.create_task(self._feed())
            await self._quiet()

    async def _trouble(self, trouble: Any) -> None:
        await self._moments[trouble.moment].wait()
        await asyncio.sleep(trouble.delay)
        await happen(self.field, trouble)
        self.counts[trouble.kind] += 1

    # What the till says

    async def _feed(self) -> None:
        """The whole file; meanwhile perhaps another, and one that is called off."""
        batch = await self._begin()
        await self._push_all(batch)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watch(batch))
            if self.plan.second:
                group.create_task(self._second())
            if self.plan.cancelled:
                group.create_task(self._cancelled())
            for number in self.plan.again:
                group.create_task(self._repeat(batch, number))

    async def _begin(self) -> Batch:
        batch = Batch(began_at=time.time_ns() // 1_000_000)
        batch.session_id = (await self._told("POST", "/batch/start", {}))["sessionId"]
        self.batches.append(batch)
        return batch

    async def _push_all(self, batch: Batch) -> None:
        self._answers: dict[int, Answer] = {}
        waiting = asyncio.Semaphore(2)

        async def push(number: int) -> None:
            async with waiting:
                self._answers[number] = await self._push(batch, number, self._rows(number))
                self._moments["pushing"].set()

        async with asyncio.TaskGroup() as group:
            for number in self.plan.arrival:
                group.create_task(push(number))
        await self._complete(batch)
        self._moments["completed"].set()

    def _rows(self, number: int) -> dict[str, str]:
        """Barcode -> price of that push, which also states some of the push before it, otherwise."""
        start = number * PUSH
        own = range(start, min(start + PUSH, PRODUCTS))
        before = range(start - PUSH, start - PUSH + self.plan.overlap) if number else range(0)
        old = {barcode(product): f"3.{product % 100:02d}" for product in before}
        return old | {barcode(product): f"2.{product % 100:02d}" for product in own}

    async def _push(self, batch: Batch, number: int, prices: dict[str, str]) -> Answer:
        """What a later sequence states again is no statement of this one."""
        later = self._rows(number + 1) if number + 1 in self.plan.arrival and batch is self.batches[0] else {}
        now = time.monotonic()
        stated = {code: price for code, price in prices.items() if code not in later}
        mine = {code: self.account.state(code, price, now) for code, price in stated.items()}
        batch.statements |= mine
        batch.rows += len(prices)
        answer = await self._told("POST", "/batch/push", self._body(batch, number, prices), key=f"push-{number}")
        for statement in mine.values():
            statement.answered = min(statement.answered, time.monotonic())
        return answer

    def _body(self, batch: Batch, number: int, prices: dict[str, str]) -> Answer:
        rows = [{"barcode": code, "name": f"Product {code}", "price": price} for code, price in prices.items()]
        return {"sessionId": batch.session_id, "sequence": number, "products": rows}

    async def _repeat(self, batch: Batch, number: int) -> None:
        """The same again gets the same answer, also when the batch is over."""
        body = self._body(batch, number, self._rows(number))
        if await self._told("POST", "/batch/push", body, key=f"push-{number}") != self._answers[number]:
            self.findings.append(f"push {number} was answered otherwise when it was repeated")
        self.counts["pushes repeated"] += 1

    async def _complete(self, batch: Batch) -> None:
        await self._told("POST", "/batch/complete", {"sessionId": batch.session_id})
        for statement in batch.statements.values():
            self.account.take(statement, NEVER)

    async def _second(self) -> None:
        """A newer file for the products on displays, when the first is on its way to them."""
        await self._moments["sent"].wait()
        back = self.plan.second == "back"
        prices = {
            barcode(product): first_price(product) if back else f"4.{product % 100:02d}" for product in range(DISPLAYS)
        }
        batch = await self._begin()
        await self._push(batch, 0, prices)
        await self._complete(batch)
        await self._watch(batch)

    async def _cancelled(self) -> None:
        """Its rows may be in, or not."""
        await self._moments["pushing"].wait()
        batch = await self._begin()
        await self._push(batch, 0, {barcode(product): f"5.{product % 100:02d}" for product in range(DISPLAYS)})
        await self._told("POST", "/batch/complete", {"sessionId": batch.session_id})
        status = await self._ask("POST", f"/batch/{batch.session_id}/cancel")
        if status.status_code == 409:  # it was completed in no time
            for statement in batch.statements.values():
                self.account.take(statement, NEVER)
        await self._watch(batch)

    async def _changes(self, changes: Sequence[Change]) -> None:
        """One product's, one after the other."""
        for number, change in enumerate(changes):
            await self._moments[change.moment].wait()
            await asyncio.sleep(change.delay)
            code = barcode(change.product)
            price = first_price(change.product) if change.back else f"{10 + number}.{change.product % 100:02d}"
            statement = self.account.state(code, price, time.monotonic())
            body = {"products": [{"barcode": code, "price": price}]}
            if change.gives_up:
                await self._hang_up("POST", "/productUpdate", body)
                statement.answered = time.monotonic() + _MAY_STILL_COME
                continue
            if change.hangs_up:
                await self._hang_up("POST", "/productUpdate", body)
            await self._told("POST", "/productUpdate", body)
            self.account.take(statement, time.monotonic())

    # How it is said

    async def _told(self, method: str, path: str, body: object = None, key: str | None = None) -> Answer:
        if key and self._draw.random() < self.plan.hang_ups:
            await self._hang_up(method, path, body, key)
        answer = await self._ask(method, path, body, key)
        if not answer.is_success:
            raise AssertionError(f"{method} {path}: {answer.status_code} {answer.text}")
        told: Answer = answer.json()
        return {name: value for name, value in told.items() if name != "requestId"}

    async def _ask(self, method: str, path: str, body: object = None, key: str | None = None) -> httpx.Response:
        """Until there is an answer; what a till has to repeat is counted."""
        content = None if body is None else msgspec.json.encode(body)
        headers = {"content-type": "application/json"} | ({"idempotency-key": key} if key else {})
        while True:
            try:
                answer = await self._client.request(method, path, content=content, headers=headers, timeout=10)
                if answer.status_code == 500:
                    self.findings.append(f"{method} {path}: 500 {answer.text}")
                if answer.status_code not in {429, 500, 503}:
                    self.counts["answers"] += 1
                    return answer
                self.counts[f"answers {answer.status_code}"] += 1
            except httpx.TransportError:
                self.counts["answers lost"] += 1
            await asyncio.sleep(_RETRY)

    async def _hang_up(self, method: str, path: str, body: object, key: str | None = None) -> None:
        """The connection is cut while the request is on its way, or worked on."""
        headers = {"content-type": "application/json"} | ({"idempotency-key": key} if key else {})
        asking = self._client.request(method, path, content=msgspec.json.encode(body), headers=headers)
        try:
            await asyncio.wait_for(asking, self._draw.random() * 0.04)
        except (TimeoutError, httpx.TransportError):
            self.counts["hung up"] += 1

    # Who watches

    async def _watch(self, batch: Batch) -> None:
        """Until it is over; whatever it says is confirmed is noted with the moment, to be judged by the glass."""
        reached: set[str] = set()
        while True:
            status = await self._told("GET", f"/batch/{batch.session_id}/status")
            if status["tagsConfirmed"] > len(reached):
                await self._note(batch, reached)
            over = status["status"] not in {"open", "processing"}
            if batch is self.batches[0]:
                self._pass(status, over=over)
            if over:
                batch.final = status
                return
            await asyncio.sleep(_LOOK_EVERY)

    def _pass(self, status: Answer, *, over: bool) -> None:
        passed = {
            "saved": status["phase"] not in {None, "saving"},
            "sent": status["tagsSent"] > _QUARTER,
            "confirmed": status["tagsConfirmed"] > _QUARTER,
        }
        for moment, is_there in passed.items():
            if is_there or over:
                self._moments[moment].set()  # type: ignore[index]

    async def _note(self, batch: Batch, reached: set[str]) -> None:
        path = f"/batch/{batch.session_id}/displays?state=confirmed&perPage=1000"
        listed = (await self._told("GET", path))["data"]
        now = time.time_ns() // 1_000_000
        for display in listed:
            address = display["address"]
            if address not in reached:
                reached.add(address)
                statement = batch.statements[self.field.shows[address]]
                claim = Claim(address, statement, now, batch.session_id)
                self.claims[batch.session_id, address] = claim
        self.counts["confirmations judged"] += len(listed)

    # The end

    async def _quiet(self) -> None:
        """Faults are over: until the service says that all is right, and hardware has nothing left to do.

        A request that the till gave up on may still be worked on. What is judged is therefore a state that stood still
        while it was looked at.
        """
        async with self.field.remote() as remote, self.field.site.opened() as ctx:
            await remote.change(**NO_FAULTS, reach="up")
            give_up = time.monotonic() + _AT_MOST
            while True:
                await self._finished(ctx, give_up)
                await remote.settled()
                kept = await judges.kept_prices(ctx)
                glass = await remote.glass(content=True, history=True)
                still = kept == await judges.kept_prices(ctx) and not await self._unfinished(ctx)
                if still or time.monotonic() > give_up:
                    break
                self.counts["looked at in motion"] += 1
            for batch in self.batches:
                batch.final = await self._told("GET", f"/batch/{batch.session_id}/status")
            self._judge(kept, glass, await remote.stats(), await judges.happened(ctx))

    async def _finished(self, ctx: Any, give_up: float) -> None:
        while left := await self._unfinished(ctx):
            if time.monotonic() > give_up:
                self.findings.append(f"not finished {_AT_MOST:.0f} s after the last fault: {left}")
                return
            await asyncio.sleep(_LOOK_EVERY)

    async def _unfinished(self, ctx: Any) -> dict[str, int]:
        try:
            return await judges.unfinished(ctx)
        except UNAVAILABLE:  # it recovers from what was done to it last
            return {"databases that answer": 0}

    def _judge(self, kept: dict[str, str], glass: dict[str, Seen], stats: Stats, events: dict[str, Any]) -> None:
        got = self.field.receiver.got
        self.findings += judges.lost(self.account, kept)
        self.findings += judges.wrong(self.account, kept, glass, self.field.shows)
        self.findings += judges.gone_back(glass, stats)
        began = {batch.session_id: batch.began_at for batch in self.batches}
        self.findings += judges.false_claims(self.account, self.claims.values(), glass, self.field.shows, began)
        self.findings += [
            finding for batch in self.batches for finding in judges.dishonest(batch.session_id, batch.final, batch.rows)
        ]
        finals = {batch.session_id: batch.final["status"] for batch in self.batches}
        changed = {claim.address for claim in self.claims.values() if len(glass[claim.address].history or []) > 1}
        self.findings += judges.untold(events, got, finals, changed)
        self.counts["webhooks heard"] += len(got)
        self.counts["statements acknowledged"] += self.account.acknowledged - PRODUCTS
        self.counts["faces shown"] += sum(len(seen.history or []) - 1 for seen in glass.values())


async def played(ground: Ground, plan: Plan) -> Played:
    """The seed from start to judgement; what the processes logged is kept where something was found."""
    came = Played(plan)
    began = time.monotonic()
    async with AsyncExitStack() as stack:
        field = await stack.enter_async_context(ground.copied(plan.seed, plan.workers, keeps_order=plan.keeps_order))
        async with field.pos() as pos:
            play = Play(plan, field, pos.client)
            try:
                await play.run()
            except Exception as error:  # noqa: BLE001 - whatever it is, it is a finding of this seed
                play.findings += [repr(one) for one in getattr(error, "exceptions", [error])]
        came.findings, came.counts = play.findings, play.counts
        came.counts["processes that ended by themselves"] += len(field.site.deaths)
        if came.findings:
            came.logs = {name: field.site.log(name)[-6000:] for name in field.site.running}
    ground.forget(field)
    came.seconds = time.monotonic() - began
    return came
