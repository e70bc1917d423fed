"""Measure, print a table, and say what misses its goal; exit code 1 if anything does."""

import argparse
import asyncio
import sys
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import uvloop
from rich.console import Console
from rich.table import Table

from bench import (
    drawing,
    importing,
    latency,
    limiting,
    lists,
    memory,
    polling,
    pushing,
    saving,
    sending,
    shelf_lists,
    starting,
)  # fmt: skip
from bench.harness import HEAD, MISSED, POSTGRESQL, QUICK, SQLITE, Figure, Sizes, cells
from bench.places import Place, place, server
from bench.record import record
from service import logs

Measure = Callable[[Place, Sizes], Coroutine[Any, Any, list[Figure]]]


class Benchmark(NamedTuple):
    """What is asked for by name; `loop` where the service's work is done in this very process."""

    measure: Measure
    loop: Callable[[], asyncio.AbstractEventLoop] | None = None


BENCHMARKS = {
    "push": Benchmark(pushing.measure),
    "save": Benchmark(saving.measure, uvloop.new_event_loop),
    "send": Benchmark(sending.measure),
    "latency": Benchmark(latency.measure),
    "memory": Benchmark(memory.measure),
    "import": Benchmark(importing.measure),
    "poll": Benchmark(polling.measure),
    "start": Benchmark(starting.measure),
    "draw": Benchmark(drawing.measure),
    "shelf": Benchmark(shelf_lists.measure),
    "limit": Benchmark(limiting.measure),
    "lists": Benchmark(lists.measure),
}
LONG = {"memory", "shelf", "import"}


def run(name: str, here: Place, sizes: Sizes) -> list[Figure]:
    benchmark = BENCHMARKS[name]
    with asyncio.Runner(loop_factory=benchmark.loop) as runner:
        return runner.run(benchmark.measure(here, sizes))


def run_all(names: Sequence[str], databases: Sequence[str], sizes: Sizes) -> list[Figure]:
    """Each on a fresh database; the databases of one benchmark beside each other."""
    found: list[Figure] = []
    for database in databases:
        with server(database) as uri:
            for name in names:
                start = time.monotonic()
                with place(uri) as here:
                    found += run(name, here, sizes)
                print(f"{name} on {database}: {time.monotonic() - start:.0f} s", file=sys.stderr)
    order = [figure.what for figure in found]
    return sorted(found, key=lambda figure: order.index(figure.what))


def table(figures: Sequence[Figure]) -> Table:
    grid = Table(*HEAD)
    for figure in figures:
        grid.add_row(*cells(figure), style="bold red" if figure.verdict == MISSED else None)
    return grid


def arguments(given: Sequence[str] | None = None) -> Any:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"of {', '.join(BENCHMARKS)}; all but {', '.join(LONG)} by default")
    parser.add_argument("--record", action="store_true", help="write the figures into docs/benchmarks.md")
    parser.add_argument("--quick", action="store_true", help="small sizes, within a minute; goals are for full ones")
    parser.add_argument("--long", action="store_true", help="those that take many minutes as well")
    parser.add_argument("--runs", type=int, help="times that each is repeated")
    parser.add_argument("--products", type=int, help="in a batch, each on a display")
    parser.add_argument("--database", choices=(SQLITE, POSTGRESQL), help="this one alone")
    wanted = parser.parse_args(given)
    if strangers := set(wanted.names) - set(BENCHMARKS):
        parser.error(f"no such benchmark: {', '.join(sorted(strangers))}")
    return wanted


def sizes_of(wanted: Any) -> Sizes:
    sizes = QUICK if wanted.quick else Sizes()
    if wanted.runs:
        sizes = replace(sizes, runs=wanted.runs)
    return replace(sizes, products=wanted.products, sent=wanted.products) if wanted.products else sizes


def main() -> int:
    wanted = arguments()
    logs.configure("error")
    names = wanted.names or [name for name in BENCHMARKS if wanted.long or name not in LONG]
    figures = run_all(names, [wanted.database] if wanted.database else [SQLITE, POSTGRESQL], sizes_of(wanted))
    Console(width=None if sys.stdout.isatty() else 200).print(table(figures))
    missed = [figure for figure in figures if figure.verdict == MISSED]
    for figure in missed:
        print(f"MISSED: {figure.what}, {figure.database}: {figure.shown}, goal {figure.goal}")
    if wanted.record:
        print(f"Recorded in {record(figures, 'Quick' if wanted.quick else 'Full').name}.")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
