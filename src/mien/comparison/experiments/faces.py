"""Identity and expression of real faces, on lfw-expressions."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from torch import nn

from mien.comparison.experiment import Figure, Part
from mien.comparison.experiments.face_tasks import Cut, Faces, FaceTasks, faces_network, make_stem, stem_views
from mien.datasets import READERS, SampleSet, decode, drop_repeats, split_by_person
from mien.errors import DataError
from mien.evaluation import evaluate_expression, evaluate_verification
from mien.networks import EXPRESSION, IDENTITY
from mien.types import Expression

CUT = Cut("resnet29", "dlib", frozen=13, split=14)

LEAST_PHOTOS = 30
"""Expressions with fewer photos are left out."""


@dataclass(frozen=True)
class FacesExperiment(FaceTasks):
    """Verification of unseen people and expression recognition, trained on lfw-expressions from dlib's face ResNet.

    People with fewer than two photos are left out, and so are classes with fewer than 30 photos. The people are
    divided into 70 % for training and 15 % each for validation and test, the same way for every seed. All
    stages but the last two are frozen; their output is computed once, for ``views`` random views of each training
    photo. Figures: verification accuracy over folds, and the mean of the expressions' recalls.

    Attributes:
        data: the folder of lfw-expressions with aligned crops (``mien align``), or another folder with ``labels.csv``.
        views: of each training photo.
        batch_size: photos a batch.
    """

    name: ClassVar[str] = "faces"
    tasks: ClassVar[Mapping[str, str | Figure]] = {
        IDENTITY: "verification accuracy of unseen people",
        EXPRESSION: "mean recall of the expressions",
    }

    epochs: int = 3
    learning_rates: tuple[float, ...] = (3e-6, 1e-5, 3e-5)
    data: Path | None = None
    views: int = 3
    batch_size: int = 64
    _photos: list[tuple[str, tuple[int, int]]] = field(default_factory=list, init=False, repr=False, compare=False)

    @property
    def cut(self) -> Cut:
        """The network of dlib; its stage 13, the last but one, is shared and trained."""
        return CUT

    def prepare(self) -> None:
        """Read and divide the photos, and compute the frozen stem.

        Raises:
            DataError: there is no such folder, or it is of another form.
        """
        if self.data is None:
            raise DataError("experiment faces needs aligned photos of lfw-expressions: give --data FOLDER")
        samples = _several_photos_each(READERS["index"](self.data))
        counts = Counter(sample.expression for sample in samples.samples if sample.expression)
        self._classes.extend(expression for expression in Expression if counts[expression] >= LEAST_PHOTOS)
        rest, test = split_by_person(samples, 0.15, seed=0)
        train, validation = split_by_person(rest, 0.15 / 0.85, seed=1)
        stem, size = make_stem(self.cut)
        held_out: list[str] = []
        for part, chosen in (("test", test), ("validation", validation), ("train", train)):
            photos = decode(chosen, self._classes, size)
            labels = [(int(who), int(how)) for who, how in zip(photos.identity, photos.expression, strict=True)]
            self._photos.extend(zip(photos.digests, labels, strict=True))
            photos = photos.take(drop_repeats(photos.digests, labels, held_out).keep)
            held_out += photos.digests
            views = stem_views(photos.images, stem, size, self.views if part == "train" else 0)
            self._parts[part] = Faces(views, photos.identity, photos.expression)

    def data_digest(self) -> str:
        """Of the photos and their labels."""
        return hashlib.sha256(repr(self._photos).encode()).hexdigest()

    def evaluate(self, network: nn.Module, part: Part, tasks: Collection[str]) -> dict[str, float]:
        """Verification accuracy and mean recall."""
        faces, photos = faces_network(network), self._parts[part]
        shared = faces.shared(photos.stem[0])
        figures: dict[str, float] = {}
        if IDENTITY in tasks:
            embeddings = faces.embeddings(shared).numpy()
            figures[IDENTITY] = evaluate_verification(embeddings, photos.identity.numpy(), bootstrap=0).accuracy
        if EXPRESSION in tasks:
            logits, names = faces.logits(shared).numpy(), [str(name) for name in self._classes]
            result = evaluate_expression(logits, photos.expression.numpy(), names, bootstrap=0)
            figures[EXPRESSION] = result.macro_recall
        return figures


def _several_photos_each(samples: SampleSet) -> SampleSet:
    """Those people who have two photos or more: others can neither be verified nor be learned as a class."""
    counts = Counter(sample.identity for sample in samples.samples if sample.identity)
    return samples.where(lambda sample: sample.identity is not None and counts[sample.identity] > 1)
