import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.happenings import ABOUT, SUBSCRIBABLE, Kind, body
from service.core.webhooks import Answer, Endpoint, Schedule, State, asked_for, judge, recipients, wants

NOW = 1_800_000_000_000
HOUR = 3_600_000
PLAN = Schedule()
DAY = NOW + PLAN.day


def after(status: int | None, attempts: int = 1, now: int = NOW, **more: str) -> tuple[State, int | None]:
    verdict = judge(Answer(status, **more), attempts, now, DAY, PLAN, 0.0)
    return verdict.state, verdict.due_at


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_success_delivers(status: int) -> None:
    assert after(status) == (State.DELIVERED, None)
    assert after(status, now=DAY + 1) == (State.DELIVERED, None)


@pytest.mark.parametrize("status", [None, 100, 301, 302, 307, 308, 400, 401, 404, 422, 500, 502, 599])
def test_everything_else_is_tried_again(status: int | None) -> None:
    assert after(status) == (State.PENDING, NOW + 5_000)


def test_a_receiver_that_is_gone_gets_no_more() -> None:
    verdict = judge(Answer(410), 1, NOW, DAY, PLAN, 0.0)
    assert (verdict.state, verdict.gone) == (State.FAILED, True)


def test_pauses_grow_fourfold_up_to_six_hours() -> None:
    pauses = [PLAN.pause(attempts, 0.0) // 1000 for attempts in range(1, 11)]
    assert pauses == [5, 20, 80, 320, 1280, 5120, 20480, 21600, 21600, 21600]


@given(attempts=st.integers(0, 1000), jitter=st.floats(0, 1))
def test_jitter_lengthens_a_pause_by_up_to_a_fifth(attempts: int, jitter: float) -> None:
    plain = PLAN.pause(attempts, 0.0)
    assert plain <= PLAN.pause(attempts, jitter) <= plain + plain // 5


@given(
    answers=st.lists(st.sampled_from([None, 307, 429, 500, 503]), min_size=1), jitter=st.floats(0, 1), asks=st.text()
)
def test_a_day_of_failures_ends_as_failed_after_a_last_try_at_its_very_end(
    answers: list[int | None], jitter: float, asks: str
) -> None:
    now, attempts = NOW, 0
    while True:
        attempts += 1
        answer = Answer(answers[attempts % len(answers)], retry_after=asks)
        verdict = judge(answer, attempts, now, DAY, PLAN, jitter)
        if verdict.due_at is None:
            break
        assert verdict.due_at > now
        now = verdict.due_at
    assert verdict.state is State.FAILED
    assert now == DAY
    assert attempts <= 12


@pytest.mark.parametrize("status", [429, 503])
def test_who_asks_for_time_is_given_it_within_bounds(status: int) -> None:
    assert after(status, retry_after="120") == (State.PENDING, NOW + 120_000)
    assert after(status, retry_after="1") == (State.PENDING, NOW + 5_000)
    assert after(status, retry_after="999999") == (State.PENDING, NOW + PLAN.most)
    assert after(status, now=DAY - 1000, retry_after="120") == (State.PENDING, DAY)


def test_others_who_ask_for_time_are_not_heard() -> None:
    assert after(500, retry_after="120") == (State.PENDING, NOW + 5_000)


@pytest.mark.parametrize(
    ("header", "milliseconds"),
    [
        (None, 0),
        ("", 0),
        ("soon", 0),
        ("-5", 0),
        ("²", 0),
        ("1.5", 0),
        ("30", 30_000),
        (" 30 ", 30_000),
        ("9" * 400, 999_999_999_000),
        ("Fri, 15 Jan 2027 08:02:00 GMT", 120_000),
        ("Fri, 15 Jan 2027 08:02:00", 120_000),
        ("Fri, 15 Jan 2021 08:02:00 GMT", 0),
        ("Fri, 99 Jan 2027 08:02:00 GMT", 0),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str | None, milliseconds: int) -> None:
    assert asked_for(header, NOW) == milliseconds


@given(st.text())
def test_no_retry_after_is_too_broken(header: str) -> None:
    assert asked_for(header, NOW) >= 0


@given(st.from_regex(r"\A[A-Z][a-z]{2}, \d{1,2} [A-Z][a-z]{2} \d{1,5} \d\d:\d\d:\d\d ([A-Z]{3}|[+-]\d{4})\Z"))
def test_no_date_in_retry_after_is_too_broken(header: str) -> None:
    assert asked_for(header, NOW) >= 0


def test_what_went_wrong_is_a_sentence() -> None:
    assert "redirects are not followed" in (judge(Answer(302), 1, NOW, DAY, PLAN, 0).detail or "")
    assert judge(Answer(None, error="Refused."), 1, NOW, DAY, PLAN, 0).detail == "Refused."
    given_up = judge(Answer(500), 11, DAY, DAY, PLAN, 0)
    assert given_up.detail == "Given up after 11 attempts. The receiver answered 500."


ALL = Endpoint("all", 1, None, ())
ONE_STORE = Endpoint("one", 1, 7, ())
HELD = Endpoint("held", 1, None, {"batch.held"})
OTHERS = Endpoint("others", 2, None, ())
OPERATOR = Endpoint("operator", None, None, ())
ENDPOINTS = [ALL, ONE_STORE, HELD, OTHERS, OPERATOR]


def test_an_event_goes_to_those_of_its_chain_that_want_its_kind_and_its_store() -> None:
    assert recipients(ENDPOINTS, "batch.held", 1, 7) == ["all", "one", "held"]
    assert recipients(ENDPOINTS, "batch.completed", 1, 8) == ["all"]
    assert recipients(ENDPOINTS, "batch.completed", 3, 9) == []


def test_the_operator_hears_of_requests_for_production_in_every_chain_and_of_nothing_else() -> None:
    assert recipients(ENDPOINTS, "production.requested", 2, 4) == ["others", "operator"]
    assert not any(wants(OPERATOR, kind, 1, 7) for kind in Kind if kind is not Kind.PRODUCTION_REQUESTED)


def test_a_test_is_nobody_elses() -> None:
    assert recipients(ENDPOINTS, "webhook.test", 1, 7) == []


def test_every_kind_is_told_of_with_a_sentence_and_an_example() -> None:
    assert [about.kind for about in ABOUT] == list(Kind)
    for about in ABOUT:
        assert about.sentence.endswith(".")
        decoded = msgspec.json.decode(msgspec.json.encode(about.example), type=type(about.example))
        assert decoded == about.example


def test_names_of_kinds_are_those_that_receivers_know() -> None:
    assert set(Kind) == {
        "batch.completed",
        "batch.held",
        "batch.failed",
        "display.confirmed",
        "display.overdue",
        "display.battery_low",
        "gateway.offline",
        "gateway.online",
        "product.rejected",
        "production.requested",
        "webhook.test",
    }
    assert all(re.fullmatch(r"[a-z_]+\.[a-z_]+", kind) for kind in Kind)
    assert set(Kind) - set(SUBSCRIBABLE) == {"webhook.test"}


def test_the_same_event_is_the_same_bytes() -> None:
    example = ABOUT[0].example
    text = body("batch.completed", "2026-11-22T03:04:12.480Z", "shop", example)
    assert text.startswith(b'{"type":"batch.completed","timestamp":"2026-11-22T03:04:12.480Z","store":"shop","data":{')
    assert text == body("batch.completed", "2026-11-22T03:04:12.480Z", "shop", msgspec.to_builtins(example))
