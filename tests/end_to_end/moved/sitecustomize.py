"""Python imports this by its name before anything else, from a folder on its path: the clock is moved by a file.

Only the time of day is, as service.context.now and arq ask for it; waiting and time-outs stay as long as they are.
"""

import mmap
import os
import struct
import time
from pathlib import Path


def move(path):
    """From now on this process adds to the clock of the wall the milliseconds that the file holds."""
    with path.open("rb") as file:
        ahead = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    wall, seconds = time.time_ns, time.time
    time.time_ns = lambda: wall() + struct.unpack_from("=q", ahead)[0] * 1_000_000
    time.time = lambda: seconds() + struct.unpack_from("=q", ahead)[0] / 1000


move(Path(os.environ["CLOCK_MOVED_BY"]))
