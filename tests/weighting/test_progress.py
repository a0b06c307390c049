"""Our own unit: free of scale, inside the bounds, never stuck at one, in proportion."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from mien.weighting import DynamicWeighting, ProgressWeighting, TaskWeighting, WeightingError, weight_bounds

FEATURES = torch.ones(4, 3)


def step(weighting: TaskWeighting, *levels: float, features: Tensor = FEATURES) -> list[float]:
    losses = {
        task: torch.tensor(level, requires_grad=True) for task, level in zip(weighting.tasks, levels, strict=False)
    }
    weighting.backward(losses, features)
    return list(weighting.weights.values())


def two_tasks() -> ProgressWeighting:
    return ProgressWeighting(["a", "b"], 3)


@settings(max_examples=30, deadline=None)
@given(factors=st.lists(st.floats(1e-3, 1e3), min_size=3, max_size=3), seed=st.integers(0, 1000))
def test_the_scale_of_a_loss_does_not_matter(factors: list[float], seed: int) -> None:
    torch.manual_seed(seed)
    plain, scaled = (ProgressWeighting(["a", "b", "c"], 3) for _ in range(2))
    for _ in range(12):
        levels, features = (0.1 + torch.rand(3)).tolist(), torch.rand(4, 3)
        one = step(plain, *levels, features=features)
        other = step(
            scaled, *(level * factor for level, factor in zip(levels, factors, strict=True)), features=features
        )
        assert one == pytest.approx(other, abs=1e-4)


@settings(max_examples=20, deadline=None)
@given(data=st.data(), tasks=st.integers(1, 5))
def test_weights_stay_within_the_bounds_and_sum_to_1(data: st.DataObject, tasks: int) -> None:
    weighting = ProgressWeighting([f"task{i}" for i in range(tasks)], 3)
    low, high = weight_bounds(tasks)
    for _ in range(20):
        levels = data.draw(st.lists(st.floats(0, 1e6), min_size=tasks, max_size=tasks))
        weights = step(weighting, *levels, features=torch.rand(2, 3))
        assert sum(weights) == pytest.approx(1)
        assert all(low - 1e-5 <= weight <= high + 1e-5 for weight in weights)


@pytest.mark.parametrize("exponents", [(0.2, 0.5), (0.0, 0.3), (0.1, 0.4, 0.6)])
def test_power_laws_get_the_softmax_of_their_exponents(exponents: tuple[float, ...]) -> None:
    weighting = ProgressWeighting([f"task{i}" for i in range(len(exponents))], 3)
    for number in range(1, 2000):
        weights = step(weighting, *(100.0 * number**-exponent for exponent in exponents))
    assert weights == pytest.approx((-torch.tensor(exponents)).softmax(dim=0).tolist(), abs=3e-3)


def test_a_task_that_stands_still_is_not_taken_for_infinitely_hard() -> None:
    weighting = two_tasks()
    for _ in range(300):
        weights = step(weighting, 5.0, 0.01)
    assert weights == pytest.approx([0.5, 0.5], abs=1e-5)


def steps_to_turn(weighting: TaskWeighting, rest: int, optimizer: torch.optim.Optimizer | None = None) -> int:
    """Keep one task at a disadvantage, then the other; count steps until the weights follow."""
    for number in range(rest + 400):
        a, b = (1.0, 1e-4) if number < rest else (1e-4, 1.0)
        if optimizer is not None:
            optimizer.zero_grad()
        weights = step(weighting, a, b)
        if optimizer is not None:
            optimizer.step()
        if number > rest and weights[1] > 0.5:
            return number - rest
    return 400


class Fixed(ProgressWeighting):
    """With the logarithm of the loss itself for progress, to look at the unit alone."""

    def _progress(self, losses: object) -> Tensor:
        return losses.levels.log()  # type: ignore[attr-defined]


def test_leaving_a_bound_takes_as_long_however_long_it_was_held() -> None:
    """The paper's unit, at its usual learning rate, takes many times as long or does not leave at all."""
    ours = [steps_to_turn(Fixed(["a", "b"], 3), rest) for rest in (50, 200, 1000)]
    assert max(ours) <= 12
    assert max(ours) - min(ours) <= 1
    theirs = []
    for rest in (50, 200):
        torch.manual_seed(0)
        weighting = DynamicWeighting(["a", "b"], 3)
        theirs.append(steps_to_turn(weighting, rest, torch.optim.SGD(weighting.parameters(), lr=0.1)))
    assert min(theirs) > 2 * max(ours)


def test_small_differences_stay_small() -> None:
    weighting = Fixed(["a", "b"], 3)
    for _ in range(200):
        weights = step(weighting, 1.0, 1.2)
    assert weights == pytest.approx([1 / 2.2, 1.2 / 2.2], abs=1e-4)


def test_features_can_tell_batches_apart() -> None:
    """Where one task is behind on images of one kind, weights follow the kind."""
    weighting = Fixed(["a", "b"], 2)
    kinds = torch.tensor([[1.0, 0.0]]).repeat(4, 1), torch.tensor([[0.0, 1.0]]).repeat(4, 1)
    for number in range(400):
        weights = step(weighting, *((1.0, 2.0) if number % 2 else (2.0, 1.0)), features=kinds[number % 2])
    assert weights[1] > 0.6
    assert step(weighting, 1.0, 1.0, features=kinds[0])[0] > 0.6


def test_it_has_nothing_for_an_optimiser_and_starts_equal() -> None:
    weighting = two_tasks()
    assert not list(weighting.parameters())
    assert step(weighting, 5.0, 0.1) == [0.5, 0.5]


def test_an_absent_task_rests() -> None:
    weighting = ProgressWeighting(["a", "b", "c"], 3)
    step(weighting, 1.0, 1.0, 1.0)
    state = ("means", "steps", "linear", "bias")
    kept = [getattr(weighting, name)[2].clone() for name in state]
    assert step(weighting, 0.5, 0.9)[2] == 0
    assert all(torch.equal(getattr(weighting, name)[2], value) for name, value in zip(state, kept, strict=True))


def test_unfit_features_are_refused() -> None:
    with pytest.raises(WeightingError, match="pass `features`"):
        two_tasks().backward({"a": torch.tensor(1.0, requires_grad=True)})
    with pytest.raises(WeightingError, match="3 values an image"):
        step(two_tasks(), 1.0, 1.0, features=torch.ones(2, 4))
    with pytest.raises(WeightingError, match="at least one"):
        ProgressWeighting(["a"], 0)
