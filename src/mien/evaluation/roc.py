"""The curve of false and true acceptances over all thresholds, with weights so that it can be bootstrapped."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.errors import DataError

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Roc:
    """FAR and TAR at every threshold at which they change.

    Attributes:
        thresholds: ``(T,)`` ascending; the first is -inf (everything refused), the others are the distinct distances.
        far: ``(T,)`` share of impostor pairs with a distance up to the threshold.
        tar: ``(T,)`` share of genuine pairs with a distance up to the threshold.
    """

    thresholds: Floats
    far: Floats
    tar: Floats

    @classmethod
    def of(cls, distances: NDArray[np.floating], same: Booleans, weights: Floats | None = None) -> Roc:
        """Compute the curve.

        Args:
            distances: ``(P,)`` finite distances.
            same: ``(P,)`` whether a pair is genuine.
            weights: ``(P,)`` weight of each pair, at least 0; each 1 by default.

        Raises:
            DataError: no genuine or no impostor pair has a weight, or a distance is not finite.
        """
        return SortedPairs(distances, same).roc(weights)

    def at_far(self, far: float) -> int:
        """Position of the largest threshold whose FAR is at most ``far``; nothing is interpolated.

        When ``far`` times the number of impostor pairs is below 1, that is the largest without any false acceptance.
        """
        return int(np.searchsorted(self.far, far, side="right")) - 1

    @property
    def eer(self) -> float:
        """Equal error rate: FAR where it meets FRR, on the straight line between the two points around the crossing."""
        gap = self.far - (1 - self.tar)
        after = int(np.argmax(gap >= 0))
        share = -gap[after - 1] / (gap[after] - gap[after - 1])
        return float(self.far[after - 1] + share * (self.far[after] - self.far[after - 1]))

    @property
    def auc(self) -> float:
        """Area under TAR over FAR: the chance that a genuine pair is closer than an impostor pair, ties count half."""
        return float(np.sum(np.diff(self.far) * (self.tar[1:] + self.tar[:-1]) / 2))


class SortedPairs:
    """Distances sorted once, for many curves with different weights.

    Attributes:
        order: ``(P,)`` positions that sort the distances.
        distances: ``(P,)`` sorted.
        same: ``(P,)`` in that order.
    """

    def __init__(self, distances: NDArray[np.floating], same: Booleans) -> None:
        distances = np.asarray(distances, np.float64)
        if distances.ndim != 1 or distances.shape != np.shape(same):
            raise DataError(
                f"distances {distances.shape} and labels {np.shape(same)} do not fit; give two vectors of one length"
            )
        if not np.isfinite(distances).all():
            raise DataError("a distance is not finite; the embeddings hold NaN or infinity")
        self.order = np.argsort(distances, kind="stable")
        self.distances = distances[self.order]
        self.same = np.asarray(same, bool)[self.order]
        self._ends = np.flatnonzero(np.append(np.diff(self.distances) > 0, True)) if len(distances) else self.order

    def roc(self, weights: Floats | None = None) -> Roc:
        """Compute the curve; ``weights (P,)`` in the order in which the distances were given."""
        weights = np.ones(len(self.order)) if weights is None else weights[self.order]
        accepted_genuine = np.cumsum(weights * self.same)
        accepted_impostor = np.cumsum(weights * ~self.same)
        if not len(weights) or accepted_genuine[-1] <= 0 or accepted_impostor[-1] <= 0:
            raise DataError(
                "acceptance rates need genuine and impostor pairs, and one kind is absent; give labels with both"
            )
        return Roc(
            thresholds=np.append(-np.inf, self.distances[self._ends]),
            far=np.append(0.0, accepted_impostor[self._ends] / accepted_impostor[-1]),
            tar=np.append(0.0, accepted_genuine[self._ends] / accepted_genuine[-1]),
        )
