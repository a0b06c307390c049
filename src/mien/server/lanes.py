"""A bounded queue of photos, and the threads that look at them, several at a time."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Condition, Thread
from typing import Any, TypeVar

from mien.analyzer import Mien
from mien.detection import EVERY_WAY
from mien.errors import ImageError
from mien.photo import Photo
from mien.server.metrics import Metrics
from mien.server.photos import open_photo
from mien.server.problems import Code, ProblemError
from mien.types import Face, FoundBy, ImageFailure

T = TypeVar("T")

BATCH = 8
"""Most photos looked at together: all of them are answered when the last one is done."""

LINGER_SECONDS = 0.003
"""How long a thread waits for more photos to come; a photo takes ten times as long."""


@dataclass(frozen=True, slots=True, eq=False)
class _Photo:
    data: bytes
    ways: tuple[FoundBy, ...]
    result: Future[list[Face]] = field(default_factory=Future)


@dataclass(frozen=True, slots=True, eq=False)
class _Work:
    function: Callable[[], Any]
    result: Future[Any] = field(default_factory=Future)


class Lanes:
    """Threads beside the event loop; what was accepted is finished before `close` returns.

    Args:
        mien: looks at the photos.
        lanes: how many threads; the runtime computes outside of Python's lock, so that they use several cores.
        capacity: how many photos and pieces of work may wait.
        max_pixels: see `mien.server.photos.open_photo`.
        metrics: where to count.
    """

    def __init__(self, mien: Mien, *, lanes: int, capacity: int, max_pixels: int, metrics: Metrics) -> None:
        self._mien, self._capacity, self._max_pixels, self._metrics = mien, capacity, max_pixels, metrics
        self._queue: deque[_Photo | _Work] = deque()
        self._changed = Condition()
        self._closed = False
        self._threads = [Thread(target=self._serve, name=f"lane {k}", daemon=True) for k in range(lanes)]
        for thread in self._threads:
            thread.start()

    @property
    def alive(self) -> bool:
        """Whether photos can be taken."""
        return not self._closed and all(thread.is_alive() for thread in self._threads)

    async def faces(self, photo: bytes, ways: Sequence[FoundBy] = EVERY_WAY) -> list[Face]:
        """Find and analyse the faces of an encoded photo.

        Args:
            photo: the file.
            ways: the ways to look for faces, as of `mien.Mien.analyze`.

        Raises:
            ImageError: it cannot be read.
            ProblemError: too many photos are waiting.
        """
        faces: list[Face] = await self._put(_Photo(photo, tuple(ways)))
        return faces

    async def run(self, function: Callable[[], T]) -> T:
        """Do some other work that keeps a core busy for long; raises what it raises, and as `faces`."""
        result: T = await self._put(_Work(function))
        return result

    def close(self) -> None:
        """Take no more, and wait until all that was taken is done."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    async def _put(self, item: _Photo | _Work) -> Any:
        with self._changed:
            if self._closed or len(self._queue) >= self._capacity:
                raise ProblemError(Code.BUSY, "too many photos are waiting; try again in a moment", 1.0)
            self._queue.append(item)
            self._metrics.waiting.inc()
            self._changed.notify()
        return await asyncio.wrap_future(item.result)

    def _serve(self) -> None:
        while batch := self._next():
            wanted = [item for item in batch if item.result.set_running_or_notify_cancel()]
            photos = [item for item in wanted if isinstance(item, _Photo)]
            for item in wanted:
                if isinstance(item, _Work):
                    _do(item)
            if photos:
                self._metrics.batches.observe(len(photos))
                self._look(photos)

    def _next(self) -> list[_Photo | _Work]:
        """One piece of work, or photos that came in succession; empty at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._closed)
            batch: list[_Photo | _Work] = []
            if self._queue:
                batch.append(self._queue.popleft())
            if batch and isinstance(batch[0], _Photo):
                self._gather(batch, batch[0].ways)
            self._metrics.waiting.dec(len(batch))
            return batch

    def _gather(self, batch: list[_Photo | _Work], ways: tuple[FoundBy, ...]) -> None:
        """Take further photos that are searched in the same ways."""
        end = time.monotonic() + LINGER_SECONDS
        while len(batch) < BATCH:
            if self._queue:
                following = self._queue[0]
                if not isinstance(following, _Photo) or following.ways != ways:
                    return
                batch.append(self._queue.popleft())
            elif self._closed or not self._changed.wait(max(0.0, end - time.monotonic())):
                return

    def _look(self, photos: list[_Photo]) -> None:
        readable: list[_Photo] = []
        try:
            answers = self._mien.analyze_stream(self._decoded(photos, readable), ways=photos[0].ways)
            for position, answer in enumerate(answers):
                result = readable[position].result
                if isinstance(answer, ImageFailure):
                    result.set_exception(ImageError(answer.message))
                else:
                    self._metrics.faces.inc(len(answer))
                    result.set_result(answer)
        except Exception as error:  # noqa: BLE001  every request must be answered
            for item in photos:
                if not item.result.done():
                    item.result.set_exception(error)

    def _decoded(self, photos: list[_Photo], readable: list[_Photo]) -> Iterator[Photo]:
        """Open one after the other, so that few are held in memory; who is unreadable is told so at once."""
        for item in photos:
            try:
                photo = open_photo(item.data, self._max_pixels)
            except ImageError as error:
                item.result.set_exception(error)
            else:
                readable.append(item)
                yield photo


def _do(item: _Work) -> None:
    try:
        item.result.set_result(item.function())
    except BaseException as error:  # noqa: BLE001  belongs to whoever waits
        item.result.set_exception(error)
