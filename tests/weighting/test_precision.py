"""What a method remembers, in a model that was converted to half precision."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from mien.weighting import FAMO, CoVWeighting, DynamicTaskPrioritization, RunningMean, TaskWeighting
from mien.weighting.normalization import LossScale

TASKS = ["a", "b"]


def losses(a: float, b: float, dtype: torch.dtype) -> dict[str, Tensor]:
    return {
        "a": torch.tensor(a, dtype=dtype, requires_grad=True),
        "b": torch.tensor(b, dtype=dtype, requires_grad=True),
    }


@pytest.mark.parametrize("module", [FAMO(TASKS), CoVWeighting(TASKS), RunningMean(TASKS)])
def test_buffers_stay_wide(module: TaskWeighting | LossScale) -> None:
    for converted in (module.to(torch.bfloat16), module.half()):
        assert {b.dtype for b in converted.buffers() if b.is_floating_point()} == {torch.float32}
    assert {b.dtype for b in module.double().buffers() if b.is_floating_point()} == {torch.float64}


def test_famo_learns_in_a_half_precision_model_what_it_learns_in_float32() -> None:
    methods = [FAMO(TASKS), FAMO(TASKS).to(torch.bfloat16)]
    for step in range(300):
        for method in methods:
            method.backward(losses(1.0, 1.0, torch.bfloat16))
            method.after_step(losses(0.5 if step % 2 else 0.75, 1.0, torch.bfloat16))
    torch.testing.assert_close(methods[1].logits, methods[0].logits)
    assert methods[1].steps.tolist() == [300, 300]
    assert float(methods[1].logits.abs().min()) > 0.1


def test_priorities_follow_in_any_precision() -> None:
    method = DynamicTaskPrioritization(TASKS).double()
    for _ in range(2):
        method.backward(losses(1.0, 2.0, torch.float64))
    assert method.weights["b"] > method.weights["a"]
