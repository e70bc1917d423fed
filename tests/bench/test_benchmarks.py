"""Every benchmark does its work and comes to a figure, at sizes whose figures mean nothing."""

import pytest

from bench.__main__ import BENCHMARKS, run
from bench.harness import Sizes
from bench.places import Place
from service.settings import Settings

TINY = Sizes(
    runs=1, requests=2, products=20, sent=8, samples=3, pollers=5, polled_for=0.3, large=30, listed=200, shelf=400
)


@pytest.fixture
def place(on_sqlite: Settings) -> Place:
    return Place("SQLite", on_sqlite)


@pytest.mark.parametrize("name", BENCHMARKS)
def test_it_comes_to_a_figure(name, place, monkeypatch):
    monkeypatch.delenv("SHELFCAST_FEEDS", raising=False)
    figures = run(name, place, TINY)
    assert [figure.database for figure in figures] == ["SQLite"] * len(figures)
    may_be_nothing = ("CPU", "beyond")  # of work that is tiny, and of what memory grows by
    assert all(figure.median > 0 for figure in figures if not any(word in figure.what for word in may_be_nothing))
    assert len({figure.what for figure in figures}) == len(figures) > 0
