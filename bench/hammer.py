"""Processes that ask for the limit of one token, all at once, and count how many of their requests pass.

Run as a module it is one of them: it is told its work as JSON, waits for a line, and prints its count.
"""

import asyncio
import itertools
import subprocess
import sys
from collections.abc import Sequence

import msgspec

from service.core.limits import Plan
from service.counters import Counters
from service.limiting import Limits

_AT_ONCE = 50
_PATIENCE = 30.0
"""Seconds: that machines of tests are busy is not what is asked here."""
_GO = b"go\n"


class Work(msgspec.Struct, frozen=True):
    """What one process does.

    Attributes:
        start: Its clock (ms) at the first request.
        step: Milliseconds by which its clock goes on with each.
    """

    dsn: str
    daily: int
    burst: int
    requests: int
    start: int
    step: int = 0


def hammered(works: Sequence[Work]) -> int:
    """How many requests pass, of all these processes together."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "bench.hammer", msgspec.json.encode(work).decode()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for work in works
    ]
    for process in processes:
        if process.stdout is None or not process.stdout.readline():
            raise RuntimeError("A process did not come up to hammer.")
    for process in processes:
        if process.stdin is not None:
            process.stdin.write(_GO)
            process.stdin.flush()
    return sum(int(process.communicate()[0]) for process in processes)


async def _hammer(work: Work) -> int:
    ticks = itertools.count()
    counters = Counters(work.dsn, patience=_PATIENCE)
    limits = Limits(counters, [], lambda: work.start + work.step * next(ticks))
    plan = Plan("hammered", work.daily, work.burst)
    print("ready", flush=True)
    sys.stdin.readline()
    left, passes = work.requests, 0
    while left:
        some = min(left, _AT_ONCE)
        said = await asyncio.gather(*(limits.count("T", plan, counts=True) for _ in range(some)))
        passes += sum(standing.allowed for standing in said if standing is not None)
        if None in said:
            raise RuntimeError("Redis did not answer, so that nothing was limited.")
        left -= some
    await counters.close()
    return passes


if __name__ == "__main__":
    print(asyncio.run(_hammer(msgspec.json.decode(sys.argv[1], type=Work))))
