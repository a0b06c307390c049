"""Weighting methods by name, for recipes and command lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, assert_never, get_args

from mien.errors import WeightingError
from mien.weighting.contract import TaskWeighting
from mien.weighting.dynamic import DynamicWeighting
from mien.weighting.equal import EqualWeighting
from mien.weighting.fixed import FixedWeighting
from mien.weighting.naive import NaiveWeighting
from mien.weighting.unit import FeatureShape

Method = Literal["dynamic", "dynamic-raw", "naive", "equal", "fixed"]
METHODS: tuple[Method, ...] = get_args(Method)
"""Every name that ``build_weighting`` knows."""


def build_weighting(
    method: Method, tasks: Sequence[str], features: FeatureShape, weights: Mapping[str, float] | None = None
) -> TaskWeighting:
    """Make a method with its default settings; for others call its class.

    Args:
        method: ``dynamic`` (normalised logits, as in the published curves), ``dynamic-raw`` (raw logits, as in the
            official code's last state), ``naive``, ``equal`` or ``fixed``.
        tasks: names of the tasks.
        features: size or shape of one image's shared features; methods without a unit do not use it.
        weights: for ``fixed`` alone: a weight for each task.

    Raises:
        WeightingError: when ``weights`` are missing, superfluous or not of the tasks, or the method is unknown.

    Example:
        >>> build_weighting("fixed", ["a", "b"], features=8, weights={"b": 0.2, "a": 0.8}).tasks
        ('a', 'b')
    """
    if method not in METHODS:
        raise WeightingError(f"There is no weighting method {method!r}; the methods are {', '.join(METHODS)}.")
    if (set(weights) if weights else set()) != (set(tasks) if method == "fixed" else set()):
        raise WeightingError(
            f"Weights are for the method 'fixed' alone, one for each of {list(tasks)}; {method!r} got {weights}."
        )
    match method:
        case "dynamic":
            return DynamicWeighting(tasks, features)
        case "dynamic-raw":
            return DynamicWeighting(tasks, features, normalize_logits=False)
        case "naive":
            return NaiveWeighting(tasks, features)
        case "equal":
            return EqualWeighting(tasks)
        case "fixed":
            return FixedWeighting({task: (weights or {})[task] for task in tasks})
        case _:
            assert_never(method)
