"""Forks children that enrol until they are killed; started once, since imports take longer than a child lives.

Each line on stdin is a prefix of names, a number of answers and a delay in seconds. A child enrols people named
``<prefix>-<number>`` and, after every fourth, removes the one before. To its pipe it writes ``+name`` after an
enrolment was acknowledged, ``~name`` before a removal and ``-name`` after it was acknowledged. After so many answers,
and the delay, it is killed; then everything that it wrote is printed in one line.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from itertools import islice

import numpy as np

from mien.gallery.gallery import Gallery


def work(path: str, prefix: str, pipe: int) -> None:
    gallery = Gallery(path)
    number = 0
    while True:
        number += 1
        gallery.enroll(f"{prefix}-{number}", np.full(3, number, np.float32), consent="yes")
        os.write(pipe, f"+{prefix}-{number}\n".encode())
        if number % 4 == 0:
            os.write(pipe, f"~{prefix}-{number - 1}\n".encode())
            gallery.remove(f"{prefix}-{number - 1}")
            os.write(pipe, f"-{prefix}-{number - 1}\n".encode())


def main() -> None:
    path = sys.argv[1]
    for line in sys.stdin:
        prefix, count, delay = line.split()
        read, write = os.pipe()
        child = os.fork()
        if not child:
            os.close(read)
            work(path, prefix, write)
        os.close(write)
        with os.fdopen(read) as pipe:
            answers = list(islice(pipe, int(count)))
            time.sleep(float(delay))
            os.kill(child, signal.SIGKILL)
            answers += pipe
        os.waitpid(child, 0)
        print(*(answer.strip() for answer in answers), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
