"""Clients of a service on this machine, each with a connection of its own, as light as they can be."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPConnection
from time import perf_counter

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Round:
    """What some clients got for their requests.

    Attributes:
        seconds: that each request took.
        faces: how many faces were found in all.
    """

    seconds: tuple[float, ...]
    faces: int


def play(port: int, bodies: Sequence[bytes], clients: int) -> Round:
    """Send all, spread evenly over clients that work at the same time; each waits for its answer before it goes on."""
    with ThreadPoolExecutor(clients) as threads:
        parts = list(threads.map(lambda k: _work(port, bodies[k::clients]), range(clients)))
    return Round(tuple(s for part in parts for s in part.seconds), sum(part.faces for part in parts))


def batches_of(port: int) -> tuple[float, float]:
    """How many times the service looked at photos, and at how many in all, as its metrics tell."""
    text = _asked(HTTPConnection(HOST, port), "GET", "/metrics").decode()
    count, total = (float(re.findall(rf"^mien_batch_photos_{what} (\S+)$", text, re.M)[0]) for what in ("count", "sum"))
    return count, total


def _work(port: int, bodies: Sequence[bytes]) -> Round:
    connection, seconds, faces = HTTPConnection(HOST, port), [], 0
    for body in bodies:
        start = perf_counter()
        answer = _asked(connection, "POST", "/v1/analyze", body)
        seconds.append(perf_counter() - start)
        faces += len(json.loads(answer)["faces"])
    connection.close()
    return Round(tuple(seconds), faces)


def _asked(connection: HTTPConnection, method: str, path: str, body: bytes | None = None) -> bytes:
    connection.request(method, path, body, {"Content-Type": "image/jpeg"})
    response = connection.getresponse()
    answer = response.read()
    if response.status != 200:
        sys.exit(f"the service answered {response.status}: {answer.decode(errors='replace')}")
    return answer
