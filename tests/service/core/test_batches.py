import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.batches import TERMINAL, Phase, Reach, Status, advance, saving

VERIFY = 360_000


@st.composite
def reaches(draw: st.DrawFn) -> Reach:
    total = draw(st.integers(0, 50))
    return Reach(total, draw(st.integers(0, total)), draw(st.integers(0, total)), draw(st.booleans()))


def step(phase: Phase, reach: Reach, since: int | None = None, now: int = 0) -> tuple[Status, Phase | None, int]:
    taken = advance(phase, reach, since, now, VERIFY)
    return taken.status, taken.phase, taken.progress


@pytest.mark.parametrize("phase", [Phase.SYNCING, Phase.VERIFYING])
def test_a_batch_with_nothing_left_to_prove_is_completed_at_once(phase: Phase) -> None:
    assert step(phase, Reach(0, 0, 0, waiting=True)) == (Status.COMPLETED, None, 100)
    assert step(phase, Reach(9, 9, 0, waiting=True)) == (Status.COMPLETED, None, 100)


@pytest.mark.parametrize(("sent", "progress"), [(0, 30), (1, 42), (3, 67), (4, 80)])
def test_syncing_goes_from_30_to_80_with_what_was_sent(sent: int, progress: int) -> None:
    assert step(Phase.SYNCING, Reach(4, sent, 4, waiting=True)) == (Status.PROCESSING, Phase.SYNCING, progress)


@pytest.mark.parametrize(("left", "progress"), [(4, 80), (3, 85), (1, 95)])
def test_verifying_goes_from_80_to_100_with_what_is_closed(left: int, progress: int) -> None:
    assert step(Phase.VERIFYING, Reach(4, 4, left, waiting=False)) == (Status.PROCESSING, Phase.VERIFYING, progress)


def test_syncing_is_over_when_nothing_waits_for_a_gateway_that_answers() -> None:
    assert step(Phase.SYNCING, Reach(4, 1, 4, waiting=False)) == (Status.PROCESSING, Phase.VERIFYING, 80)


def test_verification_that_has_begun_never_goes_back_to_syncing() -> None:
    assert step(Phase.VERIFYING, Reach(4, 1, 4, waiting=True))[1] is Phase.VERIFYING


@pytest.mark.parametrize(("now", "status"), [(VERIFY - 1, Status.PROCESSING), (VERIFY, Status.COMPLETED)])
def test_verification_has_its_time_from_when_it_began(now: int, status: Status) -> None:
    assert step(Phase.VERIFYING, Reach(4, 4, 4, waiting=False), since=0, now=now)[0] is status


@given(reaches(), st.sampled_from([Phase.SYNCING, Phase.VERIFYING]), st.integers(0, 2 * VERIFY))
def test_only_a_completed_batch_is_at_100_and_has_no_phase(reach: Reach, phase: Phase, now: int) -> None:
    status, following, progress = step(phase, reach, 0, now)
    assert (status is Status.COMPLETED) == (following is None) == (progress == 100)
    assert (status in TERMINAL) == (status is Status.COMPLETED)
    assert progress >= 30


@given(st.integers(0, 500), st.integers(0, 500))
def test_saving_goes_from_0_to_30_with_the_pushes(saved: int, more: int) -> None:
    pushes = saved + more
    assert 0 <= saving(saved, pushes) <= saving(pushes, pushes) == 30
