"""How often, and how many at the same time."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from mien.server.problems import Code, ProblemError

MOST_CLIENTS = 10_000
"""Clients remembered; the one that was quiet for longest is forgotten, which is to its favour."""

ROUNDING = 1e-4
"""Part of a token that may be missing: sums of a clock's readings lose digits, and who waited as told gets a token."""


class Rate:
    """A bucket of tokens for each client: it fills at the rate, and holds two seconds' worth.

    Used by the event loop's thread alone.

    Args:
        rate: requests a second.
        clock: seconds.
    """

    def __init__(self, rate: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._most, self._clock = rate, max(1.0, 2 * rate), clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, client: str) -> float:
        """Take a token; gives the seconds to wait when there is none, else 0."""
        now = self._clock()
        tokens, then = self._buckets.pop(client, (self._most, now))
        tokens = min(self._most, tokens + (now - then) * self._rate)
        enough = tokens >= 1 - ROUNDING
        self._buckets[client] = (max(0.0, tokens - enough), now)
        if len(self._buckets) > MOST_CLIENTS:
            self._buckets.popitem(last=False)
        return 0.0 if enough else (1 - tokens) / self._rate

    def check(self, client: str) -> None:
        """Take a token.

        Raises:
            ProblemError: there is none.
        """
        if wait := self.take(client):
            raise ProblemError(Code.RATE_EXCEEDED, "requests come faster than the service allows; slow down", wait)


class Slots:
    """How many may be in work at the same time; used by the event loop's thread alone.

    Args:
        most: how many.
    """

    def __init__(self, most: int) -> None:
        self._free = most

    @contextmanager
    def one(self) -> Iterator[None]:
        """Hold a place.

        Raises:
            ProblemError: all are taken.
        """
        if self._free < 1:
            raise ProblemError(Code.BUSY, "too many requests are in work; try again in a moment", 1.0)
        self._free -= 1
        try:
            yield
        finally:
            self._free += 1
