"""What embeddings and scores are tried on: photos with people and expressions, or official pairs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mien.datasets import Sample, SampleSet, numbered_pairs, pair_key
from mien.datasets.pairs import Pair
from mien.errors import DataError
from mien.evaluation import (
    REQUIRED,
    ExpressionPairs,
    Pairs,
    average_videos,
    contiguous_blocks,
    evaluate_distances,
    fold_decisions,
    make_expression_pairs,
    pair_distances,
)

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]


class Trial(Protocol):
    """Pairs to be verified."""

    @property
    def same(self) -> Booleans:
        """``(P,)`` whether a pair is genuine."""

    def distances(self, embeddings: NDArray[np.floating], *, unit_length: bool) -> Floats:
        """``(P,)`` from the embeddings ``(N, D)`` of the trial's photos."""

    def accuracy(self, distances: Floats) -> float:
        """By the trial's own protocol."""


@dataclass(frozen=True, slots=True, eq=False)
class ExpressionTrial:
    """Photos of people who show expressions, and the paper's four-way pairs of them.

    Attributes:
        names: ``(N,)`` the photos' names.
        people: ``(N,)`` who is shown.
        shown: ``(N,)`` expressions, those that are no class among them; empty for none.
        labels: ``(N,)`` positions in the classes, or -1.
        pairs: see `mien.evaluation.make_expression_pairs`.
    """

    names: list[str]
    people: list[str]
    shown: list[str]
    labels: NDArray[np.int64]
    pairs: ExpressionPairs

    @classmethod
    def of(cls, samples: Sequence[Sample], classes: Sequence[str], *, neutral_answers: bool) -> ExpressionTrial:
        """Draw the pairs, the same for the same photos.

        Only classes are asked for: what no photo teaches, no network shows, and nobody could be accepted by mistake.

        Raises:
            DataError: no class is an expression that the paper asks for, or nobody shows one beside a neutral photo.
        """
        required = [name for name in REQUIRED if name in classes]
        if not required:
            raise DataError(f"no photos to ask for: none of {', '.join(REQUIRED)} is among {', '.join(classes)}")
        people = [sample.identity or "" for sample in samples]
        shown = [str(sample.expression or "") for sample in samples]
        position = {name: k for k, name in enumerate(classes)}
        return cls(
            names=[sample.name for sample in samples],
            people=people,
            shown=shown,
            labels=np.array([position.get(name, -1) for name in shown], np.int64),
            pairs=make_expression_pairs(people, shown, required=required, neutral_answers=neutral_answers),
        )

    @property
    def same(self) -> Booleans:
        """``(P,)`` whether a pair shows one person, whatever the expression."""
        return np.asarray(self.pairs.person_reference == self.pairs.person_probe)

    def distances(self, embeddings: NDArray[np.floating], *, unit_length: bool) -> Floats:  # noqa: ARG002
        """``(P,)`` Euclidean distances."""
        points = np.asarray(embeddings, np.float64)
        distances: Floats = np.linalg.norm(points[self.pairs.reference] - points[self.pairs.probe], axis=1)
        return distances

    def accuracy(self, distances: Floats) -> float:
        """Share of pairs told rightly, by thresholds from the other nine of ten blocks, as in the official code."""
        accepted = fold_decisions(distances, self.same, contiguous_blocks(len(self.same)))
        return float(np.mean(accepted == self.same))


@dataclass(frozen=True, slots=True, eq=False)
class PairTrial:
    """Official pairs of photos or videos, in folds.

    Attributes:
        pairs: positions of photos, or of sorted videos.
        videos: ``(N,)`` the video of each photo; None when pairs are of photos.
    """

    pairs: Pairs
    videos: list[str] | None

    @classmethod
    def of(cls, samples: SampleSet, pairs: Sequence[Pair]) -> PairTrial:
        """Number the pairs.

        Raises:
            DataError: a photo or video of a pair is missing.
        """
        if not any(sample.sequence for sample in samples.samples):
            return cls(numbered_pairs(pairs, samples), None)
        videos = [pair_key(sample) for sample in samples.samples]
        first = dict(zip(videos, samples.samples, strict=True))
        one_each = SampleSet(samples.name, tuple(first[key] for key in sorted(first)))
        return cls(numbered_pairs(pairs, one_each), videos)

    @property
    def same(self) -> Booleans:
        """``(P,)`` whether a pair is genuine."""
        return self.pairs.same

    def distances(self, embeddings: NDArray[np.floating], *, unit_length: bool) -> Floats:
        """``(P,)`` Euclidean distances, of videos between the means of their frames."""
        points = np.asarray(embeddings, np.float64)
        if self.videos is not None:
            points = average_videos(points, self.videos, unit_length=unit_length)[1]
        return pair_distances(points, self.pairs)

    def accuracy(self, distances: Floats) -> float:
        """Mean over the official folds, each at the threshold that is best on the others."""
        return evaluate_distances(distances, self.pairs, fars=(), bootstrap=0).accuracy
