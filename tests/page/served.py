"""`mien serve` in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import time

MAIN = "from mien.cli import main; main()"


class Served:
    """A service that has begun to listen.

    Attributes:
        gallery: its gallery's file.
        url: its address.
    """

    def __init__(self, gallery, *arguments):
        self.gallery = gallery
        log = gallery.with_suffix(".log")
        command = [sys.executable, "-c", MAIN, "serve", "--port", "0", "--gallery", gallery, *arguments]
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [str(part) for part in command], stderr=output, env={**os.environ, "OMP_NUM_THREADS": "1"}
            )
        self.url = self._address(log)

    def _address(self, log):
        with log.open() as lines:
            while self._process.poll() is None:
                line = lines.readline()
                if "listening at" in line:
                    return line.split("listening at ")[1].strip().rstrip("/")
                if not line:
                    time.sleep(0.05)
        raise AssertionError(f"the service ended: {log.read_text()}")

    def stop(self):
        self._process.terminate()
        assert self._process.wait(30) == 0
