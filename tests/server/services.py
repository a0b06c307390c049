"""A service in a process of its own, and what the tests of services share."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx

MAIN = "from mien.cli import main; main()"

ADA, CONSENT = "Barack Obama", "a public figure"
"""Whom the example photos show."""

EASY = {
    "expressions": ["happiness"],
    "count": 1,
    "neutral_first": False,
    "hold": 3,
    "probability": 0.4,
    "margin": 0.1,
    "max_gap": 60,
    "time_limit": 120,
    "overlap": 0,
}
"""A challenge that one smiling photo passes, held for three frames."""


def enrol(client, *photos, name=ADA, consent=CONSENT, **fields):
    files = [("photo", (f"{k}.jpg", data)) for k, data in enumerate(photos)]
    return client.post("/v1/people", data={"name": name, "consent": consent, **fields}, files=files)


def problem(response, status, code):
    """Check that an answer is a problem of a kind; gives its members."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    members = response.json()
    assert members["status"] == status
    assert members["code"] == code
    assert members["request_id"] == response.headers["x-request-id"]
    assert members["type"] == f"/v1/problems/{code}"
    assert members["detail"] and members["title"]
    return members


def run_apart(play):
    """Run a coroutine function in a thread of its own: a browser under test may keep a loop running in this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(play())).result()


class Server:
    """`mien serve` in a process of its own."""

    def __init__(self, *arguments, environment=None, prelude=""):
        command = [sys.executable, "-W", "error", "-c", prelude + MAIN, "serve", "--port", "0", *map(str, arguments)]
        self.lines = []
        self.process = subprocess.Popen(
            command,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1", **(environment or {})},
        )
        self._listening = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.process.stderr:
            self.lines.append(line)
            if "listening at" in line:
                self._listening.set()
        self._listening.set()

    @property
    def url(self):
        assert self._listening.wait(30)
        found = re.search(r"listening at (\S+)/", "".join(self.lines))
        assert found, "".join(self.lines)
        return found[1]

    @property
    def log(self):
        return "".join(self.lines)

    def ended(self):
        """All that it said, once it has ended."""
        self._reader.join(5)
        return self.log

    @contextmanager
    def client(self, **options):
        """A client of the server once it is ready."""
        with httpx.Client(base_url=self.url, timeout=30, **options) as client:
            assert client.get("/v1/ready").status_code == 200
            yield client

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        code = self.process.wait(30)
        self.ended()
        return code
