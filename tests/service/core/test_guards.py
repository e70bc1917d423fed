import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.guards import Guards, objection


def test_the_real_case_of_a_file_that_lost_half_its_rows_overnight_is_held() -> None:
    reason = objection(Guards(), 8464 - 4894, 8464)
    assert reason is not None
    assert "3570 of 8464" in reason
    assert "42 %" in reason
    assert "30 %" in reason


@pytest.mark.parametrize(("archived", "held"), [(300, False), (301, True)])
def test_the_limit_itself_is_allowed(archived: int, held: bool) -> None:
    assert (objection(Guards(), archived, 1000) is not None) is held


@pytest.mark.parametrize(("archived", "held"), [(20, False), (21, True)])
def test_a_few_products_may_always_go(archived: int, held: bool) -> None:
    assert (objection(Guards(), archived, 21) is not None) is held


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_a_hundred_percent_switches_the_guard_off(archived: int, more: int) -> None:
    assert objection(Guards(archive_percent=100), archived, archived + more) is None


def test_a_guard_that_nobody_knows_is_no_guard() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode('{"archivePercent": 5}', type=Guards)
