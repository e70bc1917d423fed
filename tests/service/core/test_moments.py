import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.moments import last_day, parse_end, parse_moment
from service.core.problems import Code, RefusedError

ZAGREB = "Europe/Zagreb"


def utc(*parts: int) -> int:
    return int(dt.datetime(*parts, tzinfo=dt.UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-08-22", utc(2026, 8, 21, 22)),
        ("2026-08-22T08:00", utc(2026, 8, 22, 6)),
        ("2026-08-22 08:00:00.250", utc(2026, 8, 22, 6) + 250),
        ("2026-08-22T08:00:00Z", utc(2026, 8, 22, 8)),
        ("2026-08-22T08:00:00+05:30", utc(2026, 8, 22, 2, 30)),
        ("2026-01-22T08:00", utc(2026, 1, 22, 7)),
    ],
)
def test_a_time_is_the_stores_unless_it_has_an_offset(text, moment):
    assert parse_moment(text, ZAGREB) == moment


def test_a_date_ends_with_its_day():
    assert parse_end("2026-08-22", ZAGREB) == parse_moment("2026-08-23", ZAGREB)
    assert parse_end("2026-08-22T20:00", ZAGREB) == parse_moment("2026-08-22T20:00", ZAGREB)


def test_a_day_with_a_clock_change_has_23_or_25_hours():
    hours = [(parse_end(day, ZAGREB) - parse_moment(day, ZAGREB)) / 3_600_000 for day in ("2026-03-29", "2026-10-25")]
    assert hours == [23, 25]


def test_a_time_that_the_clock_jumps_over_is_as_much_later():
    assert parse_moment("2026-03-29T02:30", ZAGREB) == parse_moment("2026-03-29T03:30", ZAGREB)


def test_a_time_that_the_clock_passes_twice_is_the_first():
    assert parse_moment("2026-10-25T02:30", ZAGREB) == utc(2026, 10, 25, 0, 30)


def test_a_day_without_midnight_begins_when_it_begins():
    assert parse_moment("2026-09-06", "America/Santiago") == utc(2026, 9, 6, 4)
    assert parse_end("2026-09-05", "America/Santiago") == utc(2026, 9, 6, 4)


@given(st.dates(dt.date(1970, 1, 2), dt.date(2200, 12, 31)), st.sampled_from([ZAGREB, "UTC", "Asia/Jerusalem"]))
def test_the_last_day_of_what_ends_with_a_date_is_this_date(date, timezone):
    assert last_day(parse_end(date.isoformat(), timezone), timezone) == date.isoformat()


@given(st.text(max_size=50) | st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.+Z-]{0,20}", fullmatch=True))
def test_any_text_is_a_moment_or_refused(text):
    try:
        moment = parse_end(text, ZAGREB)
    except RefusedError:
        return
    assert 0 <= moment <= utc(2201, 1, 2)


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("", Code.NOT_A_TIME),
        ("tomorrow", Code.NOT_A_TIME),
        ("22.08.2026", Code.NOT_A_TIME),
        ("20260822", Code.NOT_A_TIME),
        ("2026-W34-6", Code.NOT_A_TIME),
        ("2026-02-30", Code.NOT_A_TIME),
        ("2026-08-22X08:00", Code.NOT_A_TIME),
        ("1969-12-31", Code.NOT_A_TIME),
        ("2201-01-01", Code.NOT_A_TIME),
        ("9999-12-31T23:59:59-12:00", Code.NOT_A_TIME),
        ("٢٠٢٦-08-22", Code.NOT_A_TIME),
        (1787385600, Code.WRONG_TYPE),
        (None, Code.WRONG_TYPE),
    ],
)
def test_what_is_no_moment_is_refused_with_its_reason(value, code):
    with pytest.raises(RefusedError) as refused:
        parse_moment(value, ZAGREB)
    assert refused.value.code is code
