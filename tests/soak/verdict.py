"""What a series of samples says: whether something leaks, judged by its level early and late."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median

from tests.soak.samples import WORK, Sample

WARM_UP = 0.2
"""Share of the run in which caches and pools still fill."""
_WINDOWS = 3
_NEEDED = 2 * _WINDOWS
"""Samples after the warm-up, to say anything at all."""
_SLACK: Mapping[str, tuple[float, float]] = {
    "memory (MB)": (4.0, 0.04),
    "handles": (4.0, 0.0),
    "threads": (2.0, 0.0),
    "tasks": (3.0, 0.0),
    "keys": (20.0, 0.0),
    "connections": (2.0, 0.0),
    "WAL (MB)": (4.0, 0.5),
    **dict.fromkeys(WORK, (0.0, 0.0)),
}
"""How much a level may differ late from early, by how a series' name ends: absolutely, and as a share."""


@dataclass(frozen=True)
class Verdict:
    """Levels after the warm-up; `per_hour` is the slope of the least squares.

    Attributes:
        word: flat, LEAKS, or history: rows that are kept by design, and what they take.
    """

    series: str
    early: float
    late: float
    highest: float
    per_hour: float
    word: str


def judge(times: Sequence[float], samples: Sequence[Sample]) -> list[Verdict]:
    """One verdict for each series that there is enough of; `times` are seconds since the load began."""
    begin = times[0] + (times[-1] - times[0]) * WARM_UP
    steady = [(at, sample) for at, sample in zip(times, samples, strict=True) if at >= begin]
    names = dict.fromkeys(name for _, sample in steady for name in sample)
    series = {name: [(at, sample[name]) for at, sample in steady if name in sample] for name in names}
    return [_verdict(name, points) for name, points in series.items() if len(points) >= _NEEDED]


def _verdict(name: str, points: Sequence[tuple[float, float]]) -> Verdict:
    values = [value for _, value in points]
    third = len(values) // _WINDOWS
    level = min if name in WORK else median  # work comes and goes; what matters is that it comes to its end
    early, late = level(values[:third]), level(values[-third:])
    slack = next((slack for end, slack in _SLACK.items() if name.endswith(end)), None)
    word = "history" if slack is None else _word(early, late, *slack)
    return Verdict(name, early, late, max(values), _slope(points) * 3600, word)


def _word(early: float, late: float, absolute: float, share: float) -> str:
    return "flat" if late - early <= max(absolute, share * early) else "LEAKS"


def _slope(points: Sequence[tuple[float, float]]) -> float:
    middle, level = fmean(at for at, _ in points), fmean(value for _, value in points)
    spread = sum((at - middle) ** 2 for at, _ in points)
    return sum((at - middle) * (value - level) for at, value in points) / spread if spread else 0.0


def table(verdicts: Sequence[Verdict]) -> str:
    """As Markdown."""
    lines = ["| series | early | late | highest | per hour | verdict |", "|---|---:|---:|---:|---:|---|"]
    for one in verdicts:
        figures = " | ".join(f"{value:,.1f}" for value in (one.early, one.late, one.highest))
        lines.append(f"| {one.series} | {figures} | {one.per_hour:+,.1f} | {one.word} |")
    return "\n".join(lines)
