"""Several processes that share one listening socket; one that dies is replaced."""

from __future__ import annotations

import logging
import os
import signal
import tempfile
import threading
import time
from collections.abc import Callable
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess

from mien.server.metrics import SHARED_FOLDER

RESTART_SECONDS = 1.0
"""Time before a dead worker is replaced, so that one that cannot start does not keep a core busy."""

_LOG = logging.getLogger("mien.server")
_CONTEXT = get_context("spawn")  # threads and locks of the runtime do not survive a fork


class Workers:
    """Processes that all do the same until SIGTERM or SIGINT.

    Args:
        target: what each does; it must end after SIGTERM, and be picklable.
        count: how many.
    """

    def __init__(self, target: Callable[[], None], count: int) -> None:
        self._target = target
        self._count = count
        self._stopping = False

    def run(self) -> None:
        """Run them until a signal comes and all have ended."""
        with tempfile.TemporaryDirectory(prefix="mien-metrics-") as folder:
            os.environ[SHARED_FOLDER] = folder  # before the workers import the metrics
            try:
                self._run()
            finally:
                del os.environ[SHARED_FOLDER]

    def _run(self) -> None:
        running, told = [self._started() for _ in range(self._count)], False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        while running:
            wait([process.sentinel for process in running], timeout=0.2)
            if self._stopping and not told:
                told = True  # a second signal would make them drop what they work on
                for process in running:
                    process.terminate()
            alive = [process for process in running if process.is_alive()]
            if len(alive) < len(running) and not self._stopping:
                _LOG.error("a worker ended with %s and is replaced", {p.exitcode for p in running} - {None})
                time.sleep(RESTART_SECONDS)
                alive += [self._started() for _ in range(len(running) - len(alive))]
            running = alive

    def _started(self) -> BaseProcess:
        process = _CONTEXT.Process(target=_work, args=(self._target,))
        process.start()
        return process

    def _stop(self, *_: object) -> None:
        self._stopping = True


def _work(target: Callable[[], None]) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    target()


def _end_with_parent() -> None:
    """Nobody could stop a worker whose parent was killed."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
