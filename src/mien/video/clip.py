"""Writing a clip, with the time stamps of the frames."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self, cast

import av
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from mien.errors import VideoError
from mien.images import Pixels

CLOCK = Fraction(1, 90_000)
"""Unit of the time stamps: the customary clock of video."""

CODECS = {"libx264": {"preset": "veryfast", "crf": "21"}, "mpeg4": {"qscale": "3"}}
"""Encoders by falling preference, with options: every player knows H.264, every build of FFmpeg MPEG-4."""


class ClipWriter:
    """Writes an MP4 file; closing it makes it playable, so close it after an interruption too.

    The size is that of the first frame (cut to even numbers, as the codec needs), later ones are scaled to it.

    Args:
        path: the file.

    Raises:
        VideoError: the file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stream: VideoStream | None = None
        self._last = -1
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # a name with a colon would otherwise be taken for a protocol
            self._container = av.open(f"file:{path}", "w", format="mp4")
        except (av.FFmpegError, OSError) as error:
            raise VideoError(f"{path} cannot be written ({error}); check the folder") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def add(self, pixels: Pixels, time: float) -> None:
        """Append a frame.

        Args:
            pixels: ``uint8 (H, W, 3)``.
            time: seconds from the beginning, after the frame before.
        """
        try:
            if self._stream is None:
                self._stream = self._begin(pixels)
            frame = VideoFrame.from_ndarray(pixels, format="rgb24")
            frame = frame.reformat(width=self._stream.width, height=self._stream.height, format="yuv420p")
            self._last = max(self._last + 1, round(time / CLOCK))
            frame.pts, frame.time_base = self._last, CLOCK
            self._container.mux(self._stream.encode(frame))
        except (av.FFmpegError, OSError) as error:
            raise VideoError(f"{self.path} cannot be written ({error}); is the disk full?") from error

    def close(self) -> None:
        """Write what is left, and the index."""
        try:
            if self._stream is not None:
                self._container.mux(self._stream.encode(None))
            self._container.close()
        except (av.FFmpegError, OSError) as error:
            raise VideoError(f"{self.path} cannot be finished ({error}); is the disk full?") from error
        if self._stream is None:
            self.path.unlink(missing_ok=True)  # a file without a frame is no clip

    def _begin(self, pixels: Pixels) -> VideoStream:
        height, width = pixels.shape[:2]
        codec = next(name for name in CODECS if name in av.codecs_available)
        stream = cast(VideoStream, self._container.add_stream(codec, rate=30, options=dict(CODECS[codec])))
        stream.width, stream.height, stream.pix_fmt = max(2, width // 2 * 2), max(2, height // 2 * 2), "yuv420p"
        stream.codec_context.time_base = CLOCK
        return stream
