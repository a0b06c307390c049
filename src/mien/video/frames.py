"""Frames of a video file or a camera, upright, each decoded once."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import sleep
from types import TracebackType
from typing import Any, Self, cast

import av
import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from mien.errors import VideoError
from mien.images import MAX_PIXELS, Pixels
from mien.video.camera import device_of, newest

Matrix = NDArray[np.int32]

CAMERA_PAUSE = 0.005
"""Seconds to wait before a camera is asked again."""

SLACK = 0.5
"""A file that ends so many seconds before its header says counts as cut off; headers are not exact."""


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture of a video.

    Attributes:
        index: its position among the decoded pictures, from 0.
        time: seconds since the first picture, never falling; from the file's time stamps, so that a variable frame rate
            is respected.
        pixels: ``uint8 (H, W, 3)`` RGB, upright: the rotation or mirroring that the file asks for is applied; they are
            square.
    """

    index: int
    time: float
    pixels: Pixels


class Video:
    """An opened video; iterate over it once.

    Iteration ends where the video ends or is damaged; what came before is not lost, and `problem` tells about it. A
    camera's frames that nobody takes in time are dropped, so that the next one is always the newest.

    Args:
        source: path of a file, or ``camera:0`` for the first camera.

    Attributes:
        name: what was given.
        live: whether it is a camera.
        problem: one sentence about a damaged or cut-off file, known at the end; None when all is well.

    Raises:
        VideoError: it cannot be opened, or holds no pictures.
    """

    def __init__(self, source: str | os.PathLike[str]) -> None:
        self.name = os.fspath(source)
        device = device_of(self.name)
        self.live = device is not None
        self.problem: str | None = None
        self._container = _open_file(Path(self.name)) if device is None else _open(*device, name=self.name)
        try:
            self._stream = _picture_stream(self._container, self.name)
        except VideoError:
            self._container.close()
            raise
        self._damaged = 0
        self._last = 0.0
        self._end = 0.0  # on the file's clock, which need not be at 0 when the pictures begin
        self._iteration: Generator[Frame, None, None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[Frame]:
        frames = self._frames()
        self._iteration = newest(frames) if self.live else frames
        return self._iteration

    @property
    def expected(self) -> int:
        """How many pictures there will be, by the header; 0 when it does not say."""
        rate = self._stream.average_rate
        return self._stream.frames or int((self.duration or 0.0) * float(rate or 0))

    @property
    def duration(self) -> float | None:
        """Seconds, as far as the file's header says; None for a camera."""
        if self._stream.duration is not None and self._stream.time_base is not None:
            return float(self._stream.duration * self._stream.time_base)
        return None if self._container.duration is None else self._container.duration / av.time_base

    def close(self) -> None:
        """Release the file or the camera, and end the iteration."""
        if self._iteration is not None:
            self._iteration.close()
        self._container.close()

    def _frames(self) -> Generator[Frame, None, None]:
        start: float | None = None
        index = -1
        matrix: Matrix | None = None
        for index, decoded in enumerate(self._decoded()):
            if index == 0:  # reading it makes a cycle of references, which would keep every picture for a while
                matrix = display_matrix(decoded)
            moment = decoded.time if decoded.pts is not None else index / float(self._stream.average_rate or 25)
            start = moment if start is None else start
            self._last = max(self._last, moment - start)
            self._end = max(self._end, moment)
            yield Frame(index, self._last, upright(decoded, matrix, _shown_width(decoded.width, self._stream)))
        self.problem = self._what_is_wrong(index + 1)

    def _decoded(self) -> Iterator[VideoFrame]:
        """Pictures in order; damaged parts are passed over and counted."""
        try:
            for packet in self._packets():
                if packet.stream is not self._stream:
                    self._end = max(self._end, _end_of(packet))
                    continue
                try:
                    pictures = cast(list[VideoFrame], packet.decode())
                except av.InvalidDataError:
                    self._damaged += 1
                    continue
                yield from pictures
        except (av.FFmpegError, OSError) as error:
            self.problem = f"{self.name} cannot be read further ({_brief(error)})"

    def _packets(self) -> Iterator[Packet[Stream]]:
        """The pictures' packets; those of sound too where the header knows only how long all together last."""
        streams = [] if self._stream.duration is None else [self._stream]
        while True:
            try:
                yield from self._container.demux(*streams)  # without any: all
            except av.BlockingIOError:  # some cameras say so while the next picture is not there yet
                sleep(CAMERA_PAUSE)
            else:
                return

    def _what_is_wrong(self, pictures: int) -> str | None:
        if self.problem is not None:
            return f"{self.problem}; the {pictures} pictures before were used"
        if not pictures:
            return f"{self.name} holds no picture that can be decoded; give an intact video"
        if self._damaged:
            return f"{self.name} is damaged in places ({self._damaged}); the {pictures} pictures that remain were used"
        end = self._end - self._begin()
        if not self.live and self.duration is not None and end + SLACK < self.duration - self._rest():
            return f"{self.name} ends after {end:.1f} of {self.duration:.1f} s; what is there was used"
        return None

    def _begin(self) -> float:
        """Where on the file's clock the duration begins: with the pictures when it is theirs."""
        if self._stream.duration is None or self._stream.start_time is None or self._stream.time_base is None:
            return 0.0
        return float(self._stream.start_time * self._stream.time_base)

    def _rest(self) -> float:
        """How long the last picture may be shown."""
        return 1 / float(self._stream.average_rate) if self._stream.average_rate else 0.0


def upright(frame: VideoFrame, matrix: Matrix | None, width: int) -> Pixels:
    """The picture as it is meant to be shown, ``uint8 (H, W, 3)``; ``width`` is that before a quarter turn."""
    pixels: Pixels = frame.to_ndarray(format="rgb24", width=width)  # type: ignore[assignment]
    if matrix is None:
        return pixels
    a, b, c, d = matrix[0], matrix[1], matrix[3], matrix[4]
    if abs(b) > abs(a):  # a quarter turn: columns become rows
        pixels, a, d = pixels.swapaxes(0, 1), c, b
    pixels = pixels[:, ::-1] if a < 0 else pixels
    return np.ascontiguousarray(pixels[::-1] if d < 0 else pixels)


def display_matrix(frame: VideoFrame) -> Matrix | None:
    """Nine numbers that map stored x and y (to the right, downwards) to shown ones; None when the file has none."""
    data: Any = frame.side_data.get("DISPLAYMATRIX")
    return None if data is None else np.frombuffer(data, np.int32).copy()


def _open_file(path: Path) -> InputContainer:
    name = str(path)
    if path.is_dir():
        raise VideoError(f"{name} is a folder; give the path of one video")
    with suppress(OSError):
        if path.is_file() and not path.stat().st_size:
            raise VideoError(f"{name} is empty; give a complete video")
    return _open(f"file:{name}", None, {}, name=name)  # a name with a colon would otherwise be taken for a protocol


def _open(path: str, format: str | None, options: dict[str, str], *, name: str) -> InputContainer:  # noqa: A002
    try:
        return av.open(path, format=format, options=options)
    except (av.FFmpegError, OSError, ValueError) as error:
        if isinstance(error, FileNotFoundError):
            raise VideoError(f"{name} does not exist; check the path, or which cameras there are") from error
        if isinstance(error, av.InvalidDataError):
            raise VideoError(f"{name} is no video, or damaged or cut off; give an intact file") from error
        raise VideoError(f"{name} cannot be opened ({_brief(error)}); check the path and its permissions") from error


def _picture_stream(container: InputContainer, name: str) -> VideoStream:
    moving = [s for s in container.streams.video if not s.disposition & av.stream.Disposition.attached_pic]
    if not moving:
        raise VideoError(f"{name} holds no pictures, only sound or data; give a video")
    stream = moving[0]
    width = _shown_width(stream.width, stream)
    if width * stream.height > MAX_PIXELS:
        raise VideoError(f"{name} has {width}x{stream.height} pixels, too many; scale it down")
    return stream


def _shown_width(width: int, stream: VideoStream) -> int:
    """How many square pixels are as wide as so many stored ones; those of DV, DVD and HDV are not square."""
    return max(1, round(width * (stream.sample_aspect_ratio or 1)))


def _end_of(packet: Packet[Stream]) -> float:
    """Seconds on the file's clock; 0 for the empty packets after the last."""
    return 0.0 if packet.pts is None else float((packet.pts + (packet.duration or 0)) * packet.time_base)


def _brief(error: BaseException) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
