from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from mien.comparison import SINGLE, Candidate, Choice, Comparison, Curves, Epoch, Figure, Plan, Run, conclude, summarize
from mien.comparison.estimates import estimate

TASKS = {"a": Figure("accuracy"), "b": Figure("accuracy")}


def chosen(methods) -> dict[str, Choice]:
    return {method: Choice(Candidate(method, 0.1), {}, "") for method in methods}


def run(method: str, seed: int, figures: dict[str, float], seconds: float = 1.0, failure: str = "") -> Run:
    epoch = Epoch(validation=figures, test=figures)
    return Run(Plan(method, 0.1, seed), [epoch], Curves([1], {}, {}, [[]]), seconds, failure)


def comparison(figures: dict[str, list[tuple[float, float]]], *, random: bool = True, **seconds: float) -> Comparison:
    """A comparison from each method's figures (a, b) of each seed."""
    runs = {
        method: [
            run(method, seed, dict(zip("ab", pair, strict=True)), seconds.get(method, 1.0))
            for seed, pair in enumerate(pairs)
        ]
        for method, pairs in figures.items()
    }
    seeds = len(next(iter(figures.values())))
    return Comparison("x", {}, TASKS, "f", seeds, random, chosen(runs), runs)


def by_name(found: Comparison):
    return {summary.method: summary for summary in summarize(found)}


@given(st.lists(st.floats(-100, 100), min_size=2, max_size=20))
def test_interval_is_scipys(values: list[float]) -> None:
    found = estimate(values)
    if np.std(values) > 1e-6:
        low, high = stats.t.interval(0.95, len(values) - 1, np.mean(values), stats.sem(values))
        assert (found.low, found.high) == pytest.approx((low, high))
    assert found.mean == pytest.approx(np.mean(values))


def test_more_comparisons_widen_the_interval() -> None:
    values = [1.0, 2.0, 4.0]
    low, high = stats.t.interval(1 - 0.05 / 7, 2, np.mean(values), stats.sem(values))
    assert (estimate(values, 7).low, estimate(values, 7).high) == pytest.approx((low, high))


def test_differences_are_paired_by_seed() -> None:
    noise = np.random.default_rng(0).normal(size=12)
    found = comparison({"equal": [(0.5 + n, 0.5) for n in noise], "better": [(0.6 + n, 0.5 + 0.01 * n) for n in noise]})
    difference = by_name(found)["better"].differences
    assert difference["a"].mean == pytest.approx(0.1)
    assert difference["a"].excludes_zero
    assert not difference["b"].excludes_zero
    assert by_name(found)["equal"].differences == {}


def test_the_sentence_names_the_real_differences_alone() -> None:
    noise = np.random.default_rng(0).normal(size=12, scale=0.01)
    found = comparison(
        {
            "equal": [(0.5, 0.5 + n) for n in noise],
            "worse": [(0.4 + n, 0.5) for n in noise],
        }
    )
    text = conclude(found, summarize(found))
    assert text.startswith("No method is better than equal. Worse: worse on a by 10.")
    assert "on b" not in text
    assert "12 seeds" in text
    found.runs["worse"], found.runs["equal"] = found.runs["equal"], found.runs["worse"]
    assert conclude(found, summarize(found)).startswith("Better than equal: worse on a by 10.")


def test_the_gain_is_that_in_the_better_direction_for_negative_figures_too() -> None:
    """Minus a squared error: half the error is a gain of a half, whatever the sign."""
    found = comparison(
        {
            SINGLE + "a": [(-1.0, 0.0)],
            SINGLE + "b": [(0.0, 0.5)],
            "equal": [(-0.5, 0.5)],
            "worse": [(-2.0, 0.25)],
        }
    )
    assert by_name(found)["equal"].gain.mean == pytest.approx((0.5 + 0) / 2)
    assert by_name(found)["worse"].gain.mean == pytest.approx((-1 - 0.5) / 2)


def test_no_difference_is_said_to_be_none() -> None:
    noise = np.random.default_rng(1).normal(size=(2, 12))
    found = comparison({"equal": [(n, n) for n in noise[0]], "other": [(n, n) for n in noise[1]]})
    assert conclude(found, summarize(found)).startswith("No method differs from equal by more than chance")


def test_few_seeds_tell_nothing() -> None:
    found = comparison({"equal": [(0.1, 0.1)] * 9, "other": [(0.9, 0.9 + 0.001 * k) for k in range(9)]})
    assert "9 seeds are too few" in conclude(found, summarize(found))
    assert not by_name(found)["other"].differences["b"].excludes_zero


def test_gain_is_relative_to_single_tasks_and_ranks_share_ties() -> None:
    found = comparison({"equal": [(0.5, 0.5)], "other": [(0.5, 0.8)]})
    runs = {SINGLE + "a": [run(SINGLE + "a", 0, {"a": 0.4})], SINGLE + "b": [run(SINGLE + "b", 0, {"b": 0.5})]}
    found = Comparison("x", {}, TASKS, "f", 1, True, chosen([*runs, *found.runs]), runs | found.runs)
    summaries = by_name(found)
    assert summaries["equal"].gain.mean == pytest.approx((0.25 + 0.0) / 2)
    assert summaries["other"].gain.mean == pytest.approx((0.25 + 0.6) / 2)
    assert summaries[SINGLE + "a"].gain is None
    assert summaries["equal"].rank == pytest.approx((1.5 + 2) / 2)
    assert summaries["other"].rank == pytest.approx((1.5 + 1) / 2)


def test_step_time_is_relative_to_equal() -> None:
    summaries = by_name(comparison({"equal": [(0.1, 0.1)] * 3, "slow": [(0.1, 0.1)] * 3}, slow=2.5))
    assert summaries["slow"].step_time == pytest.approx(2.5)


def test_failed_runs_are_counted_and_left_out() -> None:
    found = comparison({"equal": [(0.5, 0.5)] * 3, "other": [(0.6, 0.6)] * 3})
    found.runs["other"][1] = run("other", 1, {"a": 0.0, "b": 0.0}, failure="a loss was no number")
    summary = by_name(found)["other"]
    assert summary.failed == 1
    assert summary.figures["a"].n == 2
    assert summary.figures["a"].mean == pytest.approx(0.6)
    assert summary.rank == pytest.approx((1 + 2 + 1) / 3)


def fail(found: Comparison, method: str, *seeds: int) -> None:
    for seed in seeds:
        found.runs[method][seed] = run(method, seed, {"a": 0.0, "b": 0.0}, failure="a loss was no number")


def test_a_method_that_lost_seeds_is_not_within_chance_but_not_judged() -> None:
    values = [0.001 * k for k in range(10)]
    found = comparison(
        {"equal": [(0.9, 0.9 + v) for v in values]}
        | {name: [(0.1, 0.1)] * 10 for name in ("bad", "dead")}
        | {"same": [(0.9, 0.9 + v) for v in values[::-1]]}
    )
    fail(found, "bad", 3)
    fail(found, "dead", *range(10))
    text = conclude(found, summarize(found))
    assert text.startswith("None of the judged methods differs from equal by more than chance (10 seeds")
    assert "all 2 comparisons" in text
    assert text.endswith(" Not judged: bad (1 of 10 seeds failed), dead (failed in every seed).")
    found.runs["worse"] = [run("worse", seed, {"a": 0.5, "b": 0.5}) for seed in range(10)]
    found.choices.update(chosen(["worse"]))
    text = conclude(found, summarize(found))
    assert "Worse: worse on a by 40.0 points" in text
    assert "All other differences of the judged methods are within chance" in text


def test_failures_of_equal_itself_leave_nothing_to_judge() -> None:
    found = comparison({"equal": [(0.5, 0.5)] * 10, "other": [(0.6, 0.6)] * 10})
    fail(found, "equal", 0, 4)
    assert conclude(found, summarize(found)) == (
        "No method can be judged against equal, for want of 10 seeds that finished: "
        "other (2 of 10 seeds failed in it or in equal)."
    )


def test_what_failed_in_every_one_of_few_seeds_is_named() -> None:
    found = comparison({"equal": [(0.5, 0.5)] * 2, "other": [(0.6, 0.6)] * 2})
    fail(found, "other", 0, 1)
    text = conclude(found, summarize(found))
    assert "2 seeds are too few" in text
    assert text.endswith("Failed in every seed: other.")


def test_nothing_is_inferred_from_starting_points() -> None:
    found = comparison({"equal": [(0.1, 0.1), (0.3, 0.2)], "other": [(0.9, 0.9)] * 2}, random=False)
    summaries = by_name(found)
    assert (summaries["equal"].figures["a"].low, summaries["equal"].figures["a"].high) == (0.1, 0.3)
    assert summaries["other"].differences == {}
    assert "no random sample" in conclude(found, summarize(found))
