"""Verification by the three systems on the same photos and pairs, with paired differences."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from math import comb

import numpy as np
from _report import Figure, Target
from _views import DLIB, DLIB_ON_MIEN, MIEN, SYSTEMS, Views

from mien.evaluation import (
    Roc,
    VerificationResult,
    bootstrap_people,
    evaluate_distances,
    make_pairs,
    pair_distances,
    paired_difference,
    percentile_interval,
)

FARS = (1e-2, 1e-3)
MAX_GENUINE = 10
ACCURACY_MARGIN, TAR_MARGIN = 0.005, 0.01
DIFFERENCES = {
    "mien's network minus dlib's, both on mien's crops": (MIEN, DLIB_ON_MIEN),
    "mien's crops minus dlib's, both by dlib's network": (DLIB_ON_MIEN, DLIB),
    "mien's network and crops minus dlib's": (MIEN, DLIB),
}
IMPOSTORS_PER_GENUINE = 100.0
THRESHOLD_IMPOSTORS = 1_000_000
THRESHOLD_FAR = 1e-3
DLIB_THRESHOLD = 0.6
THRESHOLD_REPLICATES = 200

PROTOCOL = (
    "Genuine pairs: at most 10 a person; impostor pairs: drawn within the folds, 100 for each genuine one as far as "
    "there are. Ten folds of sorted people, none in two folds; each fold's threshold is the best of the other nine; "
    "genuine and impostor pairs weigh the same. TAR at a FAR: on all pairs. Intervals: 1,000 draws of people, the same "
    "for all systems. A photo without a detected face is tried again with its border repeated by 25 and 50 % of its "
    "longer side, and then resized as a whole, for both detectors."
)


def evaluate_systems(views: Views, *, fars: tuple[float, ...] = FARS) -> dict[str, VerificationResult]:
    """Evaluate all systems on the same pairs."""
    pairs = make_pairs(views.identities, max_genuine=MAX_GENUINE, impostors_per_genuine=IMPOSTORS_PER_GENUINE)
    return {
        name: evaluate_distances(pair_distances(views.embeddings[name], pairs), pairs, fars=fars) for name in SYSTEMS
    }


def system_figures(results: dict[str, VerificationResult]) -> list[Figure]:
    """Accuracy, equal error rate and TARs of each system."""
    figures = []
    for name, result in results.items():
        n = f"{result.people} people, {result.genuine} + {result.impostors} pairs"
        spread = result.accuracy_interval, result.eer_interval, *(point.interval for point in result.points)
        notes = (
            f"folds' std {100 * result.accuracy_std:.2f}",
            "",
            *(f"{p.false_accepts} false accepts" for p in result.points),
        )
        for (what, value), interval, note in zip(measures(result).items(), spread, notes, strict=True):
            assert interval is not None
            figures.append(Figure(f"{name}: {what}", value, "%", n, interval.low, interval.high, note=note))
    return figures


def difference_figures(results: dict[str, VerificationResult]) -> list[Figure]:
    """What each step changes, with paired intervals; lower by more than the margins misses the target."""
    figures = []
    for step, (ours, theirs) in DIFFERENCES.items():
        first, second = results[ours], results[theirs]
        n = f"{first.people} people"
        rows = zip(measures(first).items(), measures(second).values(), paired_difference(first, second), strict=True)
        for (what, value), other, interval in rows:
            margin = {"accuracy": ACCURACY_MARGIN, "EER": None}.get(what, TAR_MARGIN)
            target = None if margin is None else Target(-margin, "at least")
            figures.append(Figure(f"{step}: {what}", value - other, "points", n, interval.low, interval.high, target))
    return figures


def measures(result: VerificationResult) -> dict[str, float]:
    """The figures of one system in the order of its replicates."""
    tars = {f"TAR at FAR {point.far_asked:g}": point.tar for point in result.points}
    return {"accuracy": result.accuracy, "EER": result.eer, **tars}


def fold_details(results: dict[str, VerificationResult]) -> dict[str, object]:
    """Every fold's threshold and accuracy, every operating point."""
    return {
        name: {"folds": [asdict(f) for f in result.folds], "points": [asdict(p) for p in result.points]}
        for name, result in results.items()
    }


def threshold_figures(views: Views) -> list[Figure]:
    """The distance that keeps mien's false acceptances to `THRESHOLD_FAR`, over pairs of all people.

    Photos in which no face was found take no part: `mien.Mien.verify` refuses them.
    """
    ways = views.ways["mien"]
    who = [person if way != "whole" else None for person, way in zip(views.identities, ways, strict=True)]
    photos = Counter(person for person in who if person is not None)
    genuine = sum(min(MAX_GENUINE, comb(count, 2)) for count in photos.values())
    pairs = make_pairs(
        who, folds=1, max_genuine=MAX_GENUINE, impostors_per_genuine=THRESHOLD_IMPOSTORS / max(1, genuine)
    )
    distances = pair_distances(views.embeddings[MIEN], pairs)
    impostor = ~pairs.same
    roc = Roc.of(distances, pairs.same)
    at = roc.at_far(THRESHOLD_FAR)
    order = np.argsort(distances[impostor])
    ranked = distances[impostor][order]
    first, second = pairs.person_first[impostor][order], pairs.person_second[impostor][order]

    def threshold(drawn: np.ndarray) -> np.ndarray:
        accepted = np.cumsum(drawn[first] * drawn[second])
        return ranked[[max(0, np.searchsorted(accepted, THRESHOLD_FAR * accepted[-1], side="right") - 1)]]

    replicates = bootstrap_people(threshold, len(pairs.people), replicates=THRESHOLD_REPLICATES)
    interval = percentile_interval(replicates[:, 0])
    n = f"{impostor.sum()} impostor pairs of {len(pairs.people)} people"
    return [
        Figure(f"threshold at FAR {THRESHOLD_FAR:g}", roc.thresholds[at], "", n, interval.low, interval.high),
        Figure("TAR at that threshold", roc.tar[at], "%", f"{genuine} genuine pairs"),
        Figure("FAR at dlib's customary threshold of 0.6", float(np.mean(ranked <= DLIB_THRESHOLD)), "%", n),
        Figure("TAR at 0.6", float(np.mean(distances[pairs.same] <= DLIB_THRESHOLD)), "%", f"{genuine} genuine pairs"),
    ]
