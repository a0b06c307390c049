from __future__ import annotations

import pytest
import torch

from mien.weighting import NaiveWeighting


def weights_and_gradient(*logits: float) -> tuple[list[float], torch.Tensor]:
    tasks = [f"task{i}" for i in range(len(logits))]
    weighting = NaiveWeighting(tasks, 1, normalize_logits=False)
    with torch.no_grad():
        weighting.unit.linear.bias.copy_(torch.tensor(logits))
    losses = {task: torch.tensor(float(i + 1), requires_grad=True) for i, task in enumerate(tasks)}
    weighting.backward(losses, torch.zeros(1, 1))
    return list(weighting.weights.values()), weighting.unit.linear.bias.grad


def official(logits: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The two-task clamp of the official scripts: the first weight is clamped, the second is the rest."""
    first = logits.softmax(0)[0].clamp(0.01, 0.99)
    weights = torch.stack([first, 1 - first])
    return weights, torch.autograd.grad((weights * torch.tensor([1.0, 2.0])).sum(), logits)[0]


@pytest.mark.parametrize("logits", [(0.4, -0.3), (9.0, 0.0), (0.0, 9.0), (2.0, -2.0)])
def test_two_tasks_as_in_the_official_scripts(logits: tuple[float, float]) -> None:
    weights, gradient = weights_and_gradient(*logits)
    expected, expected_gradient = official(torch.tensor(logits, requires_grad=True))
    assert weights == pytest.approx(expected.tolist(), abs=1e-7)
    torch.testing.assert_close(gradient, expected_gradient, rtol=1e-4, atol=1e-7)


def test_more_tasks_keep_a_floor_and_sum_to_one() -> None:
    weights, _ = weights_and_gradient(30.0, 0.0, 0.0)
    assert weights == pytest.approx([0.99 / 1.01, 0.01 / 1.01, 0.01 / 1.01])
    assert sum(weights) == pytest.approx(1)
