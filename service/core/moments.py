"""Dates and times of a feed, in the store's time zone unless an offset is given; milliseconds since the epoch, UTC."""

import datetime as dt
from functools import lru_cache
from zoneinfo import ZoneInfo

from service.core.problems import Code, RefusedError, quoted, wrong_type

FIRST_YEAR, LAST_YEAR = 1970, 2200
MAX_TEXT = 40

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MILLISECOND = dt.timedelta(milliseconds=1)
_DATE_LENGTH = len("2026-08-22")


def parse_moment(value: object, timezone: str) -> int:
    """A date and time, or a date, which stands for its first moment. Raises RefusedError."""
    return _moment(_text(value), timezone, end=False)


def parse_end(value: object, timezone: str) -> int:
    """When something ends, exclusive: a date includes that day, so it stands for the next one. Raises RefusedError."""
    return _moment(_text(value), timezone, end=True)


def last_day(end: int, timezone: str) -> str:
    """The last date in the store, such as `2026-08-22`, on which something is valid that ends at `end`, exclusive."""
    return (_EPOCH + (end - 1) * _MILLISECOND).astimezone(ZoneInfo(timezone)).date().isoformat()


def _text(value: object) -> str:
    if type(value) is not str:
        raise wrong_type("a date or time as text, such as 2026-08-22 or 2026-08-22T08:00:00+02:00", value)
    if len(value) > MAX_TEXT:
        raise _not_a_time(value)
    return value.strip(" ")


@lru_cache(maxsize=4096)  # a feed repeats its few dates
def _moment(text: str, timezone: str, *, end: bool) -> int:
    """The moment in UTC.

    A local time that the clock passes twice is the first of both; one that it jumps over is as much later as the jump
    (PEP 495 with fold=0), so that a day without midnight begins when it begins.
    """
    try:
        moment = _parsed(text, end=end)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=ZoneInfo(timezone))
        return max(0, (moment - _EPOCH) // _MILLISECOND)
    except (ValueError, OverflowError):
        raise _not_a_time(text) from None


def _parsed(text: str, *, end: bool) -> dt.datetime:
    """ISO 8601 in its extended form only: `20260822` is more often a number that went astray."""
    if not text.isascii() or text[4:5] != "-" or text[7:8] != "-" or not FIRST_YEAR <= int(text[:4]) <= LAST_YEAR:
        raise ValueError(text)
    if len(text) == _DATE_LENGTH:
        midnight = dt.datetime.fromisoformat(text)
        return midnight + dt.timedelta(days=1) if end else midnight
    if text[_DATE_LENGTH] not in "Tt ":
        raise ValueError(text)
    return dt.datetime.fromisoformat(text)


def _not_a_time(text: str) -> RefusedError:
    return RefusedError(
        Code.NOT_A_TIME,
        f"{quoted(text)} is not a date or time from {FIRST_YEAR} to {LAST_YEAR}."
        " Write 2026-08-22, 2026-08-22T08:00 or 2026-08-22T08:00:00+02:00.",
    )
