"""How good the network is on the photos kept for validation."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from mien.datasets import UNLABELLED, FacePixels, plain_view
from mien.evaluation import calibration_error, evaluate_expression, evaluate_verification
from mien.networks import EXPRESSION, IDENTITY, FaceNetwork
from mien.training.data import Source
from mien.training.devices import CPU, Device
from mien.training.recipe import Recipe

_BATCH = 200
_FOLDS = 5
_FARS = (1e-2, 1e-3)
_IMPOSTORS_PER_GENUINE = 200.0

Metrics = dict[str, float]


def validate(recipe: Recipe, network: FaceNetwork, sources: list[Source], device: Device = CPU) -> Metrics:
    """Figures of each source that keeps photos for validation, by ``<data set>/<figure>``.

    Expressions: ``expression_accuracy``, ``expression_balanced_accuracy`` (mean recall) and
    ``expression_calibration_error``, on the photos whose votes single out one expression. Identities:
    ``verification_accuracy`` and ``tar_at_far_...``. ``score``, the mean of what the recipe names, chooses the epoch.
    """
    metrics: Metrics = {}
    for source in sources:
        if source.validation is None:
            continue
        outputs = predict(network, source.validation, recipe.crop_size, device, _labelled(source.validation))
        name = source.recipe.data
        if EXPRESSION in outputs and recipe.tasks.expression and "expression" in source.recipe.learn:
            classes = [str(expression) for expression in recipe.tasks.expression.classes]
            figures = _expression_figures(outputs[EXPRESSION], source.validation, classes)
            metrics |= {f"{name}/{figure}": value for figure, value in figures.items()}
        if IDENTITY in outputs:
            figures = _verification_figures(outputs[IDENTITY], source.validation)
            metrics |= {f"{name}/{figure}": value for figure, value in figures.items()}
    chosen = [value for key, value in metrics.items() if {key, key.rpartition("/")[2]} & set(recipe.score)]
    if chosen:
        metrics["score"] = sum(chosen) / len(chosen)
    return metrics


def _expression_figures(logits: Tensor, photos: FacePixels, classes: list[str]) -> Metrics:
    labels = photos.unique_expression.cpu().numpy()
    if not (labels >= 0).any():
        return {}
    result = evaluate_expression(logits.numpy(), labels, classes, bootstrap=0)
    return {
        "expression_accuracy": result.accuracy,
        "expression_balanced_accuracy": result.macro_recall,
        "expression_calibration_error": calibration_error(logits.softmax(dim=1).numpy(), labels),
    }


def _verification_figures(embeddings: Tensor, photos: FacePixels) -> Metrics:
    identities = _of_several(photos)
    folds = _possible_folds(identities)
    if not folds:
        return {}
    embeddings = F.normalize(embeddings)  # as a model file returns them
    accuracy = evaluate_verification(embeddings.numpy(), identities, folds=folds, bootstrap=0).accuracy
    rates = evaluate_verification(
        embeddings.numpy(), identities, folds=1, fars=_FARS, impostors_per_genuine=_IMPOSTORS_PER_GENUINE, bootstrap=0
    )
    tars = zip(("tar_at_far_1e-2", "tar_at_far_1e-3"), rates.points, strict=True)
    return {"verification_accuracy": accuracy} | {name: point.tar for name, point in tars}


def _labelled(photos: FacePixels) -> list[str]:
    """The tasks that some photo is labelled for."""
    labels = {IDENTITY: photos.identity, EXPRESSION: photos.expression}
    return [task for task, numbers in labels.items() if (numbers != UNLABELLED).any()]


def _of_several(photos: FacePixels) -> NDArray[np.int64]:
    """Identities ``(N,)`` of people with two photos or more, of whom every fold can make pairs; -1 for all others."""
    people = photos.identity.cpu().numpy()
    _, inverse, counts = np.unique(people, return_inverse=True, return_counts=True)
    return np.where(counts[inverse] > 1, people, -1)


def _possible_folds(identities: NDArray[np.int64]) -> int:
    """Folds with at least two people each; 0 when there are none."""
    return min(_FOLDS, len(np.unique(identities[identities >= 0])) // 2)


@torch.no_grad()
def predict(
    network: FaceNetwork, photos: FacePixels, size: int, device: Device = CPU, tasks: Collection[str] | None = None
) -> dict[str, Tensor]:
    """The network's outputs for photos as they are, float32 ``(N, outputs)`` by task; in evaluation mode.

    Network and photos are on the device, the outputs on the CPU. Tasks that the network has no branch for are left out;
    None for ``tasks`` asks for all that it has.
    """
    training = network.training
    wanted = [task for task in network.branches if tasks is None or task in tasks]
    network.eval()
    parts: list[dict[str, Tensor]] = []
    for images in torch.split(photos.images, _BATCH):
        pixels = plain_view(images, size).contiguous(memory_format=torch.channels_last)
        with device.autocast():
            parts.append({task: output.float().cpu() for task, output in network(pixels, wanted).items()})
    network.train(training)
    return {task: torch.cat([part[task] for part in parts]) for task in wanted}
