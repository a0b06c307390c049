from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.comparison.search import WIDENINGS, Candidate, favoring, further_rate, search

GRID = (1e-3, 3e-3, 1e-2)


def one(_: int) -> list[str]:
    return ["equal"]


def near(rate: float):
    """A score with its best at a rate."""
    return lambda candidate: -abs(math.log(candidate.rate / rate))


@given(st.floats(1.3e-4, 7e-2))
def test_the_grid_widens_until_the_best_lies_inside(best: float) -> None:
    choice = search(one, GRID, near(best))
    tried = sorted(candidate.rate for candidate in choice.scores)
    assert choice.edge == ""
    assert tried[0] < choice.best.rate < tried[-1]
    assert choice.scores[choice.best] == max(choice.scores.values())


def test_an_optimum_that_is_never_reached_is_told() -> None:
    choice = search(one, GRID, near(1e3))
    assert len(choice.scores) == len(GRID) + WIDENINGS
    assert choice.edge == f"learning rate {choice.best.rate:g}"


def test_rates_that_fail_are_an_end_of_the_grid_too() -> None:
    choice = search(one, GRID, lambda candidate: candidate.rate if candidate.rate < 0.02 else -math.inf)
    assert (choice.best.rate, choice.edge) == (1e-2, "")
    nothing = search(one, GRID, lambda candidate: -math.inf)
    assert (nothing.best, nothing.edge, len(nothing.scores)) == (Candidate("equal", 1e-3), "", 3)


def test_a_single_candidate_is_not_tried() -> None:
    assert search(one, (0.5,), lambda candidate: pytest.fail("tried")).best == Candidate("equal", 0.5)


@pytest.mark.parametrize("share", [0.5, 0.75, 0.9, 0.96, 0.988, 0.1])
def test_fixed_weights_are_chosen_and_widened_like_rates(share: float) -> None:
    def score(candidate: Candidate) -> float:
        first = float(candidate.method.split()[1].split(":")[0])
        return near(3e-3)(candidate) - abs(math.log(first / (1 - first)) - math.log(share / (1 - share)))

    choice = search(lambda widened: favoring(2, widened), GRID, score)
    first = float(choice.best.method.split()[1].split(":")[0])
    assert abs(math.log(first / (1 - first)) - math.log(share / (1 - share))) < 0.6
    assert (choice.best.rate, choice.edge) == (3e-3, "")
    assert len({candidate.method for candidate in choice.scores}) >= 5


def test_weights_sum_to_one_for_any_number_of_tasks() -> None:
    for tasks in (2, 3, 5):
        vectors = [list(map(float, method.split()[1].split(":"))) for method in favoring(tasks, 2)]
        assert len(vectors) == 1 + 4 * tasks
        assert all(sum(vector) == pytest.approx(1, abs=2e-3) for vector in vectors)


def test_further_rates_go_down_and_up_the_same_ladder() -> None:
    rate = 1e-3
    for _ in range(5):
        rate = further_rate(rate, up=True)
    for _ in range(5):
        rate = further_rate(rate, up=False)
    assert rate == 1e-3
