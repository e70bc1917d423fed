"""Hours of nights, single changes and faults on real processes: does anything leak, and is the shelf right in the end?

`python -m tests.soak --minutes 120 --database SQLite --report FILE`: samples go to FILE.jsonl as they are taken, the
report to FILE, also when it is told to end early. The exit code says whether nothing leaked and everything is right.
"""

import argparse
import asyncio
import contextlib
import signal
import sys
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec

from bench.harness import POSTGRESQL, SQLITE
from bench.places import place, server
from display_drivers.simulator.messages import Seen
from service.shelves.shelf import display_states
from tests.end_to_end.shelf import open_store
from tests.processes import Site
from tests.soak.load import NO_FAULTS, Load, Pace
from tests.soak.samples import Sample, counting, sample
from tests.soak.verdict import Verdict, judge, table

HARDWARE = {"gateways": 4, "time_scale": 20, "max_batch": 100, "max_in_flight": 2, "reports_within": 5.0}
SETTINGS = {
    "workers": 2,
    "log_level": "info",
    "poll_every": 2,
    "verify_for": 60,
    "reconcile_every": 5,
    "lease": 5,
    "unreachable_after": 10,
    "retry_first": 0.5,
    "retry_most": 10,
    "audit_every": 60,
}
_RIGHT_WITHIN = 120.0


@dataclass(frozen=True)
class Size:
    """Of a run. `killed` are left out of the verdicts: a young process says nothing of leaks."""

    minutes: float = 120.0
    products: int = 20_400
    displays: int = 2_000
    sample_every: float = 15.0
    pace: Pace = field(default_factory=Pace)
    killed: tuple[str, ...] = ("worker-2 ", "valkey ", "Redis memory")


@dataclass
class Outcome:
    """What came of a run. `findings`: what is wrong on the shelf, or went wrong on the way."""

    times: list[float]
    samples: list[Sample]
    said: dict[str, int]
    findings: list[str]

    def verdicts(self, size: Size) -> list[Verdict]:
        if not self.samples:
            return []
        return [one for one in judge(self.times, self.samples) if not one.series.startswith(size.killed)]


async def soak(site: Site, size: Size, samples_to: Path, stop: asyncio.Event) -> Outcome:
    """Load for so many minutes or until told to stop, then a quiet end, and the judges."""
    site.environ |= counting(site.folder / "tasks")
    await site.start("serve")
    await site.ready()
    outcome = Outcome([], [], {}, [])
    async with open_store(site, displays=size.displays, **HARDWARE) as store:
        store.pos.look_every = 1.0
        load = Load(site, store, size.products, size.pace)
        began = time.monotonic()
        loading = asyncio.ensure_future(load.run(began + size.minutes * 60))
        looking = asyncio.ensure_future(_look(site, size, began, outcome, samples_to, load))
        stopped = asyncio.ensure_future(stop.wait())
        await asyncio.wait({loading, looking, stopped}, return_when=asyncio.FIRST_COMPLETED)
        for task in (stopped, looking) if loading.done() else (stopped, looking, loading):
            task.cancel()
        ended = await asyncio.gather(loading, looking, return_exceptions=True)
        outcome.findings += [repr(one) for one in ended if isinstance(one, Exception)]
        outcome.said = dict(load.said)
        if loading.done() and not stop.is_set():
            outcome.findings += [*load.troubles, *await wrong_in_the_end(site, load)]
    return outcome


async def _look(site: Site, size: Size, began: float, outcome: Outcome, samples_to: Path, load: Load) -> None:
    simulator = next(name for name in site.running if name.startswith("simulator"))
    with samples_to.open("ab") as file:
        while True:
            await asyncio.sleep(size.sample_every)
            taken = await sample(site, {"simulator": site.running[simulator].pid})
            at = time.monotonic() - began
            outcome.times.append(at)
            outcome.samples.append(taken)
            file.write(msgspec.json.encode([at, taken]) + b"\n")
            file.flush()
            api = taken.get("api memory (MB)", 0)
            say(f"{at / 60:6.1f} min: {dict(load.said)}; api {api:.0f} MB; {load.troubles[-1:]}")


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


async def wrong_in_the_end(site: Site, load: Load) -> list[str]:
    """What the glass shows otherwise than was acknowledged, once the faults are over; and what was called right."""
    await load.store.remote.change(**NO_FAULTS, reach="up")
    give_up = time.monotonic() + _RIGHT_WITHIN
    async with site.opened() as ctx:
        while wrong := [one async for one in display_states(ctx, load.store.slug, wrong=True)]:
            if time.monotonic() > give_up:
                return [f"not right in the end: {one}" for one in wrong[:5]]
            await asyncio.sleep(1)
    glass = await load.store.glass()
    findings = [
        f"{address} shows {_shown(seen)} and not {_wanted(load, load.store.shows[address])}"
        for address, seen in glass.items()
        if _shown(seen) != _wanted(load, load.store.shows[address])
    ]
    stats = await load.store.remote.stats()
    findings += [f"an older face after a newer one: {one}" for one in stats.violations]
    return findings + [f"died by itself: {name}" for name in site.deaths]


def _shown(seen: Seen) -> str | None:
    """The price on the glass; None: the display says that its product is not sold."""
    slots: list[dict[str, Any] | None] = msgspec.json.decode(seen.data)["slots"] if seen.face else []
    return slots[0]["price"] if slots and slots[0] else None


def _wanted(load: Load, barcode: str) -> str | None:
    return load.prices[barcode] if barcode in load.listed else None


def report(outcome: Outcome, size: Size, database: str) -> str:
    said = ", ".join(f"{count:,} {what}" for what, count in outcome.said.items())
    lasted = outcome.times[-1] / 60 if outcome.times else 0
    findings = "\n".join(f"- {finding}" for finding in outcome.findings) or "Nothing was wrong in the end."
    return f"{lasted:.0f} minutes on {database}: {said}.\n\n{findings}\n\n{table(outcome.verdicts(size))}\n"


async def main(size: Size, database: str, to: Path) -> bool:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    with contextlib.ExitStack() as stack:
        url = await asyncio.to_thread(stack.enter_context, server(database))
        where = await asyncio.to_thread(stack.enter_context, place(url))
        async with where.site(**SETTINGS) as site:
            outcome = await soak(site, size, to.with_suffix(".jsonl"), stop)
        told = report(outcome, size, database)
        await asyncio.to_thread(to.write_text, told, encoding="utf-8")
        say(told)
        await asyncio.to_thread(stack.close)
    leaks = [one for one in outcome.verdicts(size) if one.word == "LEAKS"]
    return not leaks and not outcome.findings


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=120.0)
    parser.add_argument("--database", choices=(SQLITE, POSTGRESQL), default=SQLITE)
    parser.add_argument("--report", type=Path, default=Path("soak.md"))
    given = parser.parse_args()
    sys.exit(not asyncio.run(main(replace(Size(), minutes=given.minutes), given.database, given.report)))
