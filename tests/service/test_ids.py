"""Ids: ULIDs as the library of that name reads them, in order, and never twice."""

import time
from concurrent.futures import ThreadPoolExecutor

from ulid import ULID

from service.ids import first_of, is_id, new_id


def test_an_id_is_a_ulid_of_this_moment():
    before = time.time()
    one = new_id()
    assert is_id(one)
    assert before - 0.001 <= ULID.from_str(one).timestamp <= time.time()
    assert str(ULID.from_str(one)) == one


def test_each_is_above_the_one_before_also_within_a_millisecond():
    made = [new_id() for _ in range(5000)]
    assert made == sorted(set(made))


def test_each_is_above_the_one_before_when_the_clock_is_turned_back(monkeypatch):
    now = time.time_ns()
    first = new_id()
    monkeypatch.setattr(time, "time_ns", lambda: now - 3_600_000_000_000)
    assert new_id() > first


def test_threads_never_make_the_same():
    with ThreadPoolExecutor(4) as threads:
        made = [id_ for some in threads.map(lambda _: [new_id() for _ in range(2000)], range(8)) for id_ in some]
    assert len(set(made)) == len(made)


def test_what_is_no_ulid_is_no_id():
    zeros = "0" * 25
    assert not any(map(is_id, ["", "8" + zeros, zeros, zeros + "00", zeros + "I", zeros + "a", zeros + "0\n"]))


def test_the_first_id_of_a_moment_is_below_every_other_of_it():
    before = time.time_ns() // 1_000_000
    made = new_id()
    after = time.time_ns() // 1_000_000
    assert first_of(before) <= made < first_of(after + 1)
    assert is_id(first_of(before))
    assert first_of(0) == first_of(-5) == "0" * 26
