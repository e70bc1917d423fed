"""What is to happen when: the only clock of the simulated store is the `now` it is told."""

import heapq
from collections.abc import Callable
from itertools import count

Action = Callable[[int], None]
"""Gets the time at which it was due, in milliseconds."""


class Timeline:
    """Things due, in order of time and, at one time, of being planned. Nothing ticks: an idle display costs nothing."""

    def __init__(self, time_scale: float) -> None:
        """Simulated seconds are `time_scale` times shorter than real ones; at 0 nothing takes any time."""
        self._time_scale = time_scale
        self._due: list[tuple[int, int, Action]] = []
        self._number = count()

    def milliseconds(self, seconds: float) -> int:
        """A duration of the simulated store in real milliseconds."""
        return round(seconds * 1000 / self._time_scale) if self._time_scale else 0

    def at(self, when: int, action: Action) -> None:
        heapq.heappush(self._due, (when, next(self._number), action))

    def next_due(self) -> int | None:
        return self._due[0][0] if self._due else None

    def run(self, now: int) -> None:
        """Whatever is due by `now`, including what becomes due by then on the way."""
        while self._due and self._due[0][0] <= now:
            when, _, action = heapq.heappop(self._due)
            action(when)
