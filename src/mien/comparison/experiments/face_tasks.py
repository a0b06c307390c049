"""Identity and expression as two tasks: branches above a frozen, cached stem and a trainable shared stage."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mien.comparison.experiment import Experiment, Figure
from mien.datasets import UNLABELLED, Augmentation, plain_view
from mien.networks import (
    BACKBONES,
    EXPRESSION,
    IDENTITY,
    Backbone,
    CenterLoss,
    FaceNetwork,
    fold_affines,
    load_backbone,
    restore_batch_norm,
)
from mien.types import Expression

CENTER_FACTOR = 0.1
"""Of the centre loss beside the softmax, as in the paper's command."""

DROPOUT = 0.5
"""In the expression branch, as in the paper's command."""

NEW_LAYERS = 30.0
"""Factor of the learning rate of new layers and of the expression branch, which has batch statistics. Pretrained layers
with nothing but a scale and a shift forget at once what they know when they take steps of that size."""

AUGMENTATION = Augmentation(flip=0.5, rotation=8, scale=0.1, shift=0.08, contrast=0.2, brightness=0.1)
_STEM_BATCH = 128


@dataclass(frozen=True, slots=True)
class Cut:
    """Where a backbone is cut: one trainable stage is shared between the cached ones and the branches.

    Attributes:
        backbone: a name from `mien.networks.BACKBONES`.
        weights: which it starts from.
        frozen: so many stages are cached.
        split: so many are shared.
    """

    backbone: str
    weights: str
    frozen: int
    split: int

    def load(self) -> Backbone:
        """The pretrained network.

        Raises:
            ModelError: its weights are not there.
        """
        return load_backbone(self.backbone, self.weights)


class Faces(NamedTuple):
    """The stem's output ``(V, N, C, H, W)`` for V views of N photos, and their labels ``(N,)``, -1 for none."""

    stem: Tensor
    identity: Tensor
    expression: Tensor


class FacesBatch(NamedTuple):
    """One view of some photos: the stem's output ``(N, C, H, W)`` and labels ``(N,)``."""

    stem: Tensor
    identity: Tensor
    expression: Tensor


class FacesNetwork(nn.Module):
    """The two-task network with what only training needs: the classifier over people and their centres."""

    def __init__(self, face: FaceNetwork, people: int) -> None:
        super().__init__()
        self.face = face
        self.classifier = nn.Linear(face.embedding_size, people)
        self.centers = CenterLoss(people, face.embedding_size)
        self.centered: tuple[Tensor, Tensor] | None = None

    def shared(self, stem: Tensor) -> Tensor:
        """From the stem's output to what all branches read."""
        shared: Tensor = self.face.trunk(stem.contiguous(memory_format=torch.channels_last))
        return shared

    def embeddings(self, shared: Tensor) -> Tensor:
        """``(N, D)`` to be compared by Euclidean distance; of length 1 where the backbone's are."""
        features: Tensor = self.face.branches[IDENTITY](shared)
        return self._compared(features)

    def logits(self, shared: Tensor) -> Tensor:
        """``(N, C)`` of the expressions."""
        logits: Tensor = self.face.branches[EXPRESSION](shared)
        return logits

    def identity_loss(self, shared: Tensor, identity: Tensor) -> Tensor:
        """Softmax cross-entropy plus `CENTER_FACTOR` times the centre loss, as the paper trains its face branch."""
        features = self.face.branches[IDENTITY](shared)
        compared = self._compared(features)
        self.centered = compared.detach(), identity
        centered: Tensor = self.centers(compared, identity)
        return F.cross_entropy(self.classifier(features), identity) + CENTER_FACTOR * centered

    def _compared(self, features: Tensor) -> Tensor:
        return F.normalize(features) if self.face.unit_length else features


@dataclass(frozen=True)
class FaceTasks(Experiment):
    """Identity by softmax and centre loss on labels, as in the paper, and expression by softmax.

    The stages below the cut are frozen; their output is computed once. The next one is shared and trained, the others
    are each branch's own.

    Attributes:
        batch_size: photos a batch.
    """

    tasks: ClassVar[Mapping[str, str | Figure]] = {IDENTITY: "verification accuracy", EXPRESSION: "accuracy"}

    batch_size: int = 64
    _parts: dict[str, Faces] = field(default_factory=dict, init=False, repr=False, compare=False)
    _classes: list[Expression] = field(default_factory=list, init=False, repr=False, compare=False)
    _shape: list[int] = field(default_factory=list, init=False, repr=False, compare=False)

    @property
    @abstractmethod
    def cut(self) -> Cut:
        """The backbone and where it is cut."""

    def network(self, seed: int) -> nn.Module:
        """The pretrained stages with new heads; the expression branch has its batch normalisation restored."""
        backbone = self.cut.load()
        head = BACKBONES[self.cut.backbone].expression_head(backbone.pooled_size, len(self._classes), DROPOUT)
        face = FaceNetwork(
            backbone,
            {IDENTITY: backbone.embedding, EXPRESSION: head},
            split=self.cut.split,
            frozen=self.cut.frozen,
            batch_norm=[EXPRESSION],
        )
        train = self._parts["train"]
        with torch.no_grad():
            shared = face.trunk(train.stem[0, :512])
            restore_batch_norm(face.branches[EXPRESSION], [shared])
        self._shape[:] = shared.shape[1:]
        network = FacesNetwork(face, int(train.identity.max()) + 1)
        return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]

    def features(self) -> Sequence[int]:
        """Shape of the shared features, once a network was made."""
        return tuple(self._shape)

    def shared_parameters(self, network: nn.Module) -> list[nn.Parameter]:
        """The shared stage's."""
        return list(faces_network(network).face.trunk.parameters())

    def parameter_groups(self, network: nn.Module, rate: float) -> list[dict[str, Any]]:
        """Pretrained layers at the rate, others at `NEW_LAYERS` times it."""
        faces = faces_network(network)
        branches = dict(faces.face.branches.items())
        pretrained = [*faces.face.trunk.parameters(), *branches[IDENTITY].parameters()]
        new = [*faces.classifier.parameters(), *branches[EXPRESSION].parameters()]
        return [{"params": pretrained, "lr": rate}, {"params": new, "lr": NEW_LAYERS * rate}]

    def batches(self, generator: torch.Generator) -> Iterator[FacesBatch]:
        """Every photo once, each in one of its views."""
        train = self._parts["train"]
        order = torch.randperm(len(train.identity), generator=generator)
        views = torch.randint(len(train.stem), (len(order),), generator=generator)
        for rows in torch.split(order, self.batch_size)[: len(order) // self.batch_size]:
            yield FacesBatch(train.stem[views[rows], rows], train.identity[rows], train.expression[rows])

    def losses(self, network: nn.Module, batch: FacesBatch, tasks: Collection[str]) -> tuple[dict[str, Tensor], Tensor]:
        """The paper's two losses, each over the photos that have its label."""
        faces = faces_network(network)
        shared = faces.shared(batch.stem)
        losses: dict[str, Tensor] = {}
        known, shown = batch.identity != UNLABELLED, batch.expression != UNLABELLED
        if IDENTITY in tasks and known.any():
            losses[IDENTITY] = faces.identity_loss(shared[known], batch.identity[known])
        if EXPRESSION in tasks and shown.any():
            losses[EXPRESSION] = F.cross_entropy(faces.logits(shared[shown]), batch.expression[shown])
        return losses, shared

    def after_step(self, network: nn.Module) -> None:
        """Move the centres of the people in the batch."""
        faces = faces_network(network)
        if faces.centered is not None:
            faces.centers.update(*faces.centered)
            faces.centered = None


def faces_network(network: nn.Module) -> FacesNetwork:
    """What `FaceTasks.network` made."""
    assert isinstance(network, FacesNetwork)  # noqa: S101 -- narrows the type
    return network


def make_stem(cut: Cut) -> tuple[nn.Module, int]:
    """The frozen stages behind the normalisation, and the size of their crops."""
    backbone = cut.load()
    stem = fold_affines(nn.Sequential(backbone.normalize, *backbone.stages[: cut.frozen]))
    return stem.eval(), backbone.crop_size


@torch.no_grad()
def stem_views(
    images: Tensor, stem: nn.Module, size: int, views: int = 0, report: Callable[[int], object] = lambda _: None
) -> Tensor:
    """The stem's output ``(V, N, C, H, W)``: of random views of each photo, or of each as it is when ``views`` is 0.

    Args:
        images: uint8 ``(N, C, S, S)``.
        stem: see `make_stem`.
        size: side of the views in pixels.
        views: how many, V.
        report: called with the number of photos of each batch that is done.
    """
    generator = torch.Generator().manual_seed(0)

    def plain(part: Tensor) -> Tensor:
        return plain_view(part, size)

    def random(part: Tensor) -> Tensor:
        return AUGMENTATION(part, size, generator)

    def outputs(view: Callable[[Tensor], Tensor]) -> Tensor:
        made = []
        for part in torch.split(images, _STEM_BATCH):
            made.append(stem(view(part).contiguous(memory_format=torch.channels_last)))
            report(len(part))
        return torch.cat(made)

    return torch.stack([outputs(random) for _ in range(views)] or [outputs(plain)])
