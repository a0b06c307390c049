"""From a recipe to the modules of a run."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import torch
from torch import nn

from mien.datasets import plain_view
from mien.networks import (
    EXPRESSION,
    IDENTITY,
    Backbone,
    FaceNetwork,
    find_dlib_resnet,
    read_dlib_resnet,
    resnet29,
    restore_batch_norm,
)
from mien.training.data import Source
from mien.training.recipe import Recipe
from mien.training.tasks import Task, build_tasks
from mien.weighting import TaskWeighting, build_weighting

_CALIBRATION_PHOTOS = 512
_CALIBRATION_BATCH = 64


class Parts(NamedTuple):
    """The modules of a run."""

    network: FaceNetwork
    tasks: nn.ModuleDict
    weighting: TaskWeighting
    feature_shape: torch.Size

    def named_tasks(self) -> dict[str, Task]:
        """The tasks with their type, which `nn.ModuleDict` forgets."""
        return {name: task for name, task in self.tasks.items() if isinstance(task, Task)}


def pretrained_backbone(recipe: Recipe) -> Backbone:
    """The backbone with the weights that the recipe starts from."""
    weights = recipe.network.weights
    return read_dlib_resnet(find_dlib_resnet() if weights == "dlib" else Path(weights))


def build_network(recipe: Recipe, backbone: Backbone) -> FaceNetwork:
    """Cut a backbone into the recipe's network; takes its stages over. No batch statistics are restored yet."""
    heads: dict[str, nn.Module] = {}
    if recipe.tasks.identity:
        heads[IDENTITY] = backbone.embedding
    if recipe.tasks.expression:
        classes = len(recipe.tasks.expression.classes)
        heads[EXPRESSION] = nn.Sequential(
            nn.Dropout(recipe.network.dropout), nn.Linear(backbone.embedding.in_features, classes)
        )
    settings = recipe.network
    return FaceNetwork(
        backbone,
        heads,
        split=settings.split,
        frozen=settings.frozen,
        ends={str(task): end for task, end in settings.ends.items()},
    )


def empty_network(recipe: Recipe) -> FaceNetwork:
    """The recipe's network in its final form with weights of no meaning, for a checkpoint to fill."""
    network = build_network(recipe, resnet29())
    with torch.no_grad():
        shared = network.features(torch.zeros(1, 3, recipe.crop_size, recipe.crop_size))
    for task in recipe.network.batch_norm:
        if task in network.branches:
            restore_batch_norm(network.branches[task], [shared])
    return network


def build(recipe: Recipe, sources: list[Source]) -> Parts:
    """Build everything that a run trains, the same for the same recipe and data.

    Batch statistics are taken from the first photos of the first source.
    """
    torch.manual_seed(recipe.seed)
    backbone = pretrained_backbone(recipe)
    tasks = build_tasks(recipe, backbone, sum(len(source.train.people) for source in sources))
    network = build_network(recipe, backbone)
    with torch.no_grad():
        images = torch.split(sources[0].train.images[:_CALIBRATION_PHOTOS], _CALIBRATION_BATCH)
        shared = [network.features(plain_view(batch, recipe.crop_size)) for batch in images]
    for task in recipe.network.batch_norm:
        if task in network.branches:
            restore_batch_norm(network.branches[task], shared)
    weighting = build_weighting(
        recipe.weighting.method, list(tasks), features=shared[0].shape[1:], weights=recipe.weighting.fixed
    )
    return Parts(network, tasks, weighting, shared[0].shape[1:])


def optimizer_groups(recipe: Recipe, parts: Parts) -> list[dict[str, object]]:
    """Optimiser groups: pretrained layers, new ones and the weight unit; decay for matrices and filters alone."""
    pretrained, new = list(parts.network.trunk.parameters()), list(parts.tasks.parameters())
    for task, branch in parts.network.branches.items():
        (new if task in recipe.network.batch_norm or task == EXPRESSION else pretrained).extend(branch.parameters())
    settings = recipe.optimizer
    groups: list[dict[str, object]] = []
    for parameters, lr in ((pretrained, settings.pretrained_lr), (new, settings.lr)):
        trained = [parameter for parameter in parameters if parameter.requires_grad]
        matrices = [parameter for parameter in trained if parameter.ndim > 1]
        vectors = [parameter for parameter in trained if parameter.ndim <= 1]
        for chosen, decay in ((matrices, settings.weight_decay), (vectors, 0.0)):
            groups.append({"params": chosen, "lr": lr, "peak_lr": lr, "weight_decay": decay})
    unit = list(parts.weighting.parameters())
    groups.append({"params": unit, "lr": recipe.weighting.unit_lr, "peak_lr": None, "weight_decay": 0.0})
    return [group for group in groups if group["params"]]
