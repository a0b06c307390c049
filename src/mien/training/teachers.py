"""Earlier runs as teachers of expressions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from mien.errors import CheckpointError, RecipeError
from mien.networks import EXPRESSION, FaceNetwork, fold_affines
from mien.training.export import load_trained
from mien.training.recipe import Recipe
from mien.training.tasks import Teacher


def load_teacher(recipe: Recipe, paths: Sequence[Path], device: torch.device | None = None) -> Teacher | None:
    """Make a teacher of earlier runs, or None where the recipe wants none.

    It maps RGB pixels ``(N, 3, S, S)`` of 0 to 255 to the mean of the runs' probabilities ``(N, C)``. Each run sees the
    pixels at the size that it was trained with.

    Args:
        recipe: what is to be trained.
        paths: files ``best.pt``.
        device: where the pixels will be; the CPU by default.

    Raises:
        RecipeError: the recipe wants a teacher and there is none, or the other way round.
        CheckpointError: a file is missing or damaged, or knows other expressions.
    """
    expression = recipe.tasks.expression
    if expression is None or not expression.taught:
        if paths:
            raise RecipeError(f"recipe {recipe.name} has no use for teachers; --set tasks.expression.taught=0.5")
        return None
    if not paths:
        raise RecipeError(f"recipe {recipe.name} learns expressions from earlier runs; give --teacher CHECKPOINT")
    networks: list[tuple[FaceNetwork, int]] = []
    for path in paths:
        earlier, network = load_trained(path)
        if earlier.tasks.expression is None or earlier.tasks.expression.classes != expression.classes:
            raise CheckpointError(f"{path} cannot teach recipe {recipe.name}: it does not know the same expressions")
        folded = fold_affines(network).eval().to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        networks.append((folded, earlier.crop_size))

    @torch.no_grad()
    def teach(pixels: Tensor) -> Tensor:
        opinions = [_expressions(network, pixels, size) for network, size in networks]
        return torch.stack(opinions).mean(dim=0)

    return teach


def _expressions(network: FaceNetwork, pixels: Tensor, size: int) -> Tensor:
    if pixels.shape[-1] != size:
        pixels = F.interpolate(pixels, size=(size, size), mode="bilinear", antialias=True)
    shared = network.features(pixels.contiguous(memory_format=torch.channels_last))
    probabilities: Tensor = network.branches[EXPRESSION](shared).float().softmax(dim=1)
    return probabilities
