"""Processes that work on one item at a time, and that can be ended at any moment.

A decoder that does not come back cannot be stopped from within its own process. So each item has a time; a process that
needs longer, or that dies, costs this item alone, and another one takes its place.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from threading import Condition, Event, Thread
from typing import Generic, Self, TypeVar

from mien.errors import WorkError
from mien.pipeline.process import Process

Item = TypeVar("Item")
Result = TypeVar("Result")

START_SECONDS = 60.0
"""How long a process may take to start."""


class Workers(Generic[Item, Result]):
    """Processes that all run one function; may be shared by threads.

    A process starts Python anew, without the main module of this one: scripts need no guard, and notebooks work.

    Args:
        make: makes the function, in each process once. It is pickled, as are items and results: it must be found by its
            name in a module other than ``__main__``.
        count: how many processes.
        seconds: how long an item may take.
    """

    def __init__(self, make: Callable[[], Callable[[Item], Result]], *, count: int, seconds: float) -> None:
        self._make, self._seconds = make, seconds
        self._queue: deque[_Job[Item, Result]] = deque()
        self._changed = Condition()
        self._closed = False
        self._lanes = [_Lane() for _ in range(count)]
        for lane in self._lanes:
            lane.thread = Thread(target=self._serve, args=(lane,), name="worker", daemon=True)
            lane.thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self.close(None if kind is None else 0.0)

    def submit(self, item: Item) -> Future[Result]:
        """Work on an item as soon as a process is free; the result raises what the function raised.

        It raises `WorkTimeoutError` when that took too long, `WorkError` when the process died or cannot be started.
        """
        job: _Job[Item, Result] = _Job(item)
        with self._changed:
            if self._closed:
                raise WorkError("the workers are closed; make new ones")
            self._queue.append(job)
            self._changed.notify()
        return job.result

    def stream(self, items: Iterable[Item], ahead: int | None = None) -> Iterator[Future[Result]]:
        """Work on items as they come; yields their results in order, each when it is there.

        Args:
            items: any iterable; it is read as results are taken.
            ahead: how many may be under way; None: two for each process.
        """
        under_way: deque[Future[Result]] = deque()
        most = 2 * len(self._lanes) if ahead is None else ahead
        try:
            for item in items:
                under_way.append(self.submit(item))
                if len(under_way) >= most:
                    yield _done(under_way)
            while under_way:
                yield _done(under_way)
        finally:
            for future in under_way:
                future.cancel()

    def wait(self) -> None:
        """Wait until all processes have started.

        Raises:
            MienError: one could not; whatever ``make`` raised may come too.
        """
        for lane in self._lanes:
            lane.ready.wait()
            if lane.failure is not None:
                raise lane.failure

    @property
    def alive(self) -> bool:
        """Whether items can be worked on."""
        threads = [lane.thread for lane in self._lanes]
        return not self._closed and all(thread is not None and thread.is_alive() for thread in threads)

    @property
    def waiting(self) -> int:
        """How many items wait for a process."""
        return len(self._queue)

    @property
    def longest_wait(self) -> float:
        """For how many seconds the next item has waited; 0 without one."""
        with self._changed:
            return time.monotonic() - self._queue[0].since if self._queue else 0.0

    def close(self, seconds: float | None = None) -> None:
        """Take nothing more, and end the processes.

        Args:
            seconds: how long what was taken may still take; None: as long as it needs.
        """
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        end = None if seconds is None else time.monotonic() + seconds
        for lane in self._lanes:
            if lane.thread is not None:
                lane.thread.join(None if end is None else max(0.0, end - time.monotonic()))
        with self._changed:
            left, self._queue = self._queue, deque()
        for job in left:
            job.result.cancel()
        for lane in self._lanes:
            lane.kill()

    def _serve(self, lane: _Lane) -> None:
        self._start(lane)
        while (job := self._next()) is not None:
            if not lane.running:  # it died while it had nothing to do, or could not be started
                self._start(lane)
            if lane.process is None:
                job.result.set_exception(lane.failure)
                continue
            _work(lane.process, job, self._seconds)
            if not lane.running and not self._closed:
                self._start(lane)  # now, to be ready for the next item
        lane.kill()

    def _start(self, lane: _Lane) -> None:
        lane.kill()
        lane.failure = lane.process = None
        try:
            process = Process()
            lane.process = process
            with process.limited(START_SECONDS):
                process.start(self._make)
        except Exception as error:  # noqa: BLE001  belongs to whoever asks for work
            lane.kill()
            lane.process, lane.failure = None, error
        lane.ready.set()

    def _next(self) -> _Job[Item, Result] | None:
        """The next item; None at the end."""
        with self._changed:
            while True:
                self._changed.wait_for(lambda: self._queue or self._closed)
                if not self._queue:
                    return None
                job = self._queue.popleft()
                if job.result.set_running_or_notify_cancel():
                    return job


def _work(process: Process, job: _Job[Item, Result], seconds: float) -> None:
    """Work on an item; afterwards the process may be gone."""
    try:
        with process.limited(seconds):
            fine, answer = process.ask(job.item, seconds)
    except Exception as error:  # noqa: BLE001  its end, or an item that cannot be sent
        job.result.set_exception(error)
        return
    if fine:
        job.result.set_result(answer)
    else:
        job.result.set_exception(answer)


def _done(under_way: deque[Future[Result]]) -> Future[Result]:
    """The first of them, when it is done."""
    wait([under_way[0]])
    return under_way.popleft()


@dataclass(slots=True, eq=False)
class _Job(Generic[Item, Result]):
    item: Item
    result: Future[Result] = field(default_factory=Future)
    since: float = field(default_factory=time.monotonic)


@dataclass(slots=True, eq=False)
class _Lane:
    """A thread, and the process that it has at present."""

    thread: Thread | None = None
    process: Process | None = None
    failure: Exception | None = None
    ready: Event = field(default_factory=Event)

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.running

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
