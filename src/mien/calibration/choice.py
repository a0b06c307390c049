"""Thresholds for a wanted FAR from the user's own faces, with what they cost and how sure they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.calibration.trials import Trials, draw_pairs, identification_trials, verification_trials
from mien.errors import DataError
from mien.evaluation import Interval, Pairs, bootstrap_people, percentile_interval, wilson
from mien.evaluation.roc import Roc, SortedPairs
from mien.gallery.thresholds import Thresholds
from mien.types import Expression

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]

MOST_REFUSED = 0.5
"""With a larger share of genuine pairs refused, the people are more likely mixed up than that hard to tell apart."""


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """A threshold and its cost, on the trials that it was chosen on.

    Attributes:
        threshold: midway between the largest distance, of those observed, that keeps to the FAR asked for, and the
            next one; so that with few trials it does not lie on a genuine pair.
        threshold_interval: over people: what threshold other people like these would have given.
        far: share of impostor trials accepted at ``threshold``.
        far_interval: over people, at this threshold. When there was no error no draw can have one: then the interval
            is that of independent trials (Wilson), which is the least that it can be.
        frr: share of genuine trials refused at ``threshold``.
        frr_interval: likewise.
        genuine: how many genuine trials.
        impostors: how many impostor trials.
        people: how many people.
        warning: a sentence when there are too few impostors for the FAR asked for; else empty.
        curve: FAR and TAR at all thresholds.
    """

    threshold: float
    threshold_interval: Interval
    far: float
    far_interval: Interval
    frr: float
    frr_interval: Interval
    genuine: int
    impostors: int
    people: int
    warning: str
    curve: Roc


@dataclass(frozen=True, slots=True)
class GenuineDistances:
    """Genuine pairs by whether both photos have the same expression.

    Attributes:
        same_expression: whether they have.
        pairs: how many pairs.
        people: of how many people.
        median: of their distances.
        high: the distance that 95 % do not exceed.
        accepted: share accepted at the threshold for verification.
    """

    same_expression: bool
    pairs: int
    people: int
    median: float
    high: float
    accepted: float


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """What `calibrate_people` or `calibrate_pairs` found.

    Attributes:
        model_id: the model that made the embeddings.
        far_asked: the FAR asked for.
        chosen_on: the data, in words.
        verification: for two photos.
        identification: for a photo against a gallery (FAR is then the false positive identification rate, FPIR, and
            FRR the false negative one, FNIR); None when only pairs were given.
        gallery_size: people in the gallery that ``identification`` was chosen with; 0 when it is None.
        expressions: genuine pairs with the same and with different expressions, as far as there are.
        trials: those of ``verification``, to plot.
    """

    model_id: str
    far_asked: float
    chosen_on: str
    verification: Choice
    identification: Choice | None
    gallery_size: int
    expressions: tuple[GenuineDistances, ...]
    trials: Trials

    @property
    def warnings(self) -> tuple[str, ...]:
        """What makes the thresholds doubtful."""
        choices = (self.verification, self.identification)
        few = [choice.warning for choice in choices if choice is not None and choice.warning]
        if self.verification.frr <= MOST_REFUSED:
            return tuple(few)
        refused = f"{self.verification.frr:.0%} of the genuine pairs would be refused"
        return (f"{refused}: look whether the photos of each person are of that person alone", *few)

    @property
    def thresholds(self) -> Thresholds:
        """To keep in a gallery. Without an identification of its own, that of verification is taken for it."""
        identification = self.identification or self.verification
        return Thresholds(
            model_id=self.model_id,
            verification=self.verification.threshold,
            identification=identification.threshold,
            far=self.far_asked,
            chosen_on=self.chosen_on,
            gallery_size=self.gallery_size,
        )


def calibrate_people(
    embeddings: NDArray[np.floating],
    identities: Sequence[str],
    *,
    model_id: str,
    far: float = 1e-3,
    expressions: Sequence[Expression | None] = (),
    name: str = "the user's photos",
    bootstrap: int = 1000,
    seed: int = 0,
) -> Calibration:
    """Choose both thresholds from photos of known people.

    Args:
        embeddings: ``(N, D)``.
        identities: ``(N,)`` who is on each photo.
        model_id: of the model that made the embeddings.
        far: the false acceptance rate wanted, in (0, 1).
        expressions: ``(N,)`` of each photo, None where unknown; empty for none.
        name: of the data, in words.
        bootstrap: how often to draw people for the intervals.
        seed: of the pairs and of the bootstrap.

    Raises:
        DataError: there are fewer than two people, nobody has two photos, or ``far`` is out of its range.
    """
    _check_far(far)
    if len(identities) != len(embeddings):
        raise DataError(f"{len(embeddings)} embeddings have {len(identities)} identities; give one for each")
    pairs = draw_pairs(identities, far, seed)
    trials = verification_trials(embeddings, pairs)
    person = np.unique(np.asarray(identities), return_inverse=True)[1].astype(np.int64)
    verification = choose(trials, far, bootstrap, seed)
    return Calibration(
        model_id=model_id,
        far_asked=far,
        chosen_on=_data(name, verification),
        verification=verification,
        identification=choose(identification_trials(embeddings, person), far, bootstrap, seed, "probes"),
        gallery_size=len(pairs.people) - 1,
        expressions=_by_expression(trials, pairs, expressions, verification.threshold),
        trials=trials,
    )


def calibrate_pairs(
    embeddings: NDArray[np.floating],
    pairs: Pairs,
    *,
    model_id: str,
    far: float = 1e-3,
    expressions: Sequence[Expression | None] = (),
    name: str = "the user's pairs",
    bootstrap: int = 1000,
    seed: int = 0,
) -> Calibration:
    """Choose the threshold for verification from given pairs; arguments and errors as of `calibrate_people`."""
    _check_far(far)
    trials = verification_trials(embeddings, pairs)
    verification = choose(trials, far, bootstrap, seed)
    return Calibration(
        model_id=model_id,
        far_asked=far,
        chosen_on=_data(name, verification),
        verification=verification,
        identification=None,
        gallery_size=0,
        expressions=_by_expression(trials, pairs, expressions, verification.threshold),
        trials=trials,
    )


def choose(trials: Trials, far: float, bootstrap: int, seed: int, what: str = "pairs") -> Choice:
    """Choose the threshold of some trials for a FAR; ``what`` names the trials in the warning."""
    ordered = SortedPairs(trials.distances, trials.same)
    curve = ordered.roc()
    at = curve.at_far(far)
    threshold = _threshold(curve, far)
    accepted = trials.distances <= threshold

    def figures(drawn: Integers) -> Floats:
        weights = trials.weights(drawn)
        try:
            again = ordered.roc(weights)
        except DataError:  # a draw without genuine or without impostor trials
            return np.full(3, np.nan)
        shares = [weights[accepted & kind].sum() / weights[kind].sum() for kind in (~trials.same, trials.same)]
        return np.array([_threshold(again, far), shares[0], 1 - shares[1]])

    replicates = bootstrap_people(figures, trials.people, replicates=bootstrap, seed=seed)
    genuine, impostors = int(trials.same.sum()), int((~trials.same).sum())
    far_found, frr_found = float(curve.far[at]), 1 - float(curve.tar[at])
    return Choice(
        threshold=threshold,
        threshold_interval=percentile_interval(replicates[:, 0]),
        far=far_found,
        far_interval=percentile_interval(replicates[:, 1]) if far_found else wilson(0, impostors),
        frr=frr_found,
        frr_interval=percentile_interval(replicates[:, 2]) if frr_found else wilson(0, genuine),
        genuine=genuine,
        impostors=impostors,
        people=len(np.union1d(trials.first, trials.second[trials.second >= 0])),
        warning=_too_few(impostors, far, what),
        curve=curve,
    )


def _threshold(curve: Roc, far: float) -> float:
    at = curve.at_far(far)
    low, high = max(0.0, float(curve.thresholds[at])), float(curve.thresholds[at + 1])
    middle = low + (high - low) / 2
    return middle if middle < high else low


def _too_few(impostors: int, far: float, what: str) -> str:
    """The rule of three: when none of n is accepted, the rate is below 3 / n with 95 % confidence (Hanley 1983)."""
    needed = int(np.ceil(round(3 / far, 6)))
    if impostors >= needed:
        return ""
    return (
        f"a FAR of {far:g} cannot be shown with {impostors} impostor {what}: even with none accepted it may be "
        f"{min(1.0, 3 / impostors):.2g}; give at least {needed}, better ten times as many, or ask for a larger FAR"
    )


def _by_expression(
    trials: Trials, pairs: Pairs, expressions: Sequence[Expression | None], threshold: float
) -> tuple[GenuineDistances, ...]:
    if not any(expressions):
        return ()
    labels = np.array(["" if label is None else label.value for label in expressions])
    first, second = labels[pairs.first], labels[pairs.second]
    known = pairs.same & (first != "") & (second != "")
    found = []
    for same in (True, False):
        chosen = known & ((first == second) == same)
        distances = trials.distances[chosen]
        if len(distances):
            median, high = np.quantile(distances, [0.5, 0.95])
            people = len(np.unique(pairs.person_first[chosen]))
            accepted = float(np.mean(distances <= threshold))
            found.append(GenuineDistances(same, len(distances), people, float(median), float(high), accepted))
    return tuple(found)


def _data(name: str, choice: Choice) -> str:
    return f"{name}: {choice.people} people, {choice.genuine} genuine and {choice.impostors} impostor pairs"


def _check_far(far: float) -> None:
    if not 0 < far < 1:
        raise DataError(f"the FAR asked for is {far:g}; give a share between 0 and 1, such as 0.001")
