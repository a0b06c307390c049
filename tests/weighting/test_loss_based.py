"""Random, logarithm, prioritisation, coefficient of variation, and what the others do apart from torchjd."""

from __future__ import annotations

import copy
import math

import numpy as np
import pytest
import torch

from mien.weighting import (
    FAMO,
    CoVWeighting,
    DynamicTaskPrioritization,
    DynamicWeightAverage,
    GeometricMeanWeighting,
    LogarithmWeighting,
    RandomWeighting,
    TaskWeighting,
    UncertaintyWeighting,
    WeightingError,
)

TASKS = ["a", "b", "c"]


def weigh(weighting: TaskWeighting, **levels: float) -> list[float]:
    weighting.backward({task: torch.tensor(level, requires_grad=True) for task, level in levels.items()})
    return [weighting.weights[task] for task in weighting.tasks]


def test_random_weights_are_a_softmax_of_normal_numbers() -> None:
    weighting = RandomWeighting(TASKS, seed=1)
    drawn = torch.tensor([weigh(weighting, a=1.0, b=1.0, c=1.0) for _ in range(4000)])
    gaps = (drawn[:, 0] / drawn[:, 1]).log()  # the difference of two standard normal numbers
    assert float(gaps.mean()) == pytest.approx(0, abs=0.1)
    assert float(gaps.std()) == pytest.approx(math.sqrt(2), abs=0.1)


def test_random_weights_follow_their_own_seed_alone() -> None:
    torch.manual_seed(5)
    one = RandomWeighting(TASKS)
    torch.manual_seed(5)
    two, other = RandomWeighting(TASKS), RandomWeighting(TASKS)
    before = torch.get_rng_state()
    first = weigh(one, a=1.0, b=1.0, c=1.0)
    assert torch.equal(before, torch.get_rng_state())
    assert first == weigh(two, a=1.0, b=1.0, c=1.0)
    assert first != weigh(other, a=1.0, b=1.0, c=1.0)
    assert weigh(copy.deepcopy(one), a=1.0, b=1.0, c=1.0) == weigh(one, a=1.0, b=1.0, c=1.0)


def test_the_logarithm_transform() -> None:
    assert weigh(LogarithmWeighting(TASKS), a=2.0, c=0.5) == pytest.approx([0.25, 0, 1.0])
    value = torch.tensor([2.0, 0.5], requires_grad=True)
    value.log().mean().backward()
    assert value.grad.tolist() == pytest.approx([0.25, 1.0])


@pytest.mark.parametrize("kind", [GeometricMeanWeighting, LogarithmWeighting, CoVWeighting, FAMO])
def test_negative_losses_are_refused(kind: type[TaskWeighting]) -> None:
    weighting = kind(TASKS)
    with pytest.raises(WeightingError, match=r"needs losses that are not negative.*'b': -1.0"):
        weigh(weighting, a=1.0, b=-1.0)
    assert all(math.isfinite(weight) for weight in weigh(weighting, a=0.0, b=1.0))


def test_coefficients_of_variation_by_hand() -> None:
    series = np.random.default_rng(0).uniform(0.5, 2.0, (12, 3)) * np.array([1.0, 10.0, 0.1])
    weighting = CoVWeighting(TASKS)
    for step, levels in enumerate(series):
        weights = weigh(weighting, **dict(zip(TASKS, levels, strict=True)))
        if step < 2:
            assert weights == pytest.approx([1 / 3] * 3)
            continue
        past = series[:step]
        means = np.array([past[: max(t, 1)].mean(axis=0) for t in range(step)])
        ratios = past / means
        expected = ratios.std(axis=0) / ratios.mean(axis=0)
        assert weights == pytest.approx((expected / expected.sum()).tolist(), rel=1e-4)


def test_coefficients_of_variation_skip_absent_tasks() -> None:
    whole, part = CoVWeighting(["a", "b"]), CoVWeighting(TASKS)
    for a, b in ((1.0, 3.0), (0.7, 2.9), (0.4, 2.8), (0.5, 2.0)):
        assert weigh(part, a=a, b=b)[:2] == pytest.approx(weigh(whole, a=a, b=b))


def test_a_loss_of_0_starves_no_other_task() -> None:
    weighting = CoVWeighting(["a", "b"])
    for step in range(60):
        weights = weigh(weighting, a=0.0, b=1 / (1 + 0.05 * step))
    assert weights == pytest.approx([0.5, 0.5])  # of a there is nothing to be seen
    late, plain = CoVWeighting(["a", "b"]), CoVWeighting(["a", "b"])
    for _ in range(3):
        weigh(late, a=0.0)
    for a, b in ((1.0, 3.0), (0.7, 2.9), (0.4, 2.8), (0.5, 2.0)):
        assert weigh(late, a=a, b=b) == pytest.approx(weigh(plain, a=a, b=b))


def test_prioritization_by_hand() -> None:
    weighting = DynamicTaskPrioritization(["a", "b"], gamma=2.0, alpha=0.25)
    first, second = np.array([0.5, 2.0]), np.array([1.5, 0.1])
    indicators = np.exp(-first)
    assert weigh(weighting, a=0.5, b=2.0) == pytest.approx((-((1 - indicators) ** 2) * np.log(indicators)).tolist())
    indicators = 0.25 * np.exp(-second) + 0.75 * indicators
    assert weigh(weighting, a=1.5, b=0.1) == pytest.approx((-((1 - indicators) ** 2) * np.log(indicators)).tolist())


def test_reported_indicators_replace_those_of_the_losses() -> None:
    weighting = DynamicTaskPrioritization(["a", "b"], alpha=0.5)
    weigh(weighting, a=3.0, b=3.0)
    weighting.report({"b": 0.9})
    assert weigh(weighting, a=3.0, b=3.0)[1] == pytest.approx(-0.1 * math.log(0.9), rel=1e-5)
    weighting.report({"b": 0.7})
    assert weigh(weighting, a=3.0, b=3.0)[1] == pytest.approx(-0.2 * math.log(0.8), rel=1e-5)
    for indicators in ({"c": 0.5}, {"a": 1.5}):
        with pytest.raises(WeightingError, match="Indicators must be in"):
            weighting.report(indicators)
    weighting.report({"a": 1.0, "b": 1.0})
    assert all(math.isfinite(weight) and weight > 0 for weight in weigh(weighting, a=0.0, b=1e9))


def test_dwa_keeps_the_means_of_a_task_that_an_epoch_did_not_have() -> None:
    weighting = DynamicWeightAverage(TASKS)
    for levels in ({"a": 4.0, "b": 4.0}, {"a": 2.0, "b": 4.0}, {"a": 2.0}):
        weigh(weighting, **levels)
        weighting.end_epoch()
    rates = np.exp(np.array([1.0, 1.0]) / 2)  # a stood still over its last two epochs, b over its own
    assert weigh(weighting, a=1.0, b=1.0) == pytest.approx([*(2 * rates / rates.sum()), 0])


def test_famo_wants_losses_in_the_right_order_and_leaves_absent_tasks_alone() -> None:
    weighting = FAMO(TASKS)
    with pytest.raises(WeightingError, match="call backward with the same tasks first"):
        weighting.after_step({"a": torch.tensor(1.0)})
    assert FAMO.needs_losses_after_step
    weigh(weighting, a=1.0, b=1.0)
    weighting.after_step({"a": torch.tensor(0.5), "b": torch.tensor(1.0)})
    assert weighting.logits.tolist() == pytest.approx([-0.025, 0.025, 0], rel=1e-4)
    weigh(weighting, c=1.0)
    weighting.after_step({"c": torch.tensor(0.5)})
    assert weighting.logits[:2].tolist() == pytest.approx([-0.025, 0.025], rel=1e-4)


def test_uncertainties_go_to_the_logarithm_of_the_loss() -> None:
    weighting = UncertaintyWeighting(["a", "b"])
    optimizer = torch.optim.SGD(weighting.parameters(), lr=0.5)
    for _ in range(200):
        optimizer.zero_grad()
        losses = {"a": torch.tensor(4.0, requires_grad=True), "b": torch.tensor(0.5, requires_grad=True)}
        weighting.backward(losses)
        optimizer.step()
    assert weighting.log_variances.tolist() == pytest.approx([math.log(4.0), math.log(0.5)], abs=1e-3)
