from __future__ import annotations

import math

import pytest
import torch

from mien.comparison.experiments.toy import OFFSET, STARTS, Toy, landscape


def by_hand(x: float, y: float) -> tuple[float, float]:
    """The formulas of CAGrad's toy example, written out in plain Python."""
    upper, lower = max(math.tanh(0.5 * y), 0), max(math.tanh(-0.5 * y), 0)
    f1 = math.log(max(abs(0.5 * (-x - 7) - math.tanh(-y)), 0.000005)) + 6
    f2 = math.log(max(abs(0.5 * (-x + 3) - math.tanh(-y) + 2), 0.000005)) + 6
    g1 = ((-x + 7) ** 2 + 0.1 * (-y - 8) ** 2) / 10 - 20
    g2 = ((-x - 7) ** 2 + 0.1 * (-y - 8) ** 2) / 10 - 20
    return upper * f1 + lower * g1, upper * f2 + lower * g2


@pytest.mark.parametrize("point", [*STARTS, (3.0, -7.0), (-2.5, 0.3)])
def test_landscape_is_that_of_the_literature(point: tuple[float, float]) -> None:
    values = landscape(torch.tensor(point, dtype=torch.float64)) - OFFSET
    torch.testing.assert_close(values, torch.tensor(by_hand(*point), dtype=torch.float64))


def test_losses_stay_above_zero() -> None:
    grid = torch.cartesian_prod(torch.linspace(-12, 12, 300), torch.linspace(-12, 12, 300))
    assert landscape(grid).min() > 0


def test_each_loss_has_a_graph_of_its_own() -> None:
    problem = Toy()
    losses, shared = problem.losses(problem.network(0), None, list(problem.tasks))
    gradients = [torch.autograd.grad(loss, shared)[0] for loss in losses.values()]
    assert not torch.equal(*gradients)


def test_seeds_are_the_starting_points() -> None:
    problem = Toy()
    assert [tuple(problem.trace(problem.network(seed))) for seed in range(len(STARTS))] == list(STARTS)
