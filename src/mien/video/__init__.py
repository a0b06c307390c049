"""Video: face tracks over time, one identity a track, expressions smoothed; needs the extra ``video`` (PyAV).

with Video("clip.mp4") as video:
tracker = Tracker.for_model(mien.contract)
for answer in analyze_frames(mien, video, tracker):
print(answer.frame.time, [face.track for face in answer.faces])
"""

from __future__ import annotations

from mien.video.analysis import FrameAnswer, TrackedFace, analyze_frames
from mien.video.clip import ClipWriter
from mien.video.frames import Frame, Video
from mien.video.timeline import Timeline
from mien.video.tracking import Track, Tracker, people

__all__ = [
    "ClipWriter",
    "Frame",
    "FrameAnswer",
    "Timeline",
    "Track",
    "TrackedFace",
    "Tracker",
    "Video",
    "analyze_frames",
    "people",
]
