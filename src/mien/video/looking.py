"""How to look for faces in the frames of a video, where frames without a face are common."""

from __future__ import annotations

from collections.abc import Sequence

from mien.detection import EVERY_WAY
from mien.types import Face, FoundBy

CHEAP = (FoundBy.PHOTO, FoundBy.BORDER)
"""Ways for every frame: with a repeated border a frame is searched at 256 pixels, which costs next to nothing."""

AGAIN_SECONDS = 1.0
"""A frame in which nothing was found is turned once in so many seconds. A video is turned as a whole or not at all, so
that more would cost three searches of each empty frame for nothing."""


class Looking:
    """Chooses the ways to look at each frame of one video: after a turned face, its turn comes first."""

    def __init__(self) -> None:
        self._turned: tuple[FoundBy, ...] = ()
        self._due = 0.0

    def ways(self, time: float) -> tuple[FoundBy, ...]:
        """The ways for the frame at ``time`` seconds, in order."""
        every = EVERY_WAY if time >= self._due else CHEAP
        return tuple(dict.fromkeys((*self._turned, *every)))

    def saw(self, time: float, faces: Sequence[Face]) -> None:
        """Take into account what the frame showed."""
        if faces:
            self._turned = () if faces[0].found_by in CHEAP else (faces[0].found_by,)
        elif time >= self._due:
            self._due = time + AGAIN_SECONDS
