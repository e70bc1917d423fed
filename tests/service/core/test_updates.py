import pytest
from hypothesis import given
from hypothesis import strategies as st

from display_drivers.errors import (
    BusyError,
    DriverError,
    FrameRefusedError,
    NotAllowedError,
    PermanentError,
    StaleError,
    TransientError,
    UnknownDisplayError,
    UnreachableError,
)
from service.core.updates import LEGAL, OPEN, Phase, Schedule, after_push, overdue

NOW = 1_000_000
PLAN = Schedule(first=5_000, most=900_000, confirm=60_000)
ERRORS = [
    None,
    DriverError("?"),
    TransientError("?"),
    UnreachableError("?"),
    BusyError("?", 30),
    PermanentError("?"),
    UnknownDisplayError("?"),
    FrameRefusedError("?"),
    StaleError("?", 9),
    NotAllowedError("?"),
]


@pytest.mark.parametrize("error", ERRORS)
def test_every_answer_to_a_push_leads_to_a_phase_that_is_legal(error: DriverError | None) -> None:
    assert after_push(error, 0, NOW, PLAN).phase in LEGAL[Phase.PENDING]


@pytest.mark.parametrize("error", ERRORS[1:])
def test_what_went_wrong_is_kept_as_a_word_and_a_sentence(error: DriverError) -> None:
    step = after_push(error, 0, NOW, PLAN)
    assert (step.error, step.detail) == (error.code, "?")


def test_an_accepted_update_awaits_its_proof() -> None:
    step = after_push(None, 2, NOW, PLAN)
    assert (step.phase, step.attempts, step.confirm_by, step.error) == (Phase.SENT, 3, NOW + 60_000, None)


def test_an_unreachable_gateway_costs_no_attempt() -> None:
    step = after_push(UnreachableError("?"), 2, NOW, PLAN)
    assert (step.phase, step.attempts, step.due_at) == (Phase.PENDING, 2, NOW + 5_000)


@pytest.mark.parametrize(("asked", "pause"), [(None, 5_000), (2, 5_000), (30, 30_000)])
def test_a_busy_gateway_is_left_alone_for_as_long_as_it_asks(asked: float | None, pause: int) -> None:
    step = after_push(BusyError("?", asked), 0, NOW, PLAN)
    assert (step.phase, step.attempts, step.due_at) == (Phase.PENDING, 1, NOW + pause)


@pytest.mark.parametrize("error", ERRORS[5:8])
def test_a_refusal_fails_the_update_and_lets_reconciliation_try_again_much_later(error: DriverError) -> None:
    step = after_push(error, 0, NOW, PLAN)
    assert (step.phase, step.retry_at) == (Phase.FAILED, NOW + 900_000)


def test_a_gateway_that_is_ahead_of_us_gets_a_newer_update_at_once() -> None:
    step = after_push(StaleError("?", 9), 0, NOW, PLAN)
    assert (step.phase, step.retry_at) == (Phase.FAILED, NOW)


@given(st.integers(0, 10_000))
def test_pauses_double_up_to_the_longest_and_never_shrink(attempts: int) -> None:
    pause = PLAN.pause(attempts)
    assert PLAN.first <= pause <= PLAN.most
    assert PLAN.pause(attempts + 1) in (pause, min(2 * pause, PLAN.most))


def test_a_first_repetition_is_at_once_and_later_ones_are_ever_rarer() -> None:
    pauses = [overdue(attempts, NOW, PLAN).due_at - NOW for attempts in range(1, 6)]
    assert pauses == [0, 5_000, 10_000, 20_000, 40_000]


def test_an_overdue_update_is_sent_again_without_a_new_attempt() -> None:
    step = overdue(3, NOW, PLAN)
    assert (step.phase, step.attempts, step.error, step.confirm_by) == (Phase.PENDING, 3, "no_proof", None)
    assert step.phase in LEGAL[Phase.SENT]


def test_only_open_phases_lead_anywhere() -> None:
    assert {phase for phase, following in LEGAL.items() if following} == set(OPEN)
    assert set(LEGAL) == set(Phase)
