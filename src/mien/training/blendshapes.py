"""How far each muscle group of a face moves, as another network saw it: taught beside the expressions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from mien.errors import DataError

BLENDSHAPES = 52
"""How many numbers a face has (the blendshapes of ARKit, which MediaPipe's face landmarker gives)."""


class BlendshapeHead(nn.Module):
    """A linear layer on the pooled features of the expression branch; only training has it.

    Args:
        pooled_size: length of the features.
    """

    def __init__(self, pooled_size: int) -> None:
        super().__init__()
        self.linear = nn.Linear(pooled_size, BLENDSHAPES)

    def loss(self, pooled: Tensor, targets: Tensor) -> Tensor:
        """The mean squared error of the rows whose targets are known, a scalar; 0 without any.

        Args:
            pooled: ``(N, pooled_size)``.
            targets: ``(N, BLENDSHAPES)``; a row with NaN is unknown.
        """
        known = ~targets.isnan().any(dim=1)
        errors = (self.linear(pooled[known]).float() - targets[known]).square()
        mean: Tensor = errors.sum() / max(1, errors.numel())
        return mean


def read_blendshapes(path: Path, names: Sequence[str]) -> Tensor:
    """The blendshapes of photos, float32 ``(N, BLENDSHAPES)``; NaN for photos that the file does not name.

    Args:
        path: an ``.npz`` file with ``names``, strings ``(M,)``, and ``values``, numbers ``(M, BLENDSHAPES)``.
        names: the photos' names (`mien.datasets.Sample.name`).

    Raises:
        DataError: the file is missing or of another form, or names none of the photos.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            known, values = [str(name) for name in file["names"]], np.asarray(file["values"], np.float32)
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise DataError(
            f"blendshapes {path} cannot be read ({error}); give an .npz file of names and values"
        ) from error
    if values.shape != (len(known), BLENDSHAPES):
        raise DataError(f"blendshapes {path} has values {values.shape} for {len(known)} names; give (N, {BLENDSHAPES})")
    row_of = {name: row for row, name in enumerate(known)}
    found = np.full((len(names), BLENDSHAPES), np.nan, np.float32)
    for position, name in enumerate(names):
        if name in row_of:
            found[position] = values[row_of[name]]
    if not row_of.keys() & set(names):
        raise DataError(f"blendshapes {path} names none of the photos; it should name them like {names[0]}")
    return torch.from_numpy(found)
