"""The one clock of the simulated access point, and the one list of what is to happen when."""

import asyncio
import heapq
import time
from collections.abc import Awaitable, Callable
from itertools import count

Action = Callable[[], None]


class Clock:
    """Virtual seconds since 1970, which run `speed` times faster than real ones; at 0 only `advance` moves them.

    Everything that takes time is an action in one heap, run in order of time and, at one time, of being planned. While
    an action runs, `now` is the time at which it was due, however late the event loop got round to it.
    """

    def __init__(self, speed: float, start: float) -> None:
        self.speed = speed
        self._now = start
        self._anchor = time.monotonic()
        self._due: list[tuple[float, int, Action]] = []
        self._number = count()
        self._jumping = False
        self._lock = asyncio.Lock()
        self._planned = asyncio.Event()

    @property
    def now(self) -> float:
        if self._jumping or not self.speed:
            return self._now
        return self._now + (time.monotonic() - self._anchor) * self.speed

    def at(self, when: float, action: Action) -> None:
        heapq.heappush(self._due, (when, next(self._number), action))
        self._planned.set()

    def after(self, seconds: float, action: Action) -> None:
        self.at(self.now + seconds, action)

    def catch_up(self) -> None:
        """Whatever is due by now. Nothing while a jump is under way: that runs everything in order by itself."""
        if not self._jumping:
            self.advance(0.0)

    def advance(self, seconds: float) -> None:
        """A jump, with everything that falls due on the way."""
        target = self.now + seconds
        self._jumping = True
        try:
            while self._step(target):
                pass
        finally:
            self._land(target)

    async def advance_gently(self, seconds: float, pause: Callable[[], Awaitable[None]]) -> None:
        """A jump that lets `pause` run after each action, so that what the action sent can leave the process."""
        async with self._lock:
            target = self.now + seconds
            self._jumping = True
            try:
                while self._step(target):
                    await pause()
            finally:
                self._land(target)

    def _step(self, target: float) -> bool:
        if not self._due or self._due[0][0] > target:
            return False
        when, _, action = heapq.heappop(self._due)
        self._now = max(self._now, when)
        action()
        return True

    def _land(self, target: float) -> None:
        self._now = max(self._now, target)
        self._anchor = time.monotonic()
        self._jumping = False

    async def sleep(self, seconds: float) -> None:
        """Until that many virtual seconds have passed; at speed 0, until someone advances the clock."""
        over = asyncio.Event()
        self.after(seconds, over.set)
        await over.wait()

    async def run(self) -> None:
        """Moves time on in the background, for ever."""
        while self.speed:
            self.catch_up()
            self._planned.clear()
            wait = (self._due[0][0] - self.now) / self.speed if self._due else 60.0
            try:
                # Never less than a millisecond: at great speeds there is always something due, and others want the CPU.
                await asyncio.wait_for(self._planned.wait(), max(wait, 0.001))
            except TimeoutError:
                continue
