"""What every method of losses keeps, on losses that are leaves: checks, absent tasks, state, any number of tasks."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from mien.weighting import (
    REGISTRY,
    ChanceLevel,
    EqualWeighting,
    InitialValue,
    NormalizedWeighting,
    RunningMean,
    ScalarWeighting,
    TaskWeighting,
    WeightingError,
    build_weighting,
)

Maker = Callable[[list[str]], TaskWeighting]


def of_method(method: str) -> Maker:
    def make(tasks: list[str]) -> TaskWeighting:
        weights = {task: 1 / len(tasks) for task in tasks} if method == "fixed" else None
        return build_weighting(method, tasks, 4, weights)

    return make


BY_GRADIENTS = ("gradient norms", "per-gradient")
OWN_SUM = (
    *("fixed", "uncertainty", "imtl-l", "dwa", "geometric-mean", "logarithm", "prioritization"),
    *("stch", "cosmos", "pbi"),
)
"""Methods whose weights do not sum to 1."""
SIGNED = ("cosmos", "pbi")
"""Methods whose weights may be negative."""
SHARP = ("entropy", "uw-so", "stch")
"""Methods whose weights may be too small for a number."""
MAKERS: dict[str, Maker] = {
    **{name: of_method(name) for name, method in REGISTRY.items() if method.family not in BY_GRADIENTS},
    "initial": lambda tasks: NormalizedWeighting(build_weighting("dynamic", tasks, 4), InitialValue(tasks)),
    "running": lambda tasks: NormalizedWeighting(build_weighting("dynamic", tasks, 4), RunningMean(tasks)),
}
EVERY = pytest.mark.parametrize("name", MAKERS)


def losses_of(**values: float) -> dict[str, Tensor]:
    return {task: torch.tensor(value, requires_grad=True) for task, value in values.items()}


@EVERY
@settings(max_examples=8, deadline=None)
@given(levels=st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=7), data=st.data())
def test_any_number_of_tasks_and_of_absent_ones(name: str, levels: list[float], data: st.DataObject) -> None:
    tasks = [f"task{i}" for i in range(len(levels))]
    given_tasks = data.draw(st.sets(st.sampled_from(tasks), min_size=1))
    losses = {task: torch.tensor(level, requires_grad=True) for task, level in zip(tasks, levels, strict=True)}
    losses = {task: loss for task, loss in losses.items() if task in given_tasks}
    weighting = MAKERS[name](tasks)
    total = weighting.backward(losses, torch.rand(3, 4))
    weights = weighting.weights
    assert list(weights) == tasks
    assert all(weights[task] == 0 for task in tasks if task not in given_tasks)
    assert name in SIGNED or all(weights[task] >= 0 for task in given_tasks)
    assert name in (*SIGNED, *SHARP) or all(weights[task] > 0 for task in given_tasks)
    assert total.shape == ()
    assert not total.requires_grad
    assert float(total) == pytest.approx(
        sum(float(loss.detach()) * float(loss.grad) for loss in losses.values() if loss.grad is not None),
        rel=1e-5,
        abs=1e-5 * max(levels) if name in SIGNED else None,
    )
    if name not in ("initial", "running"):
        assert all(float(losses[task].grad) == pytest.approx(weights[task]) for task in losses)
    if name not in OWN_SUM and not name.startswith("favour"):
        assert sum(weights.values()) == pytest.approx(1)


@EVERY
def test_objective_is_the_total_loss(name: str) -> None:
    weighting = MAKERS[name](["a", "b"])
    features = torch.rand(3, 4)
    objective = weighting(losses_of(a=2.0, b=0.5), features)
    assert objective.requires_grad
    weights = weighting.weights
    scale = float(objective.detach()) / (2.0 * weights["a"] + 0.5 * weights["b"])
    assert scale == pytest.approx(1) or name in ("initial", "running")


@EVERY
def test_the_order_of_the_mapping_does_not_matter(name: str) -> None:
    one = MAKERS[name](["a", "b"])
    two = copy.deepcopy(one)
    features, losses = torch.rand(3, 4), losses_of(a=2.0, b=0.5)
    assert one.backward(losses, features) == two.backward({"b": losses["b"], "a": losses["a"]}, features)
    assert one.weights == two.weights


@EVERY
def test_a_saved_and_loaded_method_continues_alike(name: str) -> None:
    def run(weighting: TaskWeighting, optimizer: torch.optim.Optimizer | None, steps: range) -> list[float]:
        seen = []
        for step in steps:
            losses = losses_of(a=2.0 / (1 + step), b=0.5) if step % 3 else losses_of(a=2.0)
            seen.append(float(weighting.backward(losses, torch.sin(torch.arange(12.0) * (step + 1)).view(3, 4))))
            weighting.after_step(losses)
            if optimizer is not None:
                optimizer.step()
                optimizer.zero_grad()
        weighting.end_epoch()
        return [*seen, *weighting.weights.values()]

    def optimizer_of(weighting: TaskWeighting) -> torch.optim.Optimizer | None:
        own = list(weighting.parameters())
        return torch.optim.Adam(own, lr=0.1) if own else None

    first = MAKERS[name](["a", "b"])
    optimizer = optimizer_of(first)
    run(first, optimizer, range(5))
    second = MAKERS[name](["a", "b"])
    second.load_state_dict(first.state_dict())
    assert second.weights == first.weights
    other = optimizer_of(second)
    if optimizer is not None and other is not None:
        other.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    assert run(first, optimizer, range(5, 12)) == run(second, other, range(5, 12))


@EVERY
@pytest.mark.parametrize(
    ("losses", "message"),
    [
        ({}, "No losses were given"),
        ({"a": torch.tensor(1.0), "c": torch.tensor(1.0)}, r"unknown tasks \['c'\]; the tasks are \['a', 'b'\]"),
        ({"a": torch.ones(3)}, r"'a' must be a scalar float tensor, not shape \(3,\)"),
        ({"a": torch.ones((), dtype=torch.long)}, "'a' must be a scalar float tensor"),
        ({"a": 1.0}, "'a' must be a scalar float tensor, not float"),
        ({"a": torch.tensor(1.0), "b": torch.tensor(float("nan"))}, r"not finite: \{'b': nan\}"),
        ({"a": torch.tensor(float("inf"))}, r"not finite: \{'a': inf\}"),
    ],
)
def test_unfit_losses_are_refused(name: str, losses: dict[str, Tensor], message: str) -> None:
    weighting = MAKERS[name](["a", "b"])
    before = copy.deepcopy(weighting.state_dict())
    with pytest.raises(WeightingError, match=message):
        weighting.backward(losses, torch.rand(3, 4))
    torch.testing.assert_close(dict(weighting.state_dict()), dict(before), rtol=0, atol=0, equal_nan=True)
    assert all(parameter.grad is None for parameter in weighting.parameters())


@EVERY
def test_losses_without_any_gradient_are_refused(name: str) -> None:
    with pytest.raises(WeightingError, match="no_grad"):
        MAKERS[name](["a", "b"]).backward({"a": torch.tensor(1.0)}, torch.rand(3, 4))


@pytest.mark.parametrize("method", ["dynamic", "dynamic-raw", "naive"])
def test_missing_features_are_told(method: str) -> None:
    with pytest.raises(WeightingError, match="pass `features`"):
        build_weighting(method, ["a", "b"], 4).backward(losses_of(a=1.0))


@pytest.mark.parametrize("tasks", [[], ["a", "a"], "ab"])
def test_unfit_tasks_are_refused(tasks: list[str]) -> None:
    with pytest.raises(WeightingError, match="list of different names"):
        EqualWeighting(tasks)


def test_weights_are_zero_before_the_first_step() -> None:
    assert EqualWeighting(["a", "b"]).weights == {"a": 0, "b": 0}


@EVERY
def test_losses_of_mixed_precision(name: str) -> None:
    weighting = MAKERS[name](["a", "b"])
    losses = {
        "a": torch.tensor(2.0, dtype=torch.bfloat16, requires_grad=True),
        "b": torch.tensor(0.5).double().requires_grad_(),
    }
    assert weighting.backward(losses, torch.rand(3, 4)).dtype == torch.float64
    assert isinstance(weighting, ScalarWeighting | NormalizedWeighting)
    assert repr(weighting)


def test_a_plain_loop_takes_two_lines() -> None:
    """The whole of an ordinary training loop; the two lines of the weighting are marked."""
    from mien.weighting import DynamicWeighting, parameter_groups

    inputs = torch.randn(64, 10)
    sign, size = (inputs[:, 0] > 0).long(), inputs.norm(dim=1, keepdim=True)
    trunk = torch.nn.Sequential(torch.nn.Linear(10, 32), torch.nn.ReLU())
    sign_head, size_head = torch.nn.Linear(32, 2), torch.nn.Linear(32, 1)
    network = torch.nn.ModuleList([trunk, sign_head, size_head])
    weighting = DynamicWeighting(["sign", "size"], features=32)  # line 1
    optimizer = torch.optim.AdamW(parameter_groups(network, weighting, lr=1e-2))
    totals = []
    for _ in range(60):
        shared = trunk(inputs)
        loss_sign = torch.nn.functional.cross_entropy(sign_head(shared), sign)
        loss_size = torch.nn.functional.mse_loss(size_head(shared), size)
        optimizer.zero_grad()
        total = weighting.backward({"sign": loss_sign, "size": loss_size}, features=shared)  # line 2
        optimizer.step()
        totals.append(float(total))
    assert totals[-1] < 0.2 * totals[0]
    assert sum(weighting.weights.values()) == pytest.approx(1)


def test_a_state_of_before_is_taken() -> None:
    weighting = NormalizedWeighting(EqualWeighting(["a", "b"]), ChanceLevel({"a": 1.0, "b": 2.0}))
    weighting.backward({"a": torch.tensor(1.0, requires_grad=True), "b": torch.tensor(2.0, requires_grad=True)})
    state = {key: value for key, value in weighting.state_dict().items() if not key.endswith("kept_weights")}
    fresh = NormalizedWeighting(EqualWeighting(["a", "b"]), ChanceLevel({"a": 1.0, "b": 2.0}))
    fresh.load_state_dict(state)
    assert fresh.inner.kept_weights.tolist() == weighting.inner.last_weights.tolist()
