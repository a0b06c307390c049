"""Log lines that strangers can cause as often as they like, written down as often as somebody would read them."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

SECONDS = 60.0
"""Between two lines that say the same."""


class Throttled:
    """A logger that says the same once a minute.

    Args:
        name: of the logger.
        clock: seconds.
    """

    def __init__(self, name: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._log, self._clock = logging.getLogger(name), clock
        self._said: dict[str, float] = {}
        self._left_out: dict[str, int] = {}

    def warning(self, text: str) -> None:
        """Say something, unless it was said a short time ago."""
        now = self._clock()
        if now - self._said.get(text, float("-inf")) < SECONDS:
            self._left_out[text] = self._left_out.get(text, 0) + 1
            return
        self._said[text] = now
        count = self._left_out.pop(text, 0)
        self._log.warning("%s%s", text, f" ({count} more times since)" if count else "")


_LOG = Throttled("mien.server")


def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """What the event loop does with errors that nobody waits for: those of connections get no traceback."""
    error = context.get("exception")
    if isinstance(error, OSError):  # of TLS, too
        _LOG.warning(f"a connection failed: {context.get('message')} ({type(error).__name__})")
    else:
        loop.default_exception_handler(context)
