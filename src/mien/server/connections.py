"""The connections of a process: how many there may be, and for how long nothing may happen on one.

The server that runs the application gives neither. So the socket that it listens with keeps to the limits, and the
application ends what has waited for too long; neither needs to know the server.
"""

from __future__ import annotations

import ipaddress
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

HEAD_SECONDS = 10.0
"""Within which a connection must have sent the head of a request, after it was opened and after each answer."""

SEND_SECONDS = 20.0
"""Within which something of an answer must be taken, while some is left: a slow reader holds memory and a place."""

Peer = tuple[str, int]


class Connection(socket.socket):
    """An accepted socket that tells when it is closed, and when something went out.

    Attributes:
        peer: the other side.
        requests: how many of its requests are at work.
        waiting_since: since when a request's head is waited for; None while one is answered.
        sending_since: since when a part of an answer waits to be taken; None when none does.
        moved: when something was last taken.
    """

    def __init__(self, raw: socket.socket, peer: Peer, registry: Connections) -> None:
        super().__init__(raw.family, raw.type, raw.proto, fileno=raw.detach())
        self.peer, self._registry = peer, registry
        self.requests, self.moved = 0, registry.now()
        self.waiting_since: float | None = self.moved
        self.sending_since: float | None = None

    def send(self, *given: Any) -> int:
        """Send, as any socket does."""
        sent = super().send(*given)
        self.moved = self._registry.now()
        return sent

    def sendmsg(self, *given: Any) -> int:
        """Send, as any socket does."""
        sent = super().sendmsg(*given)
        self.moved = self._registry.now()
        return sent

    def close(self) -> None:
        """Close the socket."""
        super().close()
        self._registry.closed(self)

    def end(self) -> None:
        """Let both directions end; whoever reads or writes is told so, and closes it."""
        with suppress(OSError):  # it has ended
            self.shutdown(socket.SHUT_RDWR)

    def stuck(self, now: float) -> bool:
        """Whether nothing happened on it for too long."""
        return _longer(self.waiting_since, self.moved, now, HEAD_SECONDS) or _longer(
            self.sending_since, self.moved, now, SEND_SECONDS
        )


class Connections:
    """The open connections; used by the event loop's thread alone.

    Args:
        most: how many there may be.
        per_address: how many of one address (of IPv6: of its /64), 0 for any number.
        clock: seconds.
    """

    def __init__(self, most: int, per_address: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._per_address, self.now = most, per_address, clock
        self._open: set[Connection] = set()
        self._by_peer: dict[Peer, Connection] = {}
        self._of_address: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._open)

    def has_room(self, peer: Peer) -> bool:
        """Whether another connection may be opened."""
        own = self._of_address[_group(peer[0])]
        return len(self) < self._most and (not self._per_address or own < self._per_address)

    def opened(self, connection: Connection) -> None:
        """Count a connection."""
        self._open.add(connection)
        self._by_peer[connection.peer] = connection
        self._of_address[_group(connection.peer[0])] += 1

    def closed(self, connection: Connection) -> None:
        """Count a connection no more."""
        if connection not in self._open:
            return
        self._open.remove(connection)
        if self._by_peer[connection.peer] is connection:
            del self._by_peer[connection.peer]
        group = _group(connection.peer[0])
        self._of_address[group] -= 1
        if not self._of_address[group]:
            del self._of_address[group]

    @contextmanager
    def answering(self, peer: Peer | None) -> Iterator[None]:
        """While the block runs, a request of a connection is answered; before and after, one is waited for."""
        connection = self._find(peer)
        if connection is None:
            yield
            return
        connection.requests += 1
        connection.waiting_since = None
        try:
            yield
        finally:
            connection.requests -= 1
            if not connection.requests:  # the next one may have begun already
                connection.waiting_since = self.now()

    @contextmanager
    def sending(self, peer: Peer | None) -> Iterator[None]:
        """While the block runs, a part of an answer waits to be taken."""
        connection = self._find(peer)
        if connection is not None:
            connection.sending_since = self.now()
        try:
            yield
        finally:
            if connection is not None:
                connection.sending_since = None

    def end(self, peer: Peer | None) -> None:
        """End a connection, whatever happens on it."""
        connection = self._find(peer)
        if connection is not None:
            connection.end()

    def end_stuck(self) -> None:
        """End connections on which nothing was asked for, or taken, for too long."""
        now = self.now()
        for connection in list(self._open):
            if connection.stuck(now):
                connection.end()

    def _find(self, peer: Peer | None) -> Connection | None:
        return None if peer is None else self._by_peer.get((peer[0], peer[1]))


def _longer(since: float | None, moved: float, now: float, seconds: float) -> bool:
    return since is not None and now - max(since, moved) > seconds


def _group(host: str) -> str:
    """Whose connections are counted together."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if address.version == 4:
        return host
    return str(address.ipv4_mapped or ipaddress.ip_network((address, 64), strict=False))
