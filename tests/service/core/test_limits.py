"""Plans as they are configured, and the RateLimit fields as the draft writes them."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.limits import BURST, DAILY, Plan, Standing, parse_plans, policy, refusal, retry_after, seconds, state

GROWTH = Plan("growth", 500, 20)
_ITEM = re.compile(r'"(?P<name>[ !#-\[\]-~]*)"(?P<parameters>(?:;[a-z]+=[0-9]{1,15})+)')
"""An item of a list, as RFC 9651 (3.1 and 3.3) writes a string with integers as its parameters."""


def parsed(field: str) -> dict[str, dict[str, int]]:
    items = [_ITEM.fullmatch(item) for item in field.split(", ")]
    assert all(items)
    return {item["name"]: _parameters(item["parameters"]) for item in items if item}


def _parameters(text: str) -> dict[str, int]:
    return {name: int(value) for name, value in (pair.split("=") for pair in text[1:].split(";"))}


def standing(**values: Any) -> Standing:
    plain: dict[str, Any] = {"plan": GROWTH, "allowed": True, "counts": True, "daily_left": 499, "burst_left": 19}
    return Standing(**plain | {"day_ends_in": 3_600_000, "minute_ends_in": 42_000} | values)


def test_plans_are_read_in_order():
    assert parse_plans("growth=500/20, pro=10000/200") == (GROWTH, Plan("pro", 10_000, 200))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "write NAME=A DAY/A MINUTE"),
        ("growth", "'growth', which is no plan"),
        ("growth=500", "write NAME=A DAY/A MINUTE"),
        ("growth=500/20,", "'', which is no plan"),
        ("growth=500/0", "no plan"),
        ("growth=0/0", "no plan"),
        ("growth=-1/20", "no plan"),
        ("growth=500.5/20", "no plan"),
        ("growth=1_000/20", "no plan"),
        ("growth=\u0665/\u0665", "no plan"),
        ("growth=10000000000/20", "no plan"),
        ("Growth=500/20", "no plan"),
        ('gr"owth=500/20', "no plan"),
        ("growth=20/500", "exchange the two"),
        ("growth=500/20,growth=10/1", "growth twice; keep one"),
        ("unlimited=500/20", "take another name"),
    ],
)
def test_a_plan_that_is_none_is_refused_with_the_mend(text: str, said: str):
    with pytest.raises(ValueError, match=re.escape(said)):
        parse_plans(text)


def test_the_fields_name_both_policies():
    assert policy(GROWTH) == '"daily";q=500;w=86400, "burst";q=20;w=60'
    assert state(standing()) == '"daily";r=499;t=3600, "burst";r=19;t=42'


@given(
    st.integers(1, 999_999_999),
    st.integers(1, 999_999_999),
    st.integers(0, 999_999_999),
    st.integers(0, 86_400_000),
    st.integers(0, 60_000),
)
def test_the_fields_are_structured_fields_whatever_the_numbers(
    daily: int, burst: int, left: int, day: int, minute: int
):
    plan = Plan("any", daily, burst)
    said = parsed(state(standing(plan=plan, daily_left=left, burst_left=left, day_ends_in=day, minute_ends_in=minute)))
    assert parsed(policy(plan)) == {DAILY: {"q": daily, "w": 86_400}, BURST: {"q": burst, "w": 60}}
    assert said[DAILY] == {"r": left, "t": seconds(day)}
    assert said[BURST] == {"r": left, "t": seconds(minute)}


@pytest.mark.parametrize(("milliseconds", "told"), [(0, 1), (1, 1), (1000, 1), (1001, 2), (59_999, 60), (60_000, 60)])
def test_a_wait_is_never_a_moment_too_short(milliseconds: int, told: int):
    assert seconds(milliseconds) == told


def test_who_has_used_up_the_day_waits_for_midnight_and_is_told_so():
    refused = standing(allowed=False, daily_left=0, burst_left=0)
    assert (refused.spent, retry_after(refused)) == ((DAILY, BURST), 3600)
    assert "500 requests a day of the plan growth are used up; they are back at midnight UTC" in refusal(refused)


def test_who_has_used_up_the_minute_waits_for_its_end():
    refused = standing(allowed=False, burst_left=0)
    assert (refused.spent, retry_after(refused)) == ((BURST,), 42)
    assert "20 requests a minute of the plan growth are used up" in refusal(refused)


def test_a_request_that_the_day_is_not_for_never_waits_for_midnight():
    refused = standing(allowed=False, counts=False, daily_left=0, burst_left=0)
    assert (refused.spent, retry_after(refused)) == ((BURST,), 42)


def test_a_refusal_waits_exactly_as_long_as_the_field_of_what_was_used_up_says():
    for refused in (standing(daily_left=0), standing(burst_left=0), standing(daily_left=0, burst_left=0)):
        assert retry_after(refused) == parsed(state(refused))[refused.spent[0]]["t"]
