"""Seeds of chaos on real processes: `python -m tests.chaos --seed 1 --runs 500 --database SQLite --jobs 2`.

One line for each seed, and what it found; in the end how often what happened. The exit code says whether nothing was
found. With --keep FOLDER, the logs and the plan of seeds that found something are kept there.
"""

import argparse
import asyncio
import contextlib
import sys
import tempfile
from collections import Counter
from pathlib import Path

import msgspec

from tests.chaos.ground import Ground, postgresql
from tests.chaos.plans import ON, plan
from tests.chaos.play import Played, played


async def run(database: str, seeds: list[int], jobs: int, keep: Path | None) -> list[Played]:
    """Side by side, each job on a ground of its own."""
    waiting, done = iter(seeds), list[Played]()

    async def work(ground: Ground) -> None:
        for seed in waiting:
            came = await played(ground, plan(seed, database))
            done.append(came)
            tell(came, keep)

    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="shelfcast-chaos-")))
        servers = [stack.enter_context(postgresql()) if database != "SQLite" else None for _ in range(jobs)]
        grounds = [Ground(folder / f"job{number}", server) for number, server in enumerate(servers)]
        for ground in grounds:
            await ground.prepare()
        async with asyncio.TaskGroup() as group:
            for ground in grounds:
                group.create_task(work(ground))
    return done


def tell(came: Played, keep: Path | None) -> None:
    plan_ = came.plan
    kinds = ", ".join(f"{trouble.kind} ({trouble.moment})" for trouble in plan_.troubles)
    say(f"{plan_.database} seed {plan_.seed}: {came.seconds:.1f} s, {plan_.workers} workers; {kinds}")
    for finding in came.findings:
        say(f"    {finding}")
    if came.findings and keep:
        keep.mkdir(parents=True, exist_ok=True)
        text = [msgspec.json.format(msgspec.json.encode(plan_)).decode(), *came.findings]
        text += [f"--- {name}\n{log}" for name, log in came.logs.items()]
        (keep / f"{plan_.database}-{plan_.seed}.txt").write_text("\n".join(text), encoding="utf-8")


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def summary(done: list[Played]) -> str:
    counts = sum((came.counts for came in done), Counter[str]())
    failed = sorted(came.plan.seed for came in done if came.findings)
    took = sum(came.seconds for came in done) / max(1, len(done))
    lines = [f"{len(done)} seeds, {took:.1f} s each; found something: {failed or 'none'}"]
    return "\n".join(lines + [f"  {count:>9,} {what}" for what, count in sorted(counts.items())])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="the first")
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--database", choices=list(ON), default="SQLite")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--keep", type=Path)
    given = parser.parse_args()
    outcome = asyncio.run(run(given.database, list(range(given.seed, given.seed + given.runs)), given.jobs, given.keep))
    say(summary(outcome))
    sys.exit(any(came.findings for came in outcome))
