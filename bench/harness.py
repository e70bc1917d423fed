"""What every benchmark hands back, and the arithmetic and the table that it is judged by."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

SQLITE = "SQLite"
POSTGRESQL = "PostgreSQL"
MISSED = "MISSED"


@dataclass(frozen=True)
class Sizes:
    """How much is measured; the issue of each benchmark is stated for the defaults.

    Attributes:
        runs: Times that a benchmark is repeated; its median counts.
        requests: In one run of pushes, of each server.
        products: In one batch, each with a display bound to it.
        sent: Displays of the run from completion to all sent.
        samples: Single price changes.
        pollers: Each reads a status every five seconds.
        polled_for: Seconds.
        large: Products in the one large batch.
        shelf: Displays of the store whose lists and history are read.
        listed: Of each thing that is listed.
    """

    runs: int = 5
    requests: int = 40
    products: int = 50_000
    sent: int = 50_000
    samples: int = 100
    pollers: int = 1000
    polled_for: float = 20.0
    large: int = 500_000
    shelf: int = 200_000
    listed: int = 200_000


QUICK = Sizes(
    runs=1,
    requests=10,
    products=2000,
    sent=1000,
    samples=10,
    pollers=500,
    polled_for=1.5,
    large=20_000,
    shelf=2000,
    listed=20_000,
)


@dataclass(frozen=True)
class Goal:
    """The bound that a median has to keep, and the better one that is aimed at."""

    target: float
    aim: float | None = None
    at_least: bool = False

    def verdict(self, value: float) -> str:
        if self.aim is not None and self._keeps(value, self.aim):
            return "aim reached"
        return "met" if self._keeps(value, self.target) else MISSED

    def _keeps(self, value: float, bound: float) -> bool:
        return value >= bound if self.at_least else value <= bound

    def __str__(self) -> str:
        sign = "≥" if self.at_least else "≤"
        return f"{sign} {self.target:g}" + (f", aim {self.aim:g}" if self.aim is not None else "")


@dataclass(frozen=True)
class Figure:
    """One measured thing on one database.

    Attributes:
        values: Of each run.
        unit: What the values count; "x" is a ratio against the floor that `what` names.
        note: The raw figures behind it, and what else a reader has to know.
    """

    what: str
    database: str
    values: Sequence[float]
    unit: str
    goal: Goal
    note: str = ""

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def verdict(self) -> str:
        return self.goal.verdict(self.median)

    @property
    def shown(self) -> str:
        """The median, and how far the runs lie apart."""
        spread = f" ({digits(min(self.values))} to {digits(max(self.values))})" if len(self.values) > 1 else ""
        return f"{digits(self.median)} {self.unit}{spread}"


HEAD = ("what", "database", "median (of runs)", "goal", "", "note")


def cells(figure: Figure) -> tuple[str, ...]:
    """A row under HEAD."""
    return figure.what, figure.database, figure.shown, str(figure.goal), figure.verdict, figure.note


def markdown(figures: Sequence[Figure]) -> str:
    rows = [HEAD, tuple("---" for _ in HEAD), *map(cells, figures)]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def ratios(ours: Sequence[float], floor: Sequence[float]) -> list[float]:
    """Run by run, so that what slows the machine for a while slows both sides of a ratio."""
    return [mine / bare for mine, bare in zip(ours, floor, strict=True)]


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -int(-share * len(ordered) // 1) - 1)]


def digits(value: float) -> str:
    """Three that mean something."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"  # noqa: PLR2004 - three digits


def middle(values: Sequence[float]) -> str:
    return digits(statistics.median(values))
