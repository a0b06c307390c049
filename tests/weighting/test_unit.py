from __future__ import annotations

from math import exp

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from mien.weighting import SignSwitchWeighting, WeightingError, WeightUnit
from mien.weighting.unit import weight_bounds

PUBLISHED_BOUNDS = {
    (2, 1.0): (0.1956, 0.8044),
    (2, 0.5): (0.330, 0.670),
    (2, 2.0): (0.056, 0.944),
    (3, 1.0): (0.128, 0.630),
    (3, 0.5): (0.213, 0.480),
    (3, 2.0): (0.041, 0.853),
}


@pytest.mark.parametrize("normalize_logits", [True, False])
def test_weights_are_the_formula_written_out(normalize_logits: bool) -> None:
    unit = WeightUnit((3, 2, 2), tasks=3, normalize_logits=normalize_logits, scale=2.0 if normalize_logits else 1.0)
    features = torch.rand(5, 3, 2, 2)
    rows = []
    for image in features.flatten(1):
        logits = unit.linear.weight @ (image / image.norm()) + unit.linear.bias
        logits = 2.0 * logits / logits.norm() if normalize_logits else logits
        rows.append(logits.exp() / logits.exp().sum())
    torch.testing.assert_close(unit(features), torch.stack(rows).mean(dim=0))
    torch.testing.assert_close(unit.per_image(features), torch.stack(rows))


def test_initial_values_are_those_of_the_official_code() -> None:
    unit = WeightUnit(16128, tasks=2)
    assert sum(parameter.numel() for parameter in unit.parameters()) == 32258
    assert unit.linear.bias.eq(0).all()
    assert unit.linear.weight.abs().max() <= 0.2
    # A normal distribution cut at two deviations keeps 0.8796 of its deviation.
    assert float(unit.linear.weight.detach().std()) == pytest.approx(0.1 * 0.8796, rel=0.02)


@pytest.mark.parametrize(("tasks", "scale"), PUBLISHED_BOUNDS)
def test_bounds_are_the_published_ones(tasks: int, scale: float) -> None:
    low, high = WeightUnit(1, tasks, scale=scale).bounds
    assert (low, high) == pytest.approx(PUBLISHED_BOUNDS[tasks, scale], abs=6e-4)


@settings(max_examples=60, deadline=None)
@given(
    tasks=st.integers(1, 6),
    scale=st.sampled_from([0.5, 1.0, 2.0]),
    size=st.floats(1e-3, 1e3),
    seed=st.integers(0, 10**6),
)
def test_normalised_weights_stay_within_the_bounds(tasks: int, scale: float, size: float, seed: int) -> None:
    torch.manual_seed(seed)
    unit = WeightUnit(4, tasks, scale=scale)
    torch.nn.init.normal_(unit.linear.weight, std=size)
    torch.nn.init.normal_(unit.linear.bias, std=size)
    weights = unit(torch.randn(3, 4)).detach()
    low, high = unit.bounds
    assert float(weights.sum()) == pytest.approx(1, abs=1e-6)
    assert low - 1e-6 <= float(weights.min()) <= float(weights.max()) <= high + 1e-6


def test_bounds_are_reached() -> None:
    unit = WeightUnit(4, 3)
    with torch.no_grad():
        unit.linear.weight.zero_()
        unit.linear.bias.copy_(torch.tensor([2.0, -1.0, -1.0]))
    assert float(unit(torch.rand(2, 4)).detach()[0]) == pytest.approx(unit.bounds[1], abs=1e-6)


def test_raw_weights_have_no_bounds() -> None:
    unit = WeightUnit(4, 2, normalize_logits=False)
    with torch.no_grad():
        unit.linear.bias.copy_(torch.tensor([9.0, 0.0]))
    assert unit.bounds == (0.0, 1.0)
    assert float(unit(torch.zeros(1, 4)).detach()[1]) == pytest.approx(1 / (1 + exp(9)))


@pytest.mark.parametrize("normalize_logits", [True, False])
def test_absent_tasks_weigh_nothing_and_learn_nothing(normalize_logits: bool) -> None:
    unit = WeightUnit(4, 3, normalize_logits=normalize_logits)
    weights = unit(torch.rand(6, 4), torch.tensor([True, False, True]))
    assert float(weights.detach()[1]) == 0
    assert float(weights.detach().sum()) == pytest.approx(1)
    (weights * torch.tensor([1.0, 5.0, 3.0])).sum().backward()
    assert unit.linear.weight.grad is not None
    assert unit.linear.weight.grad[1].eq(0).all()
    assert unit.linear.weight.grad[0].ne(0).any()


def test_a_lone_task_gets_all_the_weight() -> None:
    unit = WeightUnit(4, 3)
    weights = unit(torch.rand(6, 4), torch.tensor([False, True, False]))
    assert weights.tolist() == [0, 1, 0]
    weights[1].backward()
    assert all(parameter.grad is not None and parameter.grad.eq(0).all() for parameter in unit.parameters())


def test_zero_features_and_logits_give_finite_weights_and_gradients() -> None:
    unit = WeightUnit(4, 2)
    unit(torch.zeros(3, 4))[0].backward()
    assert all(parameter.grad is not None and parameter.grad.isfinite().all() for parameter in unit.parameters())


def test_features_are_detached_unless_asked() -> None:
    unit = WeightUnit(4, 2)
    features = torch.rand(3, 4, requires_grad=True)
    unit(features)[0].backward()
    assert features.grad is None
    unit(features, attached=True)[0].backward()
    assert features.grad is not None


def test_scale_of_the_features_does_not_matter() -> None:
    unit, features = WeightUnit(4, 2), torch.rand(3, 4)
    torch.testing.assert_close(unit(features), unit(1000 * features))


def test_computes_in_float32_under_autocast() -> None:
    unit, features = WeightUnit((4, 2, 2), 2), torch.rand(3, 4, 2, 2).bfloat16()
    expected = unit(features.float())
    with torch.autocast("cpu", torch.bfloat16):
        weights = unit(features)
    assert weights.dtype == torch.float32
    torch.testing.assert_close(weights, expected)


def test_wider_and_narrower_parameters() -> None:
    features = torch.rand(3, 4)
    assert WeightUnit(4, 2).double()(features).dtype == torch.float64
    narrow = WeightUnit(4, 2).bfloat16()
    assert narrow(features).dtype == torch.float32
    F.mse_loss(narrow(features), torch.zeros(2)).backward()


@pytest.mark.parametrize(
    ("features", "message"),
    [
        (torch.rand(3, 5), r"4 values an image.*\(3, 5\)"),
        (torch.rand(4), "N, ..."),
        (torch.rand(0, 4), "N > 0"),
        (torch.rand(3, 4, device="meta"), r"weighting\.to"),
    ],
)
def test_unfit_features_are_refused(features: torch.Tensor, message: str) -> None:
    with pytest.raises(WeightingError, match=message):
        WeightUnit(4, 2)(features)


@pytest.mark.parametrize("scale", [0.0, -1.0])
def test_unfit_scale_is_refused(scale: float) -> None:
    with pytest.raises(WeightingError, match="scale"):
        WeightUnit(4, 2, scale=scale)
    with pytest.raises(WeightingError, match="scale"):
        WeightUnit(4, 2, normalize_logits=False, scale=2.0)
    with pytest.raises(WeightingError, match="at least one"):
        WeightUnit(0, 2)


@pytest.mark.parametrize(("tasks", "scale"), [(3, 1.0), (3, 2.0), (3, 3.0), (3, 6.0), (4, 4.0), (5, 3.0), (6, 8.0)])
def test_no_direction_gives_less_than_the_lower_bound_and_one_gives_it(tasks: int, scale: float) -> None:
    """Against a search over directions: gradient descent from many of them."""
    generator = torch.Generator().manual_seed(0)
    z = torch.randn(400, tasks, generator=generator, dtype=torch.float64).requires_grad_()
    optimizer = torch.optim.Adam([z], lr=0.05)
    for _ in range(400):
        logs = (scale * z / z.norm(dim=1, keepdim=True)).log_softmax(dim=1)[:, 0]
        optimizer.zero_grad()
        logs.sum().backward()
        optimizer.step()
    least = float(logs.detach().min().exp())
    assert weight_bounds(tasks, scale)[0] == pytest.approx(least, rel=1e-4)


@pytest.mark.parametrize("scale", [0.0, -1.0, float("nan"), float("inf")])
def test_a_scale_that_is_none_is_refused(scale: float) -> None:
    for make in (lambda: weight_bounds(2, scale), lambda: SignSwitchWeighting(["a", "b"], scale=scale)):
        with pytest.raises(WeightingError, match="scale"):
            make()
