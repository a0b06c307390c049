"""What a service is started with."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path

from mien.errors import ServiceError
from mien.gallery.companions import service_file

LOCAL_NAME = "localhost"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a request may cost.

    Attributes:
        body: bytes of a request's body, and of a message on a WebSocket.
        pixels: pixels of a photo; 25 million are 75 MB when decoded.
        rate: requests and frames a second of one key, or of one address without a key; each worker counts by itself.
            The double may come at once.
        concurrency: requests in work, and WebSockets open, at the same time, each.
        queue: photos that wait to be looked at.
        connections: that may be open at the same time, in each worker.
        per_address: of them, those of one address (of IPv6: of its /64); 0 for any number, as behind a proxy, whose
            address all have. None: a quarter.

    Raises:
        ServiceError: a limit is not above zero.
    """

    body: int = 10_000_000
    pixels: int = 25_000_000
    rate: float = 50.0
    concurrency: int = 64
    queue: int = 64
    connections: int = 1000
    per_address: int | None = None

    def __post_init__(self) -> None:
        for name in ("body", "pixels", "rate", "concurrency", "queue", "connections"):
            if not getattr(self, name) > 0:
                raise ServiceError(f"the limit {name} is {getattr(self, name)}; give more than zero")
        if self.per_address is not None and self.per_address < 0:
            raise ServiceError(f"the limit per_address is {self.per_address}; give 0 for any number, or more")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a service works with; the same in each worker.

    Attributes:
        gallery: the gallery's file; it is created when it does not exist.
        model: as of `mien.Mien`.
        threads: likewise.
        providers: likewise.
        min_face: likewise.
        policy: a JSON file with fields of `mien.authentication.Policy`; None takes the recommended ones.
        host: the address to listen at.
        limits: what a request may cost.
    """

    gallery: Path
    model: str | None = None
    threads: int | None = None
    providers: tuple[str, ...] | None = None
    min_face: float | None = None
    policy: Path | None = None
    host: str = "127.0.0.1"
    limits: Limits = field(default_factory=Limits)

    @property
    def store(self) -> Path:
        """The file of keys and challenges, beside the gallery."""
        return service_file(self.gallery)

    @property
    def local(self) -> bool:
        """Whether only this machine can reach the address."""
        return is_local(self.host)


def is_local(host: str) -> bool:
    """Whether a name or address is this machine's loopback; any other name might be resolved to anything.

    >>> is_local("127.0.0.1"), is_local("[::1]"), is_local("0.0.0.0"), is_local("example.org")
    (True, True, False, False)
    """
    if host.lower() == LOCAL_NAME:
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
