"""The shared features in all forms that a training loop may have them in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from mien.errors import WeightingError

SharedFeatures = Tensor | Sequence[Tensor]
"""What all branches read: one tensor ``(N, ...)``, or several of the same N images."""

Features = SharedFeatures | Mapping[str, SharedFeatures]
"""The shared features of a step; where tasks come from different batches, those of each task by its name."""


def parts_of(features: SharedFeatures) -> list[Tensor]:
    """Return one or several tensors as a list."""
    return [features] if isinstance(features, Tensor) else list(features)


def features_of(task: str, features: Features) -> list[Tensor]:
    """Return the tensors that the branch of a task reads.

    Raises:
        WeightingError: when a mapping has none for the task.
    """
    if not isinstance(features, Mapping):
        return parts_of(features)
    if task not in features:
        raise WeightingError(f"There are no features of the task {task!r}; give those of each task that has a loss.")
    return parts_of(features[task])


def all_images(features: Features) -> Tensor:
    """Return the features of all images, ``(N, ...)``: of one batch, or of the different batches one below the other.

    Several tensors of the same images become one ``(N, D)``, flattened and side by side.
    """
    if not isinstance(features, Mapping):
        return _beside(parts_of(features))
    batches = {tuple(map(id, parts_of(given))): parts_of(given) for given in features.values()}
    if not batches:
        raise WeightingError("The features are an empty mapping: give those of each task that has a loss.")
    below = [_beside(parts) for parts in batches.values()]
    if len(below) == 1:
        return below[0]
    if any(part.ndim < 2 for part in below) or len({part.shape[1:].numel() for part in below}) > 1:
        shapes = [tuple(part.shape) for part in below]
        raise WeightingError(
            f"The tasks' features must be of shape (N, ...) and one size, as one unit reads them all; got {shapes}."
        )
    return torch.cat([part.flatten(1) for part in below])


def _beside(parts: list[Tensor]) -> Tensor:
    if len(parts) == 1:
        return parts[0]
    if len({part.shape[:1] for part in parts}) != 1 or any(part.ndim < 2 for part in parts):
        shapes = [tuple(part.shape) for part in parts]
        raise WeightingError(f"Several features must be of the same images, each of shape (N, ...); got {shapes}.")
    return torch.cat([part.flatten(1) for part in parts], dim=1)
