"""docs/benchmarks.md: what is measured and why, then every recorded run, the newest first."""

import os
import platform
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench.harness import MISSED, Figure, markdown

_ROOT = Path(__file__).parent.parent
_PAGE = _ROOT / "docs" / "benchmarks.md"
MARK = "<!-- recorded runs, newest first; written by python -m bench --record -->\n"


def record(figures: Sequence[Figure], size: str) -> Path:
    """Put a section with these figures before the earlier ones; the page."""
    _PAGE.write_text(recorded(_PAGE.read_text(encoding="utf-8"), section(figures, size)), encoding="utf-8")
    return _PAGE


def recorded(page: str, newest: str) -> str:
    head, mark, earlier = page.partition(MARK)
    return f"{head}{mark or MARK}\n{newest}{earlier}"


def section(figures: Sequence[Figure], size: str) -> str:
    moment = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    missed = sum(figure.verdict == MISSED for figure in figures)
    count = f"{missed} of {len(figures)} missed" if missed else f"all {len(figures)} met"
    load = os.getloadavg()[0]
    machine = f"{os.cpu_count()} cores ({platform.machine()}), {platform.system()}, Python {platform.python_version()}"
    return (
        f"### {moment}, {_commit()}\n\n{size} sizes on {machine}, load {load:.1f} at the end: {count}.\n\n"
        f"{markdown(figures)}\n"
    )


def _commit() -> str:
    """What was measured: the commit, and whether it had been changed."""
    found = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--abbrev=10"],  # noqa: S607 - wherever git is
        cwd=_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return found.stdout.strip() or "no commit"
