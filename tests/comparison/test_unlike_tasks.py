from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

from mien.comparison import Plan, compare, train
from mien.comparison.experiments.unlike_tasks import NAME, PICTURE, SLANT, UnlikeTasks, slants
from mien.errors import RecipeError
from mien.reports import write_comparison


class Silent:
    def start(self, runs: int) -> None: ...

    def more(self, runs: int) -> None: ...

    def made(self, plan: Plan, run) -> None: ...


@pytest.fixture(scope="module")
def problem() -> UnlikeTasks:
    made = UnlikeTasks(epochs=1, learning_rates=(3e-3,), batch_size=200)
    made.prepare()
    return made


def test_the_slant_is_that_of_a_drawn_line() -> None:
    pictures = torch.zeros(3, 9, 9)
    for row in range(9):
        pictures[0, row, 4] = 1
        pictures[1, row, row] = 1
        pictures[2, row, 4 + (row - 4) // 2] = 1
    found = slants(pictures)
    assert found[:2].tolist() == pytest.approx([0, 45], abs=1e-4)
    assert 20 < float(found[2]) < 32


def test_figures_have_units_and_directions(problem: UnlikeTasks) -> None:
    assert [(figure.unit, figure.sign) for figure in problem.figures.values()] == [
        ("%", 1),
        ("degrees", -1),
        ("gray levels", -1),
    ]


def test_figures_of_samples_have_the_figures_as_their_mean(problem: UnlikeTasks) -> None:
    run = train(Plan("equal", 3e-3, 0), problem, {NAME: 0.5, SLANT: 5.0, PICTURE: 30.0})
    for task, values in run.samples.items():
        assert sum(values) / len(values) == pytest.approx(run.best.test[task], rel=1e-3)
    assert set(run.curves.gradients.cosines) == {"digit and slant", "digit and picture", "slant and picture"}
    assert all(-1.001 <= value <= 1.001 for values in run.curves.gradients.cosines.values() for value in values)


def test_the_score_is_the_mean_relative_gain_whatever_the_units(problem: UnlikeTasks) -> None:
    alone = {NAME: 0.8, SLANT: 5.0, PICTURE: 30.0}
    assert problem.score(alone, alone) == 0
    assert problem.score({NAME: 0.88, SLANT: 4.0, PICTURE: 33.0}, alone) == pytest.approx((0.1 + 0.2 - 0.1) / 3)
    better, worse = {NAME: 0.92, SLANT: 5.003, PICTURE: 30.0}, {NAME: 0.11, SLANT: 5.001, PICTURE: 30.0}
    assert problem.score(better, alone) > problem.score(worse, alone)  # a plain mean says the opposite
    assert problem.score({SLANT: 4.0}, {}) > problem.score({SLANT: 5.0}, {})
    with pytest.raises(RecipeError, match="figures of different kinds"):
        problem.score(alone, {})


@dataclass(frozen=True)
class Scored(UnlikeTasks):
    """Cares for the slant alone."""

    def score(self, figures, alone) -> float:
        return -figures.get(SLANT, 0.0)


def test_a_score_of_ones_own_chooses() -> None:
    problem = Scored(epochs=2, batch_size=200)
    problem.prepare()
    run = train(Plan("equal", 3e-3, 0), problem)
    assert run.best.validation[SLANT] == min(epoch.validation[SLANT] for epoch in run.epochs)


def test_three_unlike_tasks_make_a_page(problem: UnlikeTasks, tmp_path: Path) -> None:
    comparison = compare(problem, ["equal", "dynamic"], 2, tmp_path / "runs", Silent(), [("dynamic", "equal")])
    text = write_comparison(comparison, tmp_path, "x").read_text()
    for title in ("Digit against slant", "Digit against picture", "Slant against picture", "Primary contrasts"):
        assert title in text
    assert "mean absolute error, degrees, lower is better" in text
    assert "2 seeds are too few" in text
