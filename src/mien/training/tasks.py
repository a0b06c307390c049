"""What each task asks of the network: a branch's output and the labels, to one loss."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mien.datasets import UNLABELLED, most_voted
from mien.networks import (
    EXPRESSION,
    IDENTITY,
    ArcFaceLoss,
    Backbone,
    Branch,
    CenterLoss,
    CosFaceLoss,
    MarginLoss,
    fold_affines,
)
from mien.training.blendshapes import BlendshapeHead
from mien.training.recipe import ExpressionRecipe, IdentityRecipe, Recipe

Teacher = Callable[[Tensor], Tensor]

_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Photos of one step.

    Attributes:
        pixels: the views, RGB ``(N, 3, S, S)`` of 0 to 255; None where no teacher looks at them.
        stem: output of the stem, ``(N, C, H, W)``.
        identity: int64 ``(N,)``, -1 where unlabelled.
        shares: of the expressions, float32 ``(N, K)``; zeros where unlabelled.
        weights: how much each expression of each photo counts in the loss, float32 ``(N, K)``.
        blendshapes: float32 ``(N, BLENDSHAPES)``, rows of NaN where unknown; None where they are not taught.
    """

    pixels: Tensor | None
    stem: Tensor
    identity: Tensor
    shares: Tensor
    weights: Tensor
    blendshapes: Tensor | None = None

    @property
    def expression(self) -> Tensor:
        """int64 ``(N,)``: the expression with the largest share, -1 where unlabelled."""
        return most_voted(self.shares)


class Task(nn.Module, ABC):
    """A task of the network; holds what only training needs."""

    @abstractmethod
    def loss(self, branch: nn.Module, shared: Tensor, batch: Batch) -> Tensor | None:
        """The mean loss of a batch, a float32 scalar; None when nothing in the batch is labelled.

        Args:
            branch: the network's branch of this task.
            shared: shared features ``(N, C, H, W)``, attached.
            batch: the photos and labels.
        """

    def after_step(self) -> None:
        """Update what is not learned by gradients."""


class ExpressionTask(Task):
    """Cross-entropy with the shares of the expressions, of faces as they are or of mixtures of two.

    Args:
        recipe: what the recipe says about it.
        teacher: from pixels to probabilities ``(N, C)``, where the recipe wants one.

    Attributes:
        blendshapes: a second head beside the branch's, where the recipe wants one; given once the network is there.
    """

    blendshapes: BlendshapeHead | None

    def __init__(self, recipe: ExpressionRecipe, teacher: Teacher | None = None) -> None:
        super().__init__()
        self.recipe = recipe
        self.teacher = teacher
        self.blendshapes = None

    def loss(self, branch: nn.Module, shared: Tensor, batch: Batch) -> Tensor | None:
        """Mean over the labelled photos, each with its weights; the branch sees no others."""
        labelled = batch.expression != UNLABELLED
        if not labelled.any():
            return None
        features, targets = shared[labelled], self._targets(batch, labelled)
        shapes = None if batch.blendshapes is None else batch.blendshapes[labelled]
        if self.recipe.mixup:
            alpha = targets.new_full((len(targets), 1), self.recipe.mixup)
            share = torch.distributions.Beta(alpha, alpha).sample()
            other = torch.randperm(len(targets), device=targets.device)
            features = torch.lerp(features[other], features, share[..., None, None].to(features.dtype))
            targets = torch.lerp(targets[other], targets, share)
            shapes = None if shapes is None else torch.lerp(shapes[other], shapes, share)
        if self.blendshapes is None or shapes is None:
            return F.cross_entropy(_answer(branch, features), targets)
        assert isinstance(branch, Branch)  # noqa: S101 -- nn.ModuleDict forgets the type
        pooled = _answer(branch, features, branch.pooled)
        loss = F.cross_entropy(branch.head(pooled).float(), targets)
        return loss + self.recipe.blendshapes * self.blendshapes.loss(pooled, shapes)

    def _targets(self, batch: Batch, labelled: Tensor) -> Tensor:
        """What the labels or votes say, and the teacher, smoothed and times the weights, ``(N, K)``."""
        targets = batch.shares[labelled]
        if self.teacher is not None and batch.pixels is not None:
            targets = torch.lerp(targets, self.teacher(batch.pixels[labelled]), self.recipe.taught)
        smoothed = torch.lerp(targets, torch.full_like(targets, 1 / targets.shape[1]), self.recipe.label_smoothing)
        return smoothed * batch.weights[labelled]


class IdentityTask(Task):
    """Identity learned from a teacher's embeddings, from labels, or from both (the sum)."""

    def __init__(self, recipe: IdentityRecipe, backbone: Backbone, frozen: int, people: int) -> None:
        super().__init__()
        self.recipe = recipe
        self.unit_length = backbone.unit_length
        self.teacher: nn.Module | None = None
        self.classifier: _Softmax | MarginLoss | None = None
        self._centered: tuple[Tensor, Tensor] | None = None
        if recipe.teacher:
            self.teacher = fold_affines(_Embedder(backbone, frozen)).eval()
        if recipe.labels:
            self.classifier = _CLASSIFIERS[recipe.labels.loss](people, backbone.embedding_size)
            self.centers = CenterLoss(people, backbone.embedding_size)

    def loss(self, branch: nn.Module, shared: Tensor, batch: Batch) -> Tensor | None:
        """Sum of the teacher's loss and the labels' loss, as far as the recipe has them."""
        rows = self._rows(batch)
        if not len(rows):
            return None
        embeddings = _answer(branch, shared[rows])
        parts = [self._teacher_loss(embeddings, batch.stem[rows]), self._label_loss(embeddings, batch.identity[rows])]
        present = [part for part in parts if part is not None]
        return torch.stack(present).sum() if present else None

    def _rows(self, batch: Batch) -> Tensor:
        """The photos that teach identity: a teacher needs no labels."""
        labelled = (batch.identity != UNLABELLED) & (self.classifier is not None)
        if self.recipe.teacher is None:
            return labelled.nonzero()[:, 0]
        count = self.recipe.teacher.rows or len(batch.identity)
        order = torch.cat([labelled.nonzero()[:, 0], (~labelled).nonzero()[:, 0].flip(0)])
        return order[: max(count, int(labelled.sum()))]

    def _teacher_loss(self, embeddings: Tensor, stem: Tensor) -> Tensor | None:
        """Mean squared Euclidean distance to the embedding that the teacher gives to the same view."""
        if self.teacher is None or self.recipe.teacher is None:
            return None
        with torch.no_grad():
            target = self.teacher(stem).float()
        distance: Tensor = (self._compared(embeddings) - self._compared(target)).square().sum(dim=1)
        return distance.mean() * self.recipe.teacher.scale

    def _label_loss(self, embeddings: Tensor, identity: Tensor) -> Tensor | None:
        """Softmax, with or without a margin, plus centre loss; the paper trains its face branch without."""
        labelled = identity != UNLABELLED
        if self.classifier is None or self.recipe.labels is None or not labelled.any():
            return None
        known, people = embeddings[labelled], identity[labelled]
        compared = self._compared(known)
        self._centered = (compared.detach(), people)
        loss: Tensor = self.classifier(known, people)
        loss = loss + self.recipe.labels.center * self.centers(compared, people)
        return loss * self.recipe.labels.scale

    def _compared(self, features: Tensor) -> Tensor:
        """The branch's features as faces are compared by them; the classifier alone sees their length."""
        return F.normalize(features) if self.unit_length else features

    def after_step(self) -> None:
        """Move the centres of the people in the last batch."""
        if self._centered is not None:
            self.centers.update(*self._centered)
            self._centered = None


def _answer(branch: nn.Module, features: Tensor, part: Callable[[Tensor], Tensor] | None = None) -> Tensor:
    """The output of the branch, or of a part of it, float32.

    A single face, which has no statistics, is normalised by the running ones.
    """
    norms = [] if len(features) > 1 else [m for m in branch.modules() if isinstance(m, _NORMS) and m.training]
    for norm in norms:
        norm.eval()
    try:
        output = (part or branch)(features).float()
    finally:
        for norm in norms:
            norm.train()
    return output


class _Softmax(nn.Module):
    """A linear classifier over people and its cross-entropy."""

    def __init__(self, classes: int, size: int) -> None:
        super().__init__()
        self.linear = nn.Linear(size, classes)

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        return F.cross_entropy(self.linear(embeddings), labels)


_CLASSIFIERS: dict[str, Callable[[int, int], _Softmax | MarginLoss]] = {
    "softmax": _Softmax,
    "arcface": ArcFaceLoss,
    "cosface": CosFaceLoss,
}


class _Embedder(nn.Module):
    """The upper stages of a backbone with its embedding."""

    def __init__(self, backbone: Backbone, frozen: int) -> None:
        super().__init__()
        self.stages = nn.Sequential(*backbone.stages[frozen:])
        self.pool = backbone.pool
        self.embedding = backbone.embedding

    def forward(self, stem: Tensor) -> Tensor:
        embedding: Tensor = self.embedding(self.pool(self.stages(stem)))
        return embedding


def build_tasks(recipe: Recipe, backbone: Backbone, people: int, teacher: Teacher | None = None) -> nn.ModuleDict:
    """The recipe's tasks by name, before the backbone is cut up.

    Args:
        recipe: the recipe.
        backbone: it is left as it is.
        people: the number of identities.
        teacher: of expressions, see `ExpressionTask`.
    """
    tasks: dict[str, Task] = {}
    if recipe.tasks.identity:
        tasks[IDENTITY] = IdentityTask(recipe.tasks.identity, backbone, recipe.network.frozen, people)
    if recipe.tasks.expression:
        tasks[EXPRESSION] = ExpressionTask(recipe.tasks.expression, teacher)
    return nn.ModuleDict(tasks)
