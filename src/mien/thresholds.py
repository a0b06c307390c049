"""Distances up to which two faces count as the same person, by the false acceptance rate that they have."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

from mien.errors import ModelError


@dataclass(frozen=True, slots=True)
class Threshold:
    """A distance, and where it comes from.

    Attributes:
        distance: Euclidean distance up to which two faces count as the same person.
        far: the false acceptance rate it was chosen for, in (0, 1): the share of impostor pairs up to this distance.
        chosen_on: the data and protocol it was chosen on, in words.
        far_interval: 95 % interval of the FAR at this distance, low and high; None where it is not known.
        impostor_pairs: on how many impostor pairs it was chosen; None where it is not known.
    """

    distance: float
    far: float
    chosen_on: str
    far_interval: tuple[float, float] | None = None
    impostor_pairs: int | None = None


@dataclass(frozen=True, slots=True)
class Derived:
    """A distance read off a table.

    Attributes:
        distance: Euclidean distance up to which two faces count as the same person.
        far: the FAR of a pair that it is for.
        extrapolated: True where the FAR lies outside the table, so that no impostor pairs stand behind the distance.
        source: how it was found, in words.
    """

    distance: float
    far: float
    extrapolated: bool
    source: str


@dataclass(frozen=True, slots=True)
class ThresholdTable:
    """Thresholds for several false acceptance rates.

    Attributes:
        rows: by falling FAR and distance; at least one.
        default_far: the FAR of the row that decides where no other is asked for.

    Raises:
        ModelError: there is no row, a number is out of its range, the rows are not sorted, or none has the default FAR.
    """

    rows: tuple[Threshold, ...]
    default_far: float

    def __post_init__(self) -> None:
        for row in self.rows:
            if not (0 <= row.distance < math.inf and 0 < row.far < 1):
                raise ModelError(f"a threshold of {row.distance} at FAR {row.far} cannot be; export the model again")
        if any(not (a.far > b.far and a.distance >= b.distance) for a, b in pairwise(self.rows)):
            raise ModelError("the thresholds are not sorted by falling FAR and distance; export the model again")
        if self.default_far not in [row.far for row in self.rows]:
            raise ModelError(f"no threshold has the default FAR of {self.default_far:g}; export the model again")

    @classmethod
    def of(cls, *rows: Threshold) -> ThresholdTable:
        """A table whose first row is the default."""
        return cls(tuple(sorted(rows, key=lambda row: -row.far)), rows[0].far)

    @property
    def default(self) -> Threshold:
        """The row that decides where no other is asked for."""
        return next(row for row in self.rows if row.far == self.default_far)

    def at_far(self, far: float) -> Derived:
        """The distance for a FAR of a pair.

        Between two rows the distance is linear in the logarithm of the FAR. Below the table it follows the line through
        the last two rows, down to 0; for distances of impostor pairs that are about normally distributed this is
        stricter than needed. Above the table it is that of the first row, which is stricter than
        what was asked for.

        Raises:
            ModelError: the FAR is out of its range, or it lies below the only row of the table.
        """
        if not 0 < far < 1:
            raise ModelError(f"the FAR asked for is {far:g}; give a rate between 0 and 1, such as 0.001")
        for row in self.rows:
            if math.isclose(row.far, far, rel_tol=1e-9):
                return Derived(row.distance, far, False, row.chosen_on)
        first, last = self.rows[0], self.rows[-1]
        if far > first.far:
            return Derived(first.distance, far, True, f"extrapolated: the distance for FAR {first.far:g}, the largest")
        if len(self.rows) < 2:
            raise ModelError(
                f"the model has a threshold for FAR {last.far:g} alone, and none for {far:.2g} follows from it; run "
                "`mien calibrate`, or give a threshold"
            )
        above, below = next(((a, b) for a, b in pairwise(self.rows) if b.far < far), (self.rows[-2], last))
        share = math.log(far / above.far) / math.log(below.far / above.far)
        distance = max(0.0, above.distance + share * (below.distance - above.distance))
        between = f"FAR {above.far:g} and {below.far:g}"
        if far > last.far:
            return Derived(distance, far, False, f"interpolated between {between}")
        return Derived(distance, far, True, f"extrapolated from {between}: no impostor pairs stand behind it")

    def for_gallery(self, samples: int, fpir: float) -> Derived:
        """The distance at which a wanted share of strangers is taken for somebody enrolled.

        Args:
            samples: how many enrolled samples a stranger is compared with, at least 1.
            fpir: the false positive identification rate wanted, in (0, 1): the share of strangers with at least one
                sample up to the distance.

        Raises:
            ModelError: as of `at_far`.
            ValueError: there is no sample.
        """
        return self.at_far(far_of_pair(samples, fpir))


def far_of_pair(samples: int, fpir: float) -> float:
    """The FAR of a pair at which comparing with ``samples`` samples has a false positive rate of ``fpir``.

    The solution of ``fpir = 1 - (1 - far)^samples``, as if the comparisons were independent. Those of one stranger are
    not, but then the rate is smaller still: it is never above ``samples * far``.

    >>> far_of_pair(1, 0.01), round(far_of_pair(1000, 0.01), 8)
    (0.01, 1.005e-05)
    """
    if samples < 1:
        raise ValueError(f"the number of samples is {samples}; give at least 1")
    if not 0 < fpir < 1:
        raise ModelError(f"the rate asked for is {fpir:g}; give a rate between 0 and 1, such as 0.01")
    return fpir if samples == 1 else -math.expm1(math.log1p(-fpir) / samples)
