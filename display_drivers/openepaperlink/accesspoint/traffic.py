"""What reached the port, counted: the judge's evidence of how gently a driver treats an access point."""

import time
from collections import Counter, deque

from display_drivers.openepaperlink.accesspoint.clock import Clock


class Traffic:
    """Requests by path, uploads at once, bytes, and the most requests within any one second."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.requests: Counter[str] = Counter()
        self.overlapping = 0
        self.open_uploads = 0
        self.upload_bytes = 0
        self.most_per_second = 0
        self._lately: deque[float] = deque()

    def count(self, path: str) -> None:
        """Seconds are the access point's, or real ones where its clock stands still."""
        self.requests[path] += 1
        now = self._clock.now if self._clock.speed else time.monotonic()
        self._lately.append(now)
        while self._lately[0] <= now - 1.0:
            self._lately.popleft()
        self.most_per_second = max(self.most_per_second, len(self._lately))

    def upload_began(self) -> None:
        self.open_uploads += 1
        if self.open_uploads > 1:
            self.overlapping += 1

    def upload_ended(self) -> None:
        self.open_uploads -= 1
