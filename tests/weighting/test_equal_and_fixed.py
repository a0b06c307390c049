from __future__ import annotations

import pytest
import torch

from mien.weighting import EqualWeighting, FixedWeighting, WeightingError


def losses_of(**values: float) -> dict[str, torch.Tensor]:
    return {task: torch.tensor(value, requires_grad=True) for task, value in values.items()}


def test_equal_is_the_mean_over_present_tasks() -> None:
    weighting = EqualWeighting(["a", "b", "c"])
    losses = losses_of(a=1.0, c=4.0)
    assert float(weighting.backward(losses)) == 2.5
    assert weighting.weights == {"a": 0.5, "b": 0.0, "c": 0.5}
    assert losses["a"].grad == losses["c"].grad == 0.5


def test_fixed_weights_are_used_as_given() -> None:
    weighting = FixedWeighting({"a": 2.0, "b": 0.5})
    assert float(weighting.backward(losses_of(b=4.0, a=1.0))) == 4.0
    assert float(weighting.backward(losses_of(b=4.0))) == 2.0
    assert weighting.weights == {"a": 0.0, "b": 0.5}


@pytest.mark.parametrize("weights", [{"a": -1.0}, {"a": float("nan")}, {"a": 0.0, "b": 0.0}])
def test_unfit_fixed_weights_are_refused(weights: dict[str, float]) -> None:
    with pytest.raises(WeightingError, match="finite, not negative and not all 0"):
        FixedWeighting(weights)
