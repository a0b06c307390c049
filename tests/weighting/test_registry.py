from __future__ import annotations

from typing import cast

import pytest

from mien.weighting import METHODS, DynamicWeighting, Method, NaiveWeighting, WeightingError, build_weighting


def test_every_name_makes_a_method_for_the_tasks() -> None:
    for method in METHODS:
        weights = {"b": 0.8, "a": 0.2} if method == "fixed" else None
        assert build_weighting(method, ["a", "b"], (4, 2, 2), weights).tasks == ("a", "b")


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
def test_weights_that_do_not_fit_are_refused(method: Method, weights: dict[str, float] | None) -> None:
    with pytest.raises(WeightingError, match="Weights are for the method 'fixed' alone"):
        build_weighting(method, ["a", "b"], 4, weights)


def test_unknown_names_are_refused() -> None:
    with pytest.raises(WeightingError, match=r"no weighting method 'best'.*dynamic, dynamic-raw"):
        build_weighting(cast("Method", "best"), ["a"], 4)
