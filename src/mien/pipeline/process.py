"""One worker process, as seen by the process that started it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Timer
from typing import IO, Any

from mien.errors import WorkError, WorkTimeoutError
from mien.pipeline.messages import receive, send

_MAIN = "import sys; sys.path[:] = {path!r}; from mien.pipeline.worker import main; main()"
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


class Process:
    """A process that works on one item at a time; used by one thread, ended by any."""

    def __init__(self) -> None:
        command = [sys.executable, "-c", _MAIN.format(path=sys.path)]
        environment = {**os.environ, **_ONE_THREAD}  # there is a process for each core
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)  # noqa: S603
        self._seconds = 0.0
        self._overdue = False

    @property
    def running(self) -> bool:
        """Whether it can be asked."""
        return not self._overdue and self._process.poll() is None

    def start(self, make: Callable[[], Callable[[Any], Any]]) -> None:
        """Wait until it has made its function.

        Raises:
            WorkError: it died.
            Exception: what ``make`` raised.
        """
        failure = self._talk(make)
        if failure is not None:
            raise failure

    def ask(self, item: Any, seconds: float) -> tuple[bool, Any]:
        """Let it work on an item; gives whether that worked, and the result or the error.

        Raises:
            WorkError: it died, or was ended.
        """
        answer: tuple[bool, Any] = self._talk((item, seconds))
        return answer

    @contextmanager
    def limited(self, seconds: float) -> Iterator[None]:
        """End the process when the block takes longer."""
        self._seconds = seconds
        timer = Timer(seconds, self._expire)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def kill(self) -> None:
        """End it, whatever it does."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with suppress(OSError):  # what was not sent yet
                    stream.close()

    def _expire(self) -> None:
        self._overdue = True
        self._process.kill()

    def _talk(self, message: object) -> Any:
        try:
            send(_opened(self._process.stdin), message)
            return receive(_opened(self._process.stdout))
        except (OSError, EOFError) as error:
            code = self._process.wait()
            if self._overdue:
                raise WorkTimeoutError(f"it took longer than {self._seconds:g} s") from error
            raise WorkError(f"the process that worked on it ended by itself (code {code})") from error


def _opened(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise AssertionError("the process was started with pipes")
    return stream
