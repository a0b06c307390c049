"""How good the network is on the photos kept for validation."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mien.datasets import FacePixels, plain_view
from mien.evaluation import evaluate_expression, evaluate_verification
from mien.networks import EXPRESSION, IDENTITY, FaceNetwork
from mien.training.data import Source
from mien.training.devices import CPU, Device
from mien.training.recipe import Recipe

_BATCH = 200
_FOLDS = 5

Metrics = dict[str, float]


def validate(recipe: Recipe, network: FaceNetwork, sources: list[Source], device: Device = CPU) -> Metrics:
    """Expression accuracy and balanced accuracy, and verification accuracy, of each source that keeps photos for it.

    Keys are ``<data set>/<figure>``. ``score`` is what the best epoch is chosen by: the mean of the figures that are
    named ``expression_accuracy`` and ``verification_accuracy``.
    """
    metrics: Metrics = {}
    for source in sources:
        if source.validation is None:
            continue
        outputs = predict(network, source.validation, recipe.crop_size, device)
        name = source.recipe.data
        if EXPRESSION in outputs and recipe.tasks.expression and "expression" in source.recipe.learn:
            names = [str(expression) for expression in recipe.tasks.expression.classes]
            labels = source.validation.expression.cpu().numpy()
            if (labels >= 0).any():
                result = evaluate_expression(outputs[EXPRESSION].numpy(), labels, names, bootstrap=0)
                metrics[f"{name}/expression_accuracy"] = result.accuracy
                metrics[f"{name}/expression_balanced_accuracy"] = result.macro_recall
        if IDENTITY in outputs and (folds := _possible_folds(identities := _of_several(source.validation))):
            verification = evaluate_verification(outputs[IDENTITY].numpy(), identities, folds=folds, bootstrap=0)
            metrics[f"{name}/verification_accuracy"] = verification.accuracy
            metrics[f"{name}/tar_at_far_1e-2"] = verification.points[0].tar
    chosen = [
        value for key, value in metrics.items() if key.endswith(("/expression_accuracy", "/verification_accuracy"))
    ]
    if chosen:
        metrics["score"] = sum(chosen) / len(chosen)
    return metrics


def _of_several(photos: FacePixels) -> NDArray[np.int64]:
    """Identities ``(N,)`` of people with two photos or more, of whom every fold can make pairs; -1 for all others."""
    people = photos.identity.cpu().numpy()
    _, inverse, counts = np.unique(people, return_inverse=True, return_counts=True)
    return np.where(counts[inverse] > 1, people, -1)


def _possible_folds(identities: NDArray[np.int64]) -> int:
    """Folds with at least two people each; 0 when there are none."""
    return min(_FOLDS, len(np.unique(identities[identities >= 0])) // 2)


@torch.no_grad()
def predict(network: FaceNetwork, photos: FacePixels, size: int, device: Device = CPU) -> dict[str, Tensor]:
    """The network's outputs for photos as they are, float32 ``(N, outputs)`` by task; in evaluation mode.

    Network and photos are on the device, the outputs on the CPU.
    """
    training = network.training
    network.eval()
    parts: list[dict[str, Tensor]] = []
    for images in torch.split(photos.images, _BATCH):
        pixels = plain_view(images, size).contiguous(memory_format=torch.channels_last)
        with device.autocast():
            parts.append({task: output.float().cpu() for task, output in network(pixels).items()})
    network.train(training)
    return {task: torch.cat([part[task] for part in parts]) for task in parts[0]}
