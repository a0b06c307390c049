"""From a recipe to the modules of a run."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from mien.datasets import plain_view
from mien.errors import CheckpointError, RecipeError
from mien.networks import (
    BACKBONES,
    EXPRESSION,
    IDENTITY,
    RANDOM,
    Backbone,
    Branch,
    FaceNetwork,
    estimate_statistics,
    expression_layers,
    load_backbone,
    restore_batch_norm,
)
from mien.training.blendshapes import BlendshapeHead
from mien.training.checkpoint import load_checkpoint, recipe_of
from mien.training.data import Source
from mien.training.recipe import Recipe
from mien.training.tasks import ExpressionTask, Task, Teacher, build_tasks
from mien.weighting import TaskWeighting, build_weighting

_CALIBRATION_PHOTOS = 512
_CALIBRATION_BATCH = 64


class Parts(NamedTuple):
    """The modules of a run."""

    network: FaceNetwork
    tasks: nn.ModuleDict
    weighting: TaskWeighting

    def named_tasks(self) -> dict[str, Task]:
        """The tasks with their type, which `nn.ModuleDict` forgets."""
        return {name: task for name, task in self.tasks.items() if isinstance(task, Task)}


def pretrained_backbone(recipe: Recipe) -> Backbone:
    """The backbone with the weights that the recipe starts from."""
    return load_backbone(recipe.network.backbone, recipe.network.weights)


def build_network(recipe: Recipe, backbone: Backbone) -> FaceNetwork:
    """Cut a backbone into the recipe's network; takes its stages over. No batch statistics are restored yet.

    Raises:
        RecipeError: the stages that the recipe names make no network, or its crops do not fit the backbone.
    """
    settings = recipe.network
    _check_crops(recipe, backbone)
    stages = {str(task): numbers for task, numbers in settings.stages.items()}
    heads: dict[str, nn.Module] = {}
    pools: dict[str, nn.Module] = {}
    if recipe.tasks.identity:
        heads[IDENTITY] = backbone.embedding
    try:
        if recipe.tasks.expression:
            pools[EXPRESSION], heads[EXPRESSION] = expression_layers(
                settings.backbone,
                backbone,
                stages.get(EXPRESSION, range(settings.split, len(backbone.stages))),
                len(recipe.tasks.expression.classes),
                settings.dropout,
            )
        return FaceNetwork(
            backbone,
            heads,
            pools=pools,
            split=settings.split,
            frozen=settings.frozen,
            stages=stages,
            grids={str(task): side for task, side in settings.grids.items()},
            batch_norm=settings.batch_norm,
        )
    except ValueError as error:
        raise RecipeError(f"recipe {recipe.name} asks for a network that cannot be: {error}") from error


def _check_crops(recipe: Recipe, backbone: Backbone) -> None:
    size = backbone.crop_size
    if backbone.one_size and recipe.crop_size != size:
        raise RecipeError(
            f"backbone {recipe.network.backbone} takes crops of {size} pixels alone; set crop_size to {size}"
        )


def empty_network(recipe: Recipe) -> FaceNetwork:
    """The recipe's network in its final form with weights of no meaning, for a checkpoint to fill."""
    network = build_network(recipe, BACKBONES[recipe.network.backbone].build())
    with torch.no_grad():
        shared = network.features(torch.zeros(1, 3, recipe.crop_size, recipe.crop_size))
    for task in recipe.network.batch_norm:
        if task in network.branches:
            restore_batch_norm(network.branches[task], [shared])
    return network


def build(recipe: Recipe, sources: list[Source], teacher: Teacher | None = None) -> Parts:
    """Build everything that a run trains, the same for the same recipe and data.

    Batch statistics are taken from the first photos of the first source, where weights come without.

    Args:
        recipe: the recipe.
        sources: its data.
        teacher: of expressions, see `mien.training.tasks.ExpressionTask`.
    """
    torch.manual_seed(recipe.seed)
    backbone = pretrained_backbone(recipe)
    _check_crops(recipe, backbone)
    if recipe.network.weights == RANDOM:
        estimate_statistics(backbone, _first_photos(recipe, sources))
    tasks = build_tasks(recipe, backbone, sum(len(source.train.people) for source in sources), teacher)
    network = build_network(recipe, backbone)
    with torch.no_grad():
        shared = [network.features(pixels) for pixels in _first_photos(recipe, sources)]
    for task in recipe.network.batch_norm:
        if task in network.branches:
            restore_batch_norm(network.branches[task], shared)
    for part in tasks.values():
        if isinstance(part, ExpressionTask) and part.recipe.blendshapes:
            part.blendshapes = BlendshapeHead(_pooled_size(network, shared[0][:1]))
    weighting = build_weighting(
        recipe.weighting.method,
        list(tasks),
        features=shared[0].shape[1:],
        weights=recipe.weighting.fixed,
        shared_parameters=[parameter for parameter in network.trunk.parameters() if parameter.requires_grad],
    )
    return Parts(network, tasks, weighting)


@torch.no_grad()
def _pooled_size(network: FaceNetwork, shared: Tensor) -> int:
    """Length of the features that the head of the expression branch reads."""
    branch = deepcopy(network.branches[EXPRESSION]).eval()
    assert isinstance(branch, Branch)  # noqa: S101 -- nn.ModuleDict forgets the type
    return branch.pooled(shared).shape[1]


def take_over(network: FaceNetwork, path: Path) -> None:
    """Give a network the weights that an earlier run found, of the branches that this had.

    Where either run cut between frozen and trained stages does not matter.

    Raises:
        CheckpointError: the checkpoint is missing or damaged, or has weights that do not fit.
    """
    own = {_by_stage(name, len(network.stem)): value for name, value in network.state_dict(keep_vars=True).items()}
    state = load_checkpoint(path)
    frozen = recipe_of(state, path).network.frozen
    with torch.no_grad():
        for name, value in state["network"].items():
            target = own.get(_by_stage(name, frozen))
            if target is None or target.shape != value.shape:
                raise CheckpointError(f"checkpoint {path} does not fit the recipe: there is no place for its {name}")
            target.copy_(value)


def _by_stage(name: str, frozen: int) -> str:
    """A weight's name with the number of its stage, whether the stage is frozen or not."""
    part, _, rest = name.partition(".")
    if part not in ("stem", "trunk"):
        return name
    number, _, rest = rest.partition(".")
    return f"{int(number) + (frozen if part == 'trunk' else 0)}.{rest}"


def _first_photos(recipe: Recipe, sources: list[Source]) -> Iterator[Tensor]:
    """Batches of the first source's first photos, RGB ``(N, 3, S, S)`` of 0 to 255."""
    for batch in torch.split(sources[0].train.images[:_CALIBRATION_PHOTOS], _CALIBRATION_BATCH):
        yield plain_view(batch, recipe.crop_size)


def optimizer_groups(recipe: Recipe, parts: Parts) -> list[dict[str, object]]:
    """Groups of pretrained layers, new ones and the weighting method's own; decay for matrices and filters alone."""
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
    rate = recipe.weighting.lr or parts.weighting.learning_rate or settings.lr
    own = list(parts.weighting.parameters())
    groups.append({"params": own, "lr": rate, "peak_lr": None, "weight_decay": 0.0})
    return [group for group in groups if group["params"]]
