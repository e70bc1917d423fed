"""What processes cost, as the kernel counts it. Linux alone."""

import os
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


def cpu(*pids: int) -> float:
    """Seconds of CPU that these processes took so far, in user and kernel mode, all threads."""
    return sum(sum(map(int, _stat(pid)[11:13])) for pid in pids) / _TICKS


def memory(pid: int) -> float:
    """Megabytes that are resident now."""
    return int(_stat(pid)[21]) * _PAGE / 1e6


def _stat(pid: int) -> list[str]:
    """The fields from the third on: a command's name, the second, may hold blanks."""
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
