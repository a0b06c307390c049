"""Listen: one process or several, until a signal ends them."""

from __future__ import annotations

import logging
import signal
import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from mien.authentication import Store
from mien.errors import ServiceError
from mien.gallery import Gallery
from mien.runtime import Model
from mien.server.app import create_app
from mien.server.connections import Connections
from mien.server.key_store import KeyStore
from mien.server.listener import Listener, descriptors
from mien.server.rules import read_rules
from mien.server.settings import Limits, Settings
from mien.server.workers import Workers

GRACE_SECONDS = 30
"""How long what was accepted may take to end after the signal."""

BACKLOG = 512
"""Connections that may wait to be accepted."""

OTHER_FILES = 100
"""Descriptors for all but connections: files, pipes, the event loop's own."""

_LOG = logging.getLogger("mien.server")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """Where and how to listen; the address is in `Settings`.

    Attributes:
        port: TCP port; 0 takes a free one.
        workers: processes; each has its own model in memory.
        tls_cert: a PEM file with the certificate and its chain, or None for plain HTTP.
        tls_key: a PEM file with its private key.
    """

    port: int = 8000
    workers: int = 1
    tls_cert: Path | None = None
    tls_key: Path | None = None


def serve(settings: Settings, listening: Listening) -> None:
    """Serve until SIGTERM or SIGINT, then finish what was accepted.

    Raises:
        MienError: it cannot be served so; one sentence tells why.
    """
    check(settings)
    _check_tls(listening)
    _configure_logging()
    with _bound(settings.host, listening.port) as bound:
        scheme = "http" if listening.tls_cert is None else "https"
        _LOG.info("listening at %s://%s:%d/", scheme, _in_url(settings.host), bound.getsockname()[1])
        work = partial(_work, settings, listening, bound)
        if listening.workers == 1:
            work()
        else:
            Workers(work, listening.workers).run()


def check(settings: Settings) -> None:
    """Refuse what would fail later, or be open to strangers.

    Raises:
        MienError: the model, a file or the policy cannot be used, or the address needs a key and there is none.
    """
    contract = Model(settings.model, providers=settings.providers).contract
    read_rules(settings.policy, contract)
    _check_gallery(settings)
    with Gallery(settings.gallery, contract), Store(settings.store) as store:
        if not settings.local and not KeyStore(store).any():
            raise ServiceError(
                f"{settings.host} can be reached by others, and there is no API key; run `mien serve keys add`"
            )


def _check_gallery(settings: Settings) -> None:
    """Refuse to create a gallery where one was; an empty one would be taken for it."""
    if settings.gallery.exists() or not settings.store.exists():
        return
    with Store(settings.store) as store:
        if store.paired:
            raise ServiceError(
                f"{settings.gallery} does not exist any more, but {settings.store} belongs to it; put it back, or move "
                "that file away too"
            )


def worker_app(settings: Settings, connections: Connections) -> FastAPI:
    """The application of one process."""
    _configure_logging()
    return create_app(settings, connections)


def _config(settings: Settings, listening: Listening, connections: Connections) -> uvicorn.Config:
    return uvicorn.Config(
        partial(worker_app, settings, connections),
        factory=True,
        loop="asyncio",  # others accept connections by themselves
        http="h11",
        backlog=BACKLOG,
        log_config=None,
        access_log=False,  # it would write down paths, which hold names
        proxy_headers=False,  # anybody could send them
        server_header=False,
        ws="websockets-sansio",
        ws_max_size=settings.limits.body,
        ssl_certfile=listening.tls_cert,
        ssl_keyfile=listening.tls_key,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )


def _work(settings: Settings, listening: Listening, bound: socket.socket) -> None:
    """What each worker does: serve until a signal."""
    # uvicorn raises the signal again at its end, which would make the exit look like a failure.
    signal.signal(signal.SIGTERM, lambda *_: None)
    connections = _connections(settings.limits)
    with suppress(KeyboardInterrupt), Listener(bound, connections) as listener:
        uvicorn.Server(_config(settings, listening, connections)).run(sockets=[listener])


def _connections(limits: Limits) -> Connections:
    """As many as are allowed, and as there are descriptors for."""
    most = min(limits.connections, max(1, descriptors(limits.connections + OTHER_FILES) - OTHER_FILES))
    if most < limits.connections:
        _LOG.warning("there are descriptors for %d connections only; raise the limit of open files", most)
    return Connections(most, max(1, most // 4) if limits.per_address is None else limits.per_address)


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        bound = socket.create_server((host.strip("[]"), port), family=family, backlog=BACKLOG)
    except (OSError, OverflowError) as error:
        raise ServiceError(f"cannot listen at {host}:{port} ({error}); choose another --host or --port") from error
    # Connections inherit it. An answer is sent in two pieces, and the second one would wait 40 ms for the receipt of
    # the first; asyncio sees to that only for sockets that were made with TCP's number.
    bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return bound


def _check_tls(listening: Listening) -> None:
    cert, key = listening.tls_cert, listening.tls_key
    if (cert is None) != (key is None):
        raise ServiceError(
            "a certificate needs its key and the key its certificate; give both --tls-cert and --tls-key"
        )
    if cert is None or key is None:
        return
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert, key)
    except (OSError, ssl.SSLError) as error:
        raise ServiceError(f"{cert} and {key} are no certificate with its key ({error}); give PEM files") from error


def _configure_logging() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    logging.getLogger("uvicorn").setLevel(logging.ERROR)  # it warns of each request that is none


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host and not host.startswith("[") else host
