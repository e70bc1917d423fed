"""A machine's clock that is set ahead: every lease looks as if it had ended, and its holder may be in the middle of it.

A process that has a clock which nobody sets beside that of the wall sees the leap, and lets leases from before it last
as long as they would have. One that was started after the leap cannot know.
"""

import time
from collections.abc import Callable

NOTICED = 250
"""Milliseconds by which the wall's clock has to get ahead between two looks; less is an ordinary correction."""


class Leaps:
    """How far the clock was set ahead lately. Looked at whenever a lease may be taken, and in every round."""

    def __init__(self, within: float, steady: Callable[[], float] = time.monotonic) -> None:
        """`within`: seconds for which a leap counts, which is the length of a lease."""
        self._within = within
        self._steady = steady
        self._looked: tuple[float, int] | None = None
        self._leapt: list[tuple[float, int]] = []

    def lately(self, now: int) -> int:
        """Milliseconds by which the clock was set ahead within the length of a lease; `now` is what it says."""
        steady = self._steady()
        before, self._looked = self._looked, (steady, now)
        if before is not None:
            ahead = now - before[1] - round((steady - before[0]) * 1000)
            if ahead > NOTICED:
                self._leapt.append((steady, ahead))
        self._leapt = [(at, ahead) for at, ahead in self._leapt if steady - at < self._within]
        return sum(ahead for _, ahead in self._leapt)
