from __future__ import annotations

import sys

import pytest
import torch

from mien.weighting import METHODS, REGISTRY, DynamicWeighting, NaiveWeighting, WeightingError, build_weighting


def test_every_name_makes_its_class_for_the_tasks() -> None:
    parameter = torch.nn.Parameter(torch.ones(3))
    for name, method in REGISTRY.items():
        weights = {"b": 0.8, "a": 0.2} if method.needs_weights else None
        made = build_weighting(name, ["a", "b"], (4, 2, 2), weights, shared_parameters=[parameter])
        assert made.tasks == ("a", "b")
        assert type(made) is method.kind
        assert method.summary.endswith(".")
        assert repr(made)


def test_names_of_the_first_release_still_work() -> None:
    assert {"dynamic", "dynamic-raw", "naive", "equal", "fixed"} <= set(METHODS)


def test_needs_are_those_of_the_class() -> None:
    assert REGISTRY["famo"].needs == ("losses measured again after each step",)
    assert REGISTRY["gradnorm"].needs == ("shared parameters",)
    assert REGISTRY["upgrad"].needs == ("shared features", "the extra mien[gradients]")
    assert REGISTRY["fixed"].needs == ("a weight for each task",)
    assert REGISTRY["progress"].needs == ("shared features",)
    assert REGISTRY["constant-input"].needs == REGISTRY["equal"].needs == ()


def test_favoured_tasks() -> None:
    tasks = ["a", "b", "c"]
    first, last = build_weighting("favour-first", tasks, 4), build_weighting("favour-last", tasks, 4)
    losses = {task: torch.tensor(1.0, requires_grad=True) for task in tasks}
    first.backward(losses)
    last.backward(losses)
    assert list(first.weights.values()) == pytest.approx([0.630, 0.185, 0.185], abs=1e-3)
    assert list(last.weights.values()) == pytest.approx([0.185, 0.185, 0.630], abs=1e-3)


def test_gradnorm_asks_for_its_parameters() -> None:
    with pytest.raises(WeightingError, match="GradNorm needs `shared_parameters`"):
        build_weighting("gradnorm", ["a", "b"], 4)


def test_a_missing_torchjd_is_one_sentence_that_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torchjd", None)
    with pytest.raises(WeightingError, match=r"need the library torchjd: pip install 'mien\[gradients\]'\.$"):
        build_weighting("upgrad", ["a", "b"], 4)


def test_a_missing_solver_is_one_sentence_that_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    from torchjd import aggregation

    def missing(c: float) -> None:
        raise ImportError("CAGradWeighting requires ['cvxpy'] to be installed.")

    monkeypatch.setattr(aggregation, "CAGrad", missing)
    with pytest.raises(WeightingError, match=r"cagrad needs a solver.*mien\[gradients\]"):
        build_weighting("cagrad", ["a", "b"], 4)


def test_names_mean_the_variants() -> None:
    dynamic, raw, naive = (build_weighting(name, ["a", "b"], 4) for name in ("dynamic", "dynamic-raw", "naive"))
    assert isinstance(dynamic, DynamicWeighting)
    assert isinstance(raw, DynamicWeighting)
    assert isinstance(naive, NaiveWeighting)
    assert (dynamic.unit.normalize_logits, raw.unit.normalize_logits) == (True, False)


@pytest.mark.parametrize(
    ("method", "weights"),
    [("fixed", None), ("fixed", {"a": 1.0}), ("fixed", {"a": 1.0, "b": 1.0, "c": 1.0}), ("equal", {"a": 1.0})],
)
def test_weights_that_do_not_fit_are_refused(method: str, weights: dict[str, float] | None) -> None:
    with pytest.raises(WeightingError, match="Weights are for methods that want them"):
        build_weighting(method, ["a", "b"], 4, weights)


def test_unknown_names_are_refused() -> None:
    with pytest.raises(WeightingError, match=r"no weighting method 'best'.*dynamic, dynamic-raw"):
        build_weighting("best", ["a"], 4)
