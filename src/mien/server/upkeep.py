"""What is done again and again while the service runs."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from starlette.concurrency import run_in_threadpool

from mien.errors import MienError
from mien.server.service import Service

SWEEP_SECONDS = 30.0

_LOG = logging.getLogger("mien.server")


@asynccontextmanager
async def swept(service: Service) -> AsyncIterator[None]:
    """End and remove old challenges every `SWEEP_SECONDS` while the block runs."""
    task = asyncio.create_task(_sweep(service))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _sweep(service: Service) -> None:
    while True:
        try:
            await run_in_threadpool(service.challenges.sweep, time.time(), service.rules.policy.lockout)
        except MienError as error:
            _LOG.warning("old challenges were not removed: %s", error)
        await asyncio.sleep(SWEEP_SECONDS)
