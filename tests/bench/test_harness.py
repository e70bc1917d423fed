"""The arithmetic by which a benchmark is judged, and the page that keeps its history."""

import pytest

from bench.__main__ import arguments, sizes_of
from bench.harness import HEAD, MISSED, QUICK, Figure, Goal, Sizes, digits, markdown, percentile, ratios
from bench.record import MARK, recorded, section

AT_MOST = Goal(8, 5)
AT_LEAST = Goal(0.2, 0.35, at_least=True)


def figure(*values: float, goal: Goal = AT_MOST) -> Figure:
    return Figure("saving / upsert", "SQLite", values, "x", goal, "12 ms")


@pytest.mark.parametrize(
    ("goal", "value", "verdict"),
    [
        (AT_MOST, 5, "aim reached"),
        (AT_MOST, 5.1, "met"),
        (AT_MOST, 8, "met"),
        (AT_MOST, 8.1, MISSED),
        (AT_LEAST, 0.35, "aim reached"),
        (AT_LEAST, 0.2, "met"),
        (AT_LEAST, 0.19, MISSED),
        (Goal(2), 2, "met"),
        (Goal(2), 2.1, MISSED),
    ],
)
def test_a_goal_is_judged_by_its_aim_then_by_its_target(goal, value, verdict):
    assert goal.verdict(value) == verdict


def test_the_median_counts_and_one_slow_run_does_not():
    assert figure(7, 90, 6).verdict == "met"
    assert figure(7, 90, 90).verdict == MISSED


def test_a_ratio_is_taken_within_each_run():
    assert ratios([10, 40], [2, 5]) == [5, 8]
    with pytest.raises(ValueError, match="shorter"):
        ratios([1, 2], [1])


@pytest.mark.parametrize(("share", "value"), [(0.5, 10), (0.95, 19), (1, 20), (0.01, 1)])
def test_a_percentile_is_a_value_that_was_measured(share, value):
    assert percentile(range(20, 0, -1), share) == value


def test_the_median_of_a_percentile_of_one_is_that_one():
    assert percentile([3.0], 0.95) == 3.0


@pytest.mark.parametrize(("value", "text"), [(0.07364, "0.0736"), (7.444, "7.44"), (12.34, "12.3"), (1234.4, "1234")])
def test_figures_have_three_digits_that_mean_something(value, text):
    assert digits(value) == text


def test_a_row_of_the_table_shows_median_spread_goal_and_verdict():
    row = markdown([figure(9, 7, 30)]).splitlines()[-1]
    assert row == "| saving / upsert | SQLite | 9 x (7 to 30) | ≤ 8, aim 5 | MISSED | 12 ms |"
    assert row.count("|") == len(HEAD) + 1


def test_a_recorded_run_comes_before_the_earlier_ones_and_after_the_words():
    page = recorded(recorded(f"Words.\n\n{MARK}", "first\n"), "second\n")
    assert page == f"Words.\n\n{MARK}\nsecond\n\nfirst\n"


def test_a_recorded_run_says_how_many_goals_it_missed():
    assert "1 of 2 missed" in section([figure(5), figure(9)], "Full")
    assert "all 1 met" in section([figure(5)], "Full")


def test_flags_choose_the_sizes():
    assert sizes_of(arguments([])) == Sizes()
    assert sizes_of(arguments(["--quick"])) == QUICK
    some = sizes_of(arguments(["save", "--products", "70", "--runs", "2"]))
    assert (some.products, some.sent, some.runs, some.samples) == (70, 70, 2, Sizes().samples)


def test_an_unknown_benchmark_is_refused(capsys):
    with pytest.raises(SystemExit):
        arguments(["nothing"])
    assert "no such benchmark: nothing" in capsys.readouterr().err
