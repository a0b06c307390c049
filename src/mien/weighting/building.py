"""Makes a method by its name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from torch import Tensor

from mien.errors import WeightingError
from mien.weighting.contract import TaskWeighting
from mien.weighting.custom import find_method
from mien.weighting.registry import Request
from mien.weighting.unit import FeatureShape


def build_weighting(
    method: str,
    tasks: Sequence[str],
    features: FeatureShape,
    weights: Mapping[str, float] | None = None,
    *,
    shared_parameters: Iterable[Tensor] = (),
) -> TaskWeighting:
    """Make a method with its default settings; for others call its class.

    Args:
        method: one of ``METHODS``; ``REGISTRY`` says what each is and needs. Or ``path/to/file.py:Class``, a class of
            your own; it gets those of the other arguments that its ``__init__`` has.
        tasks: names of the tasks.
        features: size or shape of one image's shared features; methods without a unit do not use it.
        weights: for ``fixed``: a weight for each task.
        shared_parameters: for ``gradnorm`` and ``autoscale``: the parameters whose gradients they compare; other
            methods do not use them.

    Raises:
        WeightingError: when the method is unknown, ``weights`` are missing, superfluous or not of the tasks, shared
            parameters are missing, or a library is.

    Example:
        >>> build_weighting("fixed", ["a", "b"], features=8, weights={"b": 0.2, "a": 0.8}).tasks
        ('a', 'b')
        >>> from mien.weighting import REGISTRY
        >>> REGISTRY["famo"].family, REGISTRY["famo"].needs
        ('loss-based', ('losses measured again after each step',))
    """
    entry = find_method(method)
    if (set(weights) if weights else set()) != (set(tasks) if entry.needs_weights else set()):
        raise WeightingError(
            f"Weights are for methods that want them ('fixed'), one for each of {list(tasks)}; {method!r} got "
            f"{weights}."
        )
    return entry.make(Request(tasks, features, weights or {}, tuple(shared_parameters)))
