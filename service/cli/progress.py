"""The bars of a push: one for sending the file, one for each phase of its batch."""

from typing import Self

from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeElapsedColumn

from service.cli.console import notes
from service.messages import Status

_PHASES = {"saving": (0, 30), "syncing": (30, 80), "verifying": (80, 100)}
"""Phase -> its share of the batch's progress, in percent."""


class Bars:
    """Drawn while this is open, and only on a terminal; elsewhere their last state is printed."""

    def __init__(self) -> None:
        self._progress = Progress(
            TextColumn("{task.description:<9}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[said]}"),
            TimeElapsedColumn(),
            console=notes,
        )
        self._sending = self._progress.add_task("sending", total=None, said="")
        self._phases: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._progress.stop()

    def sent(self, rows: int, *, last: bool = False) -> None:
        self._progress.update(self._sending, completed=rows, total=rows if last else None, said=f"{rows:,} rows")

    def show(self, status: Status) -> None:
        for phase, (first, last) in _PHASES.items():
            if phase not in self._phases:
                self._phases[phase] = self._progress.add_task(phase, total=last - first, said="")
            done = min(max(status.progress - first, 0), last - first)
            self._progress.update(self._phases[phase], completed=done, said=_said(phase, status))


def _said(phase: str, status: Status) -> str:
    match phase:
        case "saving":
            return f"{status.products_saved:,} of {status.products_received:,} products"
        case "syncing":
            return f"{status.tags_sent:,} of {status.tags_total:,} displays sent"
        case _:
            return f"{status.tags_confirmed:,} of {status.tags_total:,} displays confirmed"
