"""Everything that the routes work with, opened together and closed together."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from mien.analyzer import Mien
from mien.authentication import ChallengeStore, Store
from mien.contract import Contract
from mien.gallery import Gallery
from mien.server.key_store import KeyStore
from mien.server.lanes import Lanes
from mien.server.limits import Rate
from mien.server.metrics import Metrics, worker_ended
from mien.server.rules import Rules, read_rules
from mien.server.settings import Settings


@dataclass(frozen=True, slots=True, eq=False)
class Service:
    """What the routes work with."""

    settings: Settings
    mien: Mien
    gallery: Gallery
    store: Store
    keys: KeyStore
    challenges: ChallengeStore
    lanes: Lanes
    metrics: Metrics
    rate: Rate
    rules: Rules

    @property
    def contract(self) -> Contract:
        """What the model promises."""
        return self.mien.contract


@contextmanager
def opened(settings: Settings, metrics: Metrics) -> Iterator[Service]:
    """Load the model and open the files; at the end finish what was accepted, then close them.

    Raises:
        MienError: the model, the gallery, the service's file or the policy cannot be used.
    """
    mien = Mien(settings.model, threads=settings.threads, providers=settings.providers, min_face=settings.min_face)
    rules = read_rules(settings.policy, mien.contract)
    limits = settings.limits
    with Gallery(settings.gallery, mien.contract) as gallery, Store(settings.store) as store:
        gallery.load()
        _ = mien.detector  # loaded now, not at the first photo
        lanes = Lanes(mien, lanes=_cores(), capacity=limits.queue, max_pixels=limits.pixels, metrics=metrics)
        try:
            yield Service(
                settings=settings,
                mien=mien,
                gallery=gallery,
                store=store,
                keys=KeyStore(store),
                challenges=ChallengeStore(store, gallery),
                lanes=lanes,
                metrics=metrics,
                rate=Rate(limits.rate),
                rules=rules,
            )
        finally:
            lanes.close()
            worker_ended()


def get_service(connection: HTTPConnection) -> Service:
    """The service of a request's application."""
    service: Service = connection.app.state.service
    return service


Services = Annotated[Service, Depends(get_service)]


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
