"""One fold of a table as an experiment of the lab that compares weighting methods."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from mien.comparison import Curves, Plan, Run
from mien.comparison.experiment import Part
from mien.comparison.experiments.face_tasks import Cut, Faces, FacesBatch, FaceTasks, faces_network
from mien.datasets import UNLABELLED
from mien.evaluation import best_threshold
from mien.networks import EXPRESSION, IDENTITY
from mien.reproduction.folds import Fold
from mien.reproduction.material import Material
from mien.reproduction.setup import Setup
from mien.reproduction.table import PRETRAINED
from mien.reproduction.trials import ExpressionTrial, Trial
from mien.types import Expression

_CHUNK = 512


@dataclass(frozen=True)
class FoldExperiment(FaceTasks):
    """Train on a fold's training people; the fold's next people choose epochs and thresholds.

    Attributes:
        setup: network and budget.
        material: the data set; None when nothing is trained.
        fold: its people.
        other: where another data set is tested on: its photos and pairs.
    """

    name: ClassVar[str] = "fold"

    setup: Setup = field(default_factory=Setup)
    material: Material | None = None
    fold: Fold | None = None
    other: tuple[Material, Trial] | None = None
    _trials: dict[str, Trial] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def cut(self) -> Cut:
        """The setup's network."""
        return self.setup.cut

    def prepare(self) -> None:
        """Divide the frozen features by the fold's people. Photos of no class are not trained on, as in the paper."""
        if self.other is not None:
            photos, self._trials["test"] = self.other
            self._parts["test"] = _take(photos, photos.plain[None], list(range(len(photos.samples))))
        if self.material is None:
            self._classes.append(Expression.NEUTRAL)  # the expression branch of an untrained network is not asked
            self._parts["train"] = self._parts["test"]
            return
        assert self.fold is not None  # noqa: S101 -- for the type; a dataclass needs a default
        material, fold = self.material, self.fold
        self._classes.extend(material.selection.classes)
        rows = [row for row in material.rows(fold.train) if int(material.photos.expression[row]) != UNLABELLED]
        self._parts["train"] = _take(material, material.views, _at_most(rows, self.setup.photos))
        self._parts["validation"] = _take(material, material.plain[None], material.rows(fold.validation))
        self._trials["validation"] = trial_of(material, fold.validation)
        if self.other is None:
            self._parts["test"] = _take(material, material.plain[None], material.rows(fold.test))
            self._trials["test"] = trial_of(material, fold.test)

    def batches(self, generator: torch.Generator) -> Iterator[FacesBatch]:
        """As many batches as the setup says, through all photos again and again, each time in another order."""
        train = self._parts["train"]
        wanted = self.setup.steps * self.setup.batch_size
        rounds = -(-wanted // len(train.identity))
        order = torch.cat([torch.randperm(len(train.identity), generator=generator) for _ in range(rounds)])[:wanted]
        views = torch.randint(len(train.stem), (len(order),), generator=generator)
        for rows, chosen in zip(
            torch.split(order, self.setup.batch_size), torch.split(views, self.setup.batch_size), strict=True
        ):
            yield FacesBatch(train.stem[chosen, rows], train.identity[rows], train.expression[rows])

    def evaluate(self, network: nn.Module, part: Part, tasks: Collection[str]) -> dict[str, float]:
        """Accuracy of the expressions, and of the pairs by their protocol."""
        scores, embeddings = self._outputs(network, part, tasks)
        figures: dict[str, float] = {}
        if embeddings is not None:
            figures[IDENTITY] = self._trials[part].accuracy(self._distances(network, part, embeddings))
        labels = self._parts[part].expression.numpy()
        if scores is not None and (labels >= 0).any():
            figures[EXPRESSION] = float(np.mean(scores[labels >= 0].argmax(axis=1) == labels[labels >= 0]))
        return figures

    def answers(self, network: nn.Module, tasks: Collection[str]) -> dict[str, Any]:
        """What the test needs: probabilities of each photo, distances of the pairs, a threshold by validation."""
        kept: dict[str, Any] = {}
        scores, embeddings = self._outputs(network, "test", tasks)
        if scores is not None:
            kept["scores"] = np.round(scores, 5).tolist()
        if embeddings is not None:
            kept["distances"] = np.round(self._distances(network, "test", embeddings), 6).tolist()
            if "validation" in self._trials:
                kept["threshold"] = self._threshold(network)
        return kept

    def _threshold(self, network: nn.Module) -> float:
        embeddings = self._outputs(network, "validation", [IDENTITY])[1]
        assert embeddings is not None  # noqa: S101 -- identity was asked for
        return best_threshold(self._distances(network, "validation", embeddings), self._trials["validation"].same)

    def untrained(self) -> Run:
        """The network as it comes, which has no expression branch to speak of."""
        network = self.network(0).eval()
        with torch.no_grad():
            answers = self.answers(network, [IDENTITY])
        return Run(Plan(PRETRAINED, 0.0, 0), [], Curves([], {}, {}, []), 0.0, "", answers)

    def _distances(self, network: nn.Module, part: str, embeddings: np.ndarray) -> np.ndarray:
        return self._trials[part].distances(embeddings, unit_length=faces_network(network).face.unit_length)

    def _outputs(
        self, network: nn.Module, part: str, tasks: Collection[str]
    ) -> tuple[np.ndarray | None, np.ndarray | None]:
        """Probabilities ``(N, C)`` and embeddings ``(N, D)`` of a part's photos; None for what was not asked."""
        faces = faces_network(network)
        scores: list[Tensor] = []
        points: list[Tensor] = []
        for stem in torch.split(self._parts[part].stem[0], _CHUNK):
            shared = faces.shared(stem)
            if EXPRESSION in tasks:
                scores.append(faces.logits(shared).softmax(dim=1))
            if IDENTITY in tasks:
                points.append(faces.embeddings(shared))
        return (
            torch.cat(scores).numpy() if scores else None,
            torch.cat(points).numpy() if points else None,
        )


def trial_of(material: Material, people: Collection[str]) -> ExpressionTrial:
    """The photos of some people and their pairs."""
    samples = [material.samples[row] for row in material.rows(people)]
    return ExpressionTrial.of(samples, material.classes, neutral_answers=material.source.neutral_answers)


def _take(material: Material, stem: Tensor, rows: Sequence[int]) -> Faces:
    chosen = torch.tensor(rows, dtype=torch.int64)
    people = torch.unique(material.photos.identity[chosen], return_inverse=True)[1]
    return Faces(stem[:, chosen], people, material.photos.expression[chosen])


def _at_most(rows: Sequence[int], limit: int) -> list[int]:
    """Evenly spread, so that everybody is still there as far as possible."""
    step = len(rows) / limit if limit and len(rows) > limit else 1
    return [rows[int(k * step)] for k in range(int(len(rows) / step))]
