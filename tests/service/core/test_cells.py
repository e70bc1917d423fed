import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from service.core.cells import guarded, unguarded

MARKS = "=+-@\t\r\uff1d'"
texts = st.text() | st.text(alphabet=MARKS + "a1.")


@given(texts)
@example("''a")
@example("'")
def test_a_marked_cell_is_read_as_it_was(text: str):
    assert unguarded(guarded(text)) == text


@given(texts)
def test_no_cell_begins_as_a_formula(text: str):
    cell = guarded(text)
    assert not cell.startswith(tuple(MARKS[:-1])) or cell.lstrip("+-").replace(".", "").replace(",", "").isdigit()


@pytest.mark.parametrize("text", ["-2.5", "+1", "10", "", "O'Neill", "'tis", "a=b", "5 - 3"])
def test_what_is_no_formula_is_left_alone(text: str):
    assert guarded(text) == text


@pytest.mark.parametrize("text", ["=1+1", "-2+3", "@SUM(A1)", "+x", "\t=1", "-"])
def test_a_formula_is_marked_as_text(text: str):
    assert guarded(text) == "'" + text
