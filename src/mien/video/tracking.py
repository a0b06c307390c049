"""Faces of successive frames joined to tracks: by where they are, and by who they are."""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heappush, heappushpop
from itertools import count
from math import exp, sqrt

import numpy as np
from numpy.typing import NDArray

from mien.contract import Contract
from mien.types import Box, ExpressionScores, Face
from mien.video.timeline import Timeline

Floats = NDArray[np.float64]

MAX_GAP = 1.0
"""Seconds for which a face may be hidden and still continue its track; one that was in the frame before always may,
however long ago that was."""

LEAST_OVERLAP = 0.3
"""Intersection over union from which two boxes count as the same place."""

TOLERANCE = 1.5
"""At the same place the embedding may be farther away, by this factor of the threshold: a blurred or turned face is
still the same, and a cut to another person is not. Strangers' embeddings of length 1 are about `STRANGERS` apart, so
there the distance is at most halfway between the threshold and that."""

STRANGERS = sqrt(2)
"""Distance of two directions that have nothing to do with each other."""

BEST_FRAMES = 16
"""So many of a track's best frames decide who it is."""

TOGETHER = 0.5
"""Two tracks seen at once for so many seconds are two people; for less, one face may have been found twice."""

SMOOTHING = 0.3
"""Time constant of the exponential smoothing of expressions, in seconds: about that of an expression's onset."""


class Track:
    """One face through time.

    Attributes:
        number: counts the tracks of a video from 1.
        first: seconds of its first frame.
        last: seconds of its last frame.
        frames: in how many frames it was seen.
        box: where it was last.
        smoothed: ``(C,)`` expression probabilities smoothed over time; None when the model has no expressions.
        timeline: these over time.
    """

    def __init__(self, number: int, time: float) -> None:
        self.number = number
        self.first = self.last = time
        self.frames = 0
        self.box = Box(0, 0, 0, 0)
        self.smoothed: Floats | None = None
        self.timeline = Timeline()
        self._names: ExpressionScores | None = None
        self._total: Floats | None = None
        self._best: list[tuple[float, int, Floats]] = []
        self._mean: Floats | None = None

    @property
    def embedding(self) -> Floats | None:
        """``(D,)`` mean over the best frames: the largest and surest faces; None when the model has no identity."""
        if self._mean is None and self._best:
            self._mean = np.mean([embedding for *_, embedding in self._best], axis=0)
        return self._mean

    @property
    def expression(self) -> ExpressionScores | None:
        """Mean over all its frames."""
        return self._scores(None if self._total is None else self._total / self.frames)

    @property
    def smoothed_expression(self) -> ExpressionScores | None:
        """What is shown now, smoothed."""
        return self._scores(self.smoothed)

    def add(self, time: float, face: Face) -> None:
        """Continue the track."""
        self.frames += 1
        if face.embedding is not None:
            entry = (face.score * sqrt(max(0.0, face.box.area)), -self.frames, face.embedding.astype(np.float64))
            if len(self._best) < BEST_FRAMES:
                heappush(self._best, entry)
            else:
                heappushpop(self._best, entry)
            self._mean = None
        if face.expression is not None:
            self._show(time, face.expression)
        self.last, self.box = time, face.box

    def _show(self, time: float, scores: ExpressionScores) -> None:
        values = np.array(scores.probabilities)
        self._names = scores
        self._total = values if self._total is None else self._total + values
        weight = 1.0 if self.smoothed is None else 1 - exp(-(time - self.last) / SMOOTHING)
        self.smoothed = values if self.smoothed is None else self.smoothed + weight * (values - self.smoothed)
        self.timeline.add(time, self.smoothed)

    def _scores(self, values: Floats | None) -> ExpressionScores | None:
        if values is None or self._names is None:
            return None
        return ExpressionScores(self._names.names, tuple(values.tolist()))


class Tracker:
    """Joins faces to tracks, frame by frame.

    Args:
        threshold: distance up to which two embeddings are the same person; None tracks by place alone.
        normalized: whether embeddings have length 1.

    Attributes:
        tracks: all of the video, in the order of their first frames.
        threshold: as given.
    """

    def __init__(self, threshold: float | None, *, normalized: bool = False) -> None:
        self.tracks: list[Track] = []
        self.threshold = threshold
        self._normalized = normalized
        self._active: list[Track] = []
        self._previous: float | None = None
        self._numbers = count(1)

    @classmethod
    def for_model(cls, contract: Contract) -> Tracker:
        """A tracker with the threshold that a model recommends for verification, if it does."""
        threshold = None if contract.threshold is None else contract.threshold.distance
        return cls(threshold, normalized=contract.normalized)

    def update(self, time: float, faces: Sequence[Face]) -> list[Track]:
        """Take the faces of the next frame.

        Returns:
            The track of each face.
        """
        self._active = [t for t in self._active if time - t.last <= MAX_GAP or t.last == self._previous]
        self._previous = time
        found: dict[int, Track] = {}
        for _, k, track in sorted(self._candidates(faces), key=lambda candidate: candidate[0]):
            if k not in found and track not in found.values():
                found[k] = track
        for k, face in enumerate(faces):
            if k not in found:
                found[k] = self._begin(time)
            found[k].add(time, face)
        return [found[k] for k in range(len(faces))]

    def _begin(self, time: float) -> Track:
        track = Track(next(self._numbers), time)
        self.tracks.append(track)
        self._active.append(track)
        return track

    def _candidates(self, faces: Sequence[Face]) -> list[tuple[float, int, Track]]:
        """Possible continuations: cost (lower is better), position of the face, track."""
        candidates = []
        for k, face in enumerate(faces):
            for track in self._active:
                cost = self._cost(track, face)
                if cost is not None:
                    candidates.append((cost, k, track))
        return candidates

    def _cost(self, track: Track, face: Face) -> float | None:
        shared = track.box.overlap(face.box)
        here = shared >= LEAST_OVERLAP
        mean = track.embedding
        if self.threshold is None or mean is None or face.embedding is None:
            return 1 - shared if here else None
        distance = float(np.linalg.norm(mean - face.embedding))
        limit = self._farthest(self.threshold) if here else self.threshold
        return distance / self.threshold - shared if distance <= limit else None

    def _farthest(self, threshold: float) -> float:
        """Distance up to which a face at the same place continues a track."""
        limit = TOLERANCE * threshold
        return max(threshold, min(limit, (threshold + STRANGERS) / 2)) if self._normalized else limit


def people(tracks: Sequence[Track], threshold: float | None) -> dict[int, int]:
    """Which tracks are the same person: one who left and came back.

    Two tracks that were seen together are two people. Long tracks decide first.

    Returns:
        For each track's number a person, counted from 1 by first appearance.
    """
    groups: list[list[Track]] = []
    for track in sorted(tracks, key=lambda track: (-track.frames, track.number)):
        distances = [_distance(track, group, threshold) for group in groups]
        best = min(range(len(groups)), key=distances.__getitem__, default=None)
        if best is None or threshold is None or distances[best] > threshold:
            groups.append([track])
        else:
            groups[best].append(track)
    groups.sort(key=lambda group: min(track.number for track in group))
    return {track.number: person for person, group in enumerate(groups, start=1) for track in group}


def _distance(track: Track, group: Sequence[Track], threshold: float | None) -> float:
    """From the group's longest track; infinite where both were seen at once."""
    mean, other = track.embedding, group[0].embedding
    if threshold is None or mean is None or other is None:
        return float("inf")
    if any(min(track.last, member.last) - max(track.first, member.first) > TOGETHER for member in group):
        return float("inf")
    return float(np.linalg.norm(mean - other))
