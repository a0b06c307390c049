"""What is done again and again while the service runs."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

from starlette.concurrency import run_in_threadpool

from mien.errors import MienError
from mien.server.connections import Connections
from mien.server.quiet_log import handle
from mien.server.service import Service

SWEEP_SECONDS = 30.0

WATCH_SECONDS = 1.0

_LOG = logging.getLogger("mien.server")


@asynccontextmanager
async def swept(service: Service) -> AsyncIterator[None]:
    """Every `SWEEP_SECONDS` while the block runs, end and remove old challenges, and finish removals of people."""
    async with _beside(_sweep(service)):
        yield


@asynccontextmanager
async def watched(connections: Connections) -> AsyncIterator[None]:
    """Every `WATCH_SECONDS` while the block runs, end connections on which nothing happens."""
    asyncio.get_running_loop().set_exception_handler(handle)
    async with _beside(_watch(connections)):
        yield


@asynccontextmanager
async def _beside(work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _watch(connections: Connections) -> None:
    while True:
        connections.end_stuck()
        await asyncio.sleep(WATCH_SECONDS)


async def _sweep(service: Service) -> None:
    while True:
        await run_in_threadpool(_tidy, service)
        await asyncio.sleep(SWEEP_SECONDS)


def _tidy(service: Service) -> None:
    with _logged("old challenges were not removed"):
        service.challenges.sweep(time.time(), service.rules.lockout)
    with _logged("removals were not finished"):
        service.gallery.finish_removals(0.0)  # one that a reader kept pending; where there is none it is no work


@contextmanager
def _logged(failure: str) -> Iterator[None]:
    try:
        yield
    except MienError as error:
        _LOG.warning("%s: %s", failure, error)
