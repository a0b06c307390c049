"""The socket that a process listens with: it accepts no more connections than there may be, and says so quietly."""

from __future__ import annotations

import errno
import os
import socket
from contextlib import suppress
from typing import Any

from mien.server.connections import Connection, Connections
from mien.server.quiet_log import Throttled

try:
    import resource
except ImportError:  # Windows has no such limit
    resource = None  # type: ignore[assignment]

REFUSED_AT_ONCE = 100
"""Connections refused before the event loop does other work again."""

_OUT_OF_FILES = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_LOG = Throttled("mien.server")


class Listener(socket.socket):
    """A listening socket that accepts no more connections than there may be.

    Args:
        bound: what to listen with; it is taken over.
        connections: where to count.
    """

    def __init__(self, bound: socket.socket, connections: Connections) -> None:
        super().__init__(bound.family, bound.type, bound.proto, fileno=bound.detach())
        self._connections = connections
        self._spare: int | None = os.open(os.devnull, os.O_RDONLY)

    def accept(self) -> tuple[socket.socket, Any]:
        """Accept the next connection that there is room for.

        Raises:
            BlockingIOError: there is none now.
        """
        for _ in range(REFUSED_AT_ONCE):
            raw, address = self._next()
            peer = (address[0], address[1])
            if self._connections.has_room(peer):
                connection = Connection(raw, peer, self._connections)
                self._connections.opened(connection)
                return connection, address
            raw.close()
            _LOG.warning("connections are refused: there are as many as may be, of their address or of all")
        raise BlockingIOError(errno.EAGAIN, "the event loop has other work first")

    def close(self) -> None:
        """Close the socket."""
        super().close()
        if self._spare is not None:
            os.close(self._spare)
            self._spare = None

    def _next(self) -> tuple[socket.socket, Any]:
        try:
            return super().accept()
        except OSError as error:
            if error.errno not in _OUT_OF_FILES or self._spare is None:
                raise
            _LOG.warning(f"connections are refused: {error.strerror}")
        os.close(self._spare)  # with its descriptor one can be accepted, to be closed, so that it does not wait
        self._spare = None
        try:
            super().accept()[0].close()
        finally:
            with suppress(OSError):
                self._spare = os.open(os.devnull, os.O_RDONLY)
        raise BlockingIOError(errno.EAGAIN, "no descriptor is free")


def descriptors(wanted: int) -> int:
    """Let this process have as many open files as are wanted, if it may; gives how many it may have."""
    if resource is None:
        return wanted
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return wanted
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    with suppress(ValueError, OSError):  # some systems have further limits
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        return most
    return soft
