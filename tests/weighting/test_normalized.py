from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from mien.weighting import (
    ChanceLevel,
    DynamicWeighting,
    EqualWeighting,
    FixedWeighting,
    InitialValue,
    LossScale,
    NormalizedWeighting,
    RunningMean,
    TaskWeighting,
    WeightingError,
)

TASKS = ["a", "b"]


def losses_of(**values: float) -> dict[str, Tensor]:
    return {task: torch.tensor(value, requires_grad=True) for task, value in values.items()}


def totals(scale: LossScale, *steps: dict[str, Tensor]) -> list[float]:
    weighting = NormalizedWeighting(FixedWeighting({"a": 1.0, "b": 1.0}), scale)
    return [float(weighting.backward(losses)) for losses in steps]


def test_chance_level_divides_by_the_log_of_the_number_of_classes() -> None:
    losses = losses_of(a=math.log(80), b=math.log(6))
    assert totals(ChanceLevel.of_classes({"a": 80, "b": 6}), losses) == pytest.approx([2.0])
    assert [float(loss.grad) for loss in losses.values()] == pytest.approx([1 / math.log(80), 1 / math.log(6)])


def test_initial_value_is_each_tasks_own_first() -> None:
    steps = (losses_of(a=8.0), losses_of(a=4.0, b=0.5), losses_of(a=2.0, b=0.25))
    assert totals(InitialValue(TASKS), *steps) == pytest.approx([1.0, 1.5, 0.75])


def test_running_mean_is_corrected_for_its_start_and_skips_absent_tasks() -> None:
    mean = (0.9 * 0.1 * 4 + 0.1 * 2) / (1 - 0.9**2)
    steps = (losses_of(a=4.0), losses_of(b=3.0), losses_of(a=2.0))
    assert totals(RunningMean(TASKS, decay=0.9), *steps) == pytest.approx([1.0, 1.0, 2.0 / mean])


def test_the_inner_method_decides_on_normalised_losses() -> None:
    """A task with a large but normal loss is not taken for the hard one any more."""
    weighting = NormalizedWeighting(DynamicWeighting(TASKS, 3), ChanceLevel.of_classes({"a": 1000, "b": 4}))
    optimizer = torch.optim.SGD(weighting.parameters(), lr=1.0)
    for _ in range(50):
        optimizer.zero_grad()
        weighting.backward(losses_of(a=0.4 * math.log(1000), b=0.9 * math.log(4)), torch.ones(2, 3))
        optimizer.step()
    assert weighting.weights["b"] > 0.75
    assert weighting.weights == weighting.inner.weights


class Recorder(TaskWeighting):
    """A method without a scalar objective that keeps what it is told."""

    def __init__(self) -> None:
        super().__init__(TASKS)
        self.told: list[object] = []

    def backward(self, losses: dict[str, Tensor], features: Tensor | None = None) -> Tensor:
        self.told.append({task: float(loss.detach()) for task, loss in losses.items()})
        return torch.zeros(())

    def after_step(self, losses: dict[str, Tensor]) -> None:
        self.told.append({task: float(loss.detach()) for task, loss in losses.items()})

    def end_epoch(self) -> None:
        self.told.append("end")


def test_every_call_is_passed_on() -> None:
    recorder = Recorder()
    weighting = NormalizedWeighting(recorder, InitialValue(TASKS))
    weighting.backward(losses_of(a=2.0, b=8.0))
    weighting.after_step(losses_of(a=1.0, b=4.0))
    weighting.end_epoch()
    assert recorder.told == [{"a": 1.0, "b": 1.0}, {"a": 0.5, "b": 0.5}, "end"]
    with pytest.raises(WeightingError, match="call backward instead"):
        weighting(losses_of(a=2.0, b=8.0))


def test_losses_that_cannot_be_scaled_are_refused() -> None:
    with pytest.raises(WeightingError, match=r"first value above 0.*\['b'\]"):
        totals(InitialValue(TASKS), losses_of(a=1.0, b=0.0))
    with pytest.raises(WeightingError, match=r"not negative.*\['b'\]"):
        totals(RunningMean(TASKS), losses_of(a=1.0, b=-1.0))
    assert totals(RunningMean(TASKS), losses_of(a=1.0, b=0.0)) == [1.0]


def test_unfit_settings_are_refused() -> None:
    with pytest.raises(WeightingError, match="above 0"):
        ChanceLevel.of_classes({"a": 1})
    with pytest.raises(WeightingError, match="decay"):
        RunningMean(TASKS, decay=1.0)
    with pytest.raises(WeightingError, match="made for"):
        NormalizedWeighting(EqualWeighting(TASKS), InitialValue(["b", "a"]))


@pytest.mark.parametrize("scale", [InitialValue(TASKS), RunningMean(TASKS), ChanceLevel({"a": 2.0, "b": 3.0})])
def test_what_is_only_measured_is_divided_by_the_scales_of_training(scale: LossScale) -> None:
    weighting = NormalizedWeighting(FixedWeighting({"a": 1.0, "b": 1.0}), scale).eval()
    before = 5 / 2 + 1 / 3 if isinstance(scale, ChanceLevel) else 6  # others know no scale before the first step
    assert float(weighting(losses_of(a=5.0, b=1.0)).detach()) == pytest.approx(before)
    weighting.train().backward(losses_of(a=8.0, b=0.5))
    divisors = weighting.scale.scales().tolist()
    measured = weighting.eval()(losses_of(a=16.0, b=1.0))
    assert float(measured.detach()) == pytest.approx(16 / divisors[0] + 1 / divisors[1])
    assert weighting.scale.scales().tolist() == divisors


@pytest.mark.parametrize("scale", [InitialValue(TASKS), RunningMean(TASKS)])
def test_a_task_that_was_never_observed_is_measured_as_it_is(scale: LossScale) -> None:
    weighting = NormalizedWeighting(FixedWeighting({"a": 1.0, "b": 1.0}), scale)
    weighting.backward({"a": losses_of(a=2.0, b=1.0)["a"]})
    assert float(weighting.eval()(losses_of(a=2.0, b=3.0)).detach()) == pytest.approx(1)
    assert float(weighting._divided(losses_of(a=2.0, b=3.0))["b"].detach()) == 3
