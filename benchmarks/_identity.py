"""Verification by all systems on the same photos and pairs, with paired differences."""

from __future__ import annotations

from dataclasses import asdict

from _report import Figure, Target
from _views import CROPS_PROTOCOL, DLIB, DLIB_OWN, MODEL, SFACE, SYSTEMS, Views

from mien.evaluation import AllPairs, AllPairsResult, paired_difference
from mien.thresholds import ThresholdTable

FARS = (1e-2, 1e-3, 1e-4, 1e-5)
MAX_GENUINE = 10
MARGIN = Target(-0.01, "at least")
TARGETS = {(SFACE, 1e-3): MARGIN, (SFACE, 1e-4): MARGIN}
"""How far the model's TAR may lie below another system's, at a FAR."""

PROTOCOL = (
    f"All impostor pairs, at most {MAX_GENUINE} genuine pairs per person. TAR at a FAR: at the largest distance whose "
    "FAR, on these impostor pairs, is not above it. Intervals: 1,000 draws of people, the same for all systems, with "
    "the distance chosen anew in each. A photo without a detected face is tried again with its border repeated by 25 "
    f"and 50 % of its longer side, and then resized as a whole, by both detectors. {CROPS_PROTOCOL}"
)
THRESHOLD_PROTOCOL = (
    "What the distances that the model file recommends give on these people, on whom they were not chosen; the same "
    "pairs as above. Intervals: 1,000 draws of people."
)


class Systems:
    """The pairs of all systems, and how well each verifies.

    Args:
        views: the photos.
        thresholds: the model's own.

    Attributes:
        results: by the names of `SYSTEMS`.
    """

    def __init__(self, views: Views, thresholds: ThresholdTable | None) -> None:
        self._thresholds = thresholds.rows if thresholds else ()
        reach = max((row.distance for row in self._thresholds), default=0.0)
        pairs = {
            name: AllPairs(
                views.embeddings[name],
                views.identities,
                max_genuine=MAX_GENUINE,
                reach=reach if name == MODEL else 0.0,
            )
            for name in SYSTEMS
        }
        self.results = {name: pairs[name].evaluate(FARS) for name in SYSTEMS}
        self._model = pairs[MODEL]

    def figures(self) -> list[Figure]:
        """Equal error rate and TARs of each system; then what the model has more than each other."""
        own = [figure for name in SYSTEMS for figure in _figures(name, self.results[name])]
        return [*own, *(figure for name in (SFACE, DLIB, DLIB_OWN) for figure in self._difference(name))]

    def threshold_figures(self) -> list[Figure]:
        """FAR and TAR at each of the model's thresholds."""
        figures = []
        for row in self._thresholds:
            far, tar = self._model.rates_at(row.distance)
            for what, rate, n in (
                ("FAR", far, f"{self.results[MODEL].impostors} impostor pairs"),
                ("TAR", tar, f"{self.results[MODEL].genuine} genuine pairs"),
            ):
                name = f"{what} at {row.distance:.3f}, chosen for FAR {row.far:g}"
                figures.append(Figure(name, rate.value, "rate", n, rate.interval.low, rate.interval.high))
        return figures

    def details(self) -> dict[str, object]:
        """Every operating point."""
        return {name: [asdict(point) for point in result.points] for name, result in self.results.items()}

    def _difference(self, other: str) -> list[Figure]:
        ours, theirs = self.results[MODEL], self.results[other]
        n = f"{ours.people} people"
        rows = zip(_rates(ours).items(), _rates(theirs).values(), paired_difference(ours, theirs), strict=True)
        return [
            Figure(
                f"the model minus {other}: {what}",
                value - its,
                "points",
                n,
                interval.low,
                interval.high,
                TARGETS.get((other, far)),
            )
            for ((what, far), value), its, interval in rows
        ]


def _figures(name: str, result: AllPairsResult) -> list[Figure]:
    n = f"{result.people} people, {result.genuine} + {result.impostors} pairs"
    intervals = [result.eer_interval, *(point.interval for point in result.points)]
    notes = ["", *(f"{point.false_accepts} false accepts, distance {point.threshold:.3f}" for point in result.points)]
    figures = []
    for ((what, _), value), interval, note in zip(_rates(result).items(), intervals, notes, strict=True):
        assert interval is not None
        figures.append(Figure(f"{name}: {what}", value, "%", n, interval.low, interval.high, note=note))
    return figures


def _rates(result: AllPairsResult) -> dict[tuple[str, float], float]:
    """The figures of one system, with their FARs, in the order of its replicates."""
    tars = {(f"TAR at FAR {point.far_asked:g}", point.far_asked): point.tar for point in result.points}
    return {("EER", 0.0): result.eer, **tars}
