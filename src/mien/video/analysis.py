"""Frames in, tracked faces out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from mien.analyzer import Mien
from mien.types import ExpressionScores, Face
from mien.video.frames import Frame
from mien.video.looking import Looking
from mien.video.tracking import Tracker


@dataclass(frozen=True, slots=True, eq=False)
class TrackedFace:
    """One face of a frame.

    Attributes:
        track: number of its track.
        face: the face as in a photo.
        expression: probabilities smoothed over the track's time; None when the model has none.
    """

    track: int
    face: Face
    expression: ExpressionScores | None


@dataclass(frozen=True, slots=True, eq=False)
class FrameAnswer:
    """What a frame shows.

    Attributes:
        frame: the frame.
        faces: its faces by falling area; None when the frame was passed over to save time.
    """

    frame: Frame
    faces: tuple[TrackedFace, ...] | None


def analyze_frames(
    mien: Mien, frames: Iterable[Frame], tracker: Tracker, rate: float | None = None
) -> Iterator[FrameAnswer]:
    """Look at the frames of a video as they come; nothing is kept but the tracks.

    A frame in which nothing is found is searched again with a repeated border, and once a second turned; see
    `mien.video.looking`.

    Args:
        mien: finds and analyses the faces.
        frames: of one video.
        tracker: takes up the tracks; look at its ``tracks`` at the end.
        rate: at most so many frames a second are looked at, the others are passed through; None looks at all.
    """
    due, looking = 0.0, Looking()
    for frame in frames:
        if rate is not None and frame.time < due - 1e-6:
            yield FrameAnswer(frame, None)
            continue
        if rate is not None:
            due = max(due + 1 / rate, frame.time)
        faces = mien.analyze(frame.pixels, ways=looking.ways(frame.time))
        looking.saw(frame.time, faces)
        tracks = tracker.update(frame.time, faces)
        tracked = (TrackedFace(t.number, face, t.smoothed_expression) for t, face in zip(tracks, faces, strict=True))
        yield FrameAnswer(frame, tuple(tracked))
