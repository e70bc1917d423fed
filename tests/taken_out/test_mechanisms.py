"""The table of what keeps the promises is true of the code as it is; whether the tests miss a line is asked by hand."""

from pathlib import Path

import pytest

from tests.taken_out.__main__ import ROOT, shown
from tests.taken_out.mechanisms import MECHANISMS, Mechanism

PAGE = ROOT / "docs" / "promises.md"


def _name(mechanism: Mechanism) -> str:
    return f"{Path(mechanism.file).stem}: {mechanism.line.split()[0]}"


@pytest.mark.parametrize("mechanism", MECHANISMS, ids=_name)
def test_every_line_that_keeps_a_promise_is_there_once(mechanism: Mechanism):
    assert (ROOT / mechanism.file).read_text(encoding="utf-8").count(mechanism.line) == 1


@pytest.mark.parametrize("mechanism", MECHANISMS, ids=_name)
def test_every_line_that_keeps_a_promise_is_on_its_page(mechanism: Mechanism):
    assert f"| {mechanism.promise[0]} | {shown(mechanism)} |" in PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("mechanism", MECHANISMS, ids=_name)
def test_the_tests_that_must_miss_it_exist(mechanism: Mechanism):
    named = [word for word in mechanism.tests.split() if word.startswith("tests/")]
    assert named
    assert all((ROOT / name).exists() for name in named)
