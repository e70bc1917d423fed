"""A grocery store that does not exist, as its till would send it on two days: one JSON object a row.

The second day is mostly the first: a few prices differ, some sales are over, some products are new, and some prices are
numbers where they were text. A few rows are wrong on purpose, so that a push has something to refuse.
"""

import datetime as dt
import re
from importlib.resources import files
from typing import Literal

Day = Literal[1, 2]

_RELATIVE_DAY = re.compile(rb'"@(-?\d+)"')


def feed(day: Day, today: dt.date) -> bytes:
    """The feed of one of the days as NDJSON, in the feed API's own field names.

    The stored file counts its dates from `today` (`"@6"` is in six days), so that its sales run whenever it is shown.
    """
    stored = files(__name__).joinpath(f"day{day}.ndjson").read_bytes()
    return _RELATIVE_DAY.sub(lambda found: b'"%s"' % _date(today, int(found[1])), stored)


def _date(today: dt.date, days: int) -> bytes:
    return (today + dt.timedelta(days=days)).isoformat().encode()
