"""Public identifiers: ULIDs (github.com/ulid/spec), so that they sort by the time they were made.

Made here, since saving needs two for each product and the library takes 5 µs of each: a tenth of all saving.
"""

import hashlib
import re
import secrets
import threading
import time

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS = tuple(first + second for first in _ALPHABET for second in _ALPHABET)
_FORM = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")
_RANDOM_BITS = 80
_MOST_MOMENT = (1 << 48) - 1


class _Series:
    """The ids of one process, each above the one before, also within a millisecond and when the clock is turned back.

    As the specification has it, the first of a millisecond is random and those after it count up; a head of 22
    characters stays the same for a million of them.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._moment = 0
        self._number = 0
        self._head = ""
        self._head_of = -1

    def next(self) -> str:
        with self._lock:
            moment = time.time_ns() // 1_000_000
            if moment > self._moment:
                self._moment = moment
                # Without its highest bit, so that counting up never comes to an end within the millisecond.
                self._number = (moment << _RANDOM_BITS) + secrets.randbits(_RANDOM_BITS - 1)
            else:
                self._number += 1
            high, low = divmod(self._number, 1 << 20)
            if high != self._head_of:
                self._head, self._head_of = "".join(_PAIRS[high >> shift & 1023] for shift in range(100, -1, -10)), high
            return self._head + _PAIRS[low >> 10] + _PAIRS[low & 1023]


new_id = _Series().next


def is_id(text: str) -> bool:
    return _FORM.fullmatch(text) is not None


def first_of(at: int) -> str:
    """What every id made before this time (ms) is below, and every later one is not."""
    return _written((max(at, 0) & _MOST_MOMENT) << _RANDOM_BITS)


def derived(at: int, *of: str) -> str:
    """The id of something that is told more than once: the same for the same words at the same time."""
    chance = int.from_bytes(hashlib.sha256("\n".join(of).encode()).digest()[: _RANDOM_BITS // 8])
    number = ((at & _MOST_MOMENT) << _RANDOM_BITS) + chance
    return _written(number)


def _written(number: int) -> str:
    return "".join(_ALPHABET[number >> shift & 31] for shift in range(125, -1, -5))
