"""What each task asks of the network: a branch's output and the labels, to one loss."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mien.datasets import UNLABELLED
from mien.networks import EXPRESSION, IDENTITY, Backbone, CenterLoss
from mien.training.recipe import ExpressionRecipe, IdentityRecipe, Recipe


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Photos of one step, as the frozen stem sees them.

    Attributes:
        stem: output of the stem, ``(N, C, H, W)``.
        identity: int64 ``(N,)``, -1 where unlabelled.
        expression: int64 ``(N,)``, -1 where unlabelled.
    """

    stem: Tensor
    identity: Tensor
    expression: Tensor


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
    """Cross-entropy over the expressions."""

    def __init__(self, recipe: ExpressionRecipe) -> None:
        super().__init__()
        self.smoothing = recipe.label_smoothing

    def loss(self, branch: nn.Module, shared: Tensor, batch: Batch) -> Tensor | None:
        """Mean over the labelled photos; the branch sees no others."""
        labelled = batch.expression != UNLABELLED
        if not labelled.any():
            return None
        logits = branch(shared[labelled]).float()
        return F.cross_entropy(logits, batch.expression[labelled], label_smoothing=self.smoothing)


class IdentityTask(Task):
    """Identity learned from a teacher's embeddings, from labels, or from both (the sum)."""

    def __init__(self, recipe: IdentityRecipe, backbone: Backbone, frozen: int, people: int) -> None:
        super().__init__()
        self.recipe = recipe
        self.teacher: nn.Module | None = None
        self.classifier: nn.Linear | None = None
        self._centered: tuple[Tensor, Tensor] | None = None
        if recipe.teacher:
            self.teacher = _Embedder(deepcopy(backbone.stages[frozen:]), deepcopy(backbone.embedding))
            self.teacher.requires_grad_(False).eval()
        if recipe.labels:
            self.classifier = nn.Linear(backbone.embedding.out_features, people)
            self.centers = CenterLoss(people, backbone.embedding.out_features)

    def loss(self, branch: nn.Module, shared: Tensor, batch: Batch) -> Tensor | None:
        """Sum of the teacher's loss and the labels' loss, as far as the recipe has them."""
        rows = self._rows(batch)
        if not len(rows):
            return None
        embeddings = branch(shared[rows]).float()
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
        distance: Tensor = (embeddings - target).square().sum(dim=1)
        return distance.mean() * self.recipe.teacher.scale

    def _label_loss(self, embeddings: Tensor, identity: Tensor) -> Tensor | None:
        """Softmax cross-entropy plus centre loss, as the paper trains its face branch."""
        labelled = identity != UNLABELLED
        if self.classifier is None or self.recipe.labels is None or not labelled.any():
            return None
        known, people = embeddings[labelled], identity[labelled]
        self._centered = (known.detach(), people)
        loss: Tensor = F.cross_entropy(self.classifier(known), people)
        loss = loss + self.recipe.labels.center * self.centers(known, people)
        return loss * self.recipe.labels.scale

    def after_step(self) -> None:
        """Move the centres of the people in the last batch."""
        if self._centered is not None:
            self.centers.update(*self._centered)
            self._centered = None


class _Embedder(nn.Module):
    """The upper stages of a backbone with its embedding."""

    def __init__(self, stages: Sequence[nn.Module] | nn.ModuleList, embedding: nn.Module) -> None:
        super().__init__()
        self.stages = nn.Sequential(*stages)
        self.embedding = embedding

    def forward(self, stem: Tensor) -> Tensor:
        embedding: Tensor = self.embedding(self.stages(stem).mean(dim=(2, 3)))
        return embedding


def build_tasks(recipe: Recipe, backbone: Backbone, people: int) -> nn.ModuleDict:
    """The recipe's tasks by name, before the backbone is cut up; ``people`` is the number of identities."""
    tasks: dict[str, Task] = {}
    if recipe.tasks.identity:
        tasks[IDENTITY] = IdentityTask(recipe.tasks.identity, backbone, recipe.network.frozen, people)
    if recipe.tasks.expression:
        tasks[EXPRESSION] = ExpressionTask(recipe.tasks.expression)
    return nn.ModuleDict(tasks)
