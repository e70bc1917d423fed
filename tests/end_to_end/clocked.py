"""A calendar that a test turns, for days that pass in seconds in every process of a site."""

import os
import struct
import time
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

_MOVED = Path(__file__).with_name("moved")


class Calendar:
    """What day it is in a store, for the processes that are started with this environment; today, to begin with."""

    def __init__(self, path: Path, timezone: str) -> None:
        found = [str(_MOVED), *filter(None, [os.environ.get("PYTHONPATH")])]
        self.environ = {"PYTHONPATH": os.pathsep.join(found), "CLOCK_MOVED_BY": str(path)}
        self._path = path
        self._zone = ZoneInfo(timezone)
        path.write_bytes(struct.pack("=q", 0))

    def turn_to(self, day: date) -> None:
        """Half past midnight of that day, in the store."""
        moment = datetime(day.year, day.month, day.day, 0, 30, tzinfo=self._zone)
        self._set(round(moment.timestamp() * 1000) - time.time_ns() // 1_000_000)

    def step(self, seconds: float) -> None:
        """So much forward, or back."""
        self._set(struct.unpack("=q", self._path.read_bytes())[0] + round(seconds * 1000))

    def _set(self, ahead: int) -> None:
        with self._path.open("r+b") as file:
            file.write(struct.pack("=q", ahead))
