"""Measure the service: many clients at once against the same requests one after the other.

    python benchmarks/service.py [--clients N] [--requests N] [--cores N] [--workers N] [--london DIR] [--json FILE]

Service and clients run on this machine, on the same cores, and speak over loopback. Run it on a quiet machine.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median, quantiles

from _report import Figure, Section, Target, publish
from _service_clients import Round, batches_of, play
from _setting import EXAMPLES, describe, limited_to, require, usable_cores
from _timing import Comparison, interleave, quartiles

MAIN = "from mien.cli import main; main()"
LONDON_PHOTOS = 24


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--london", type=Path, metavar="DIR", help="folder of the Face Research Lab London Set")
    parser.add_argument("--clients", type=int, default=16, metavar="N", help="clients at once (default: 16)")
    parser.add_argument("--requests", type=int, default=160, metavar="N", help="requests a run (default: 160)")
    parser.add_argument("--repeats", type=int, default=9, metavar="N", help="runs of each side (default: 9)")
    parser.add_argument("--cores", type=int, default=min(2, usable_cores()), metavar="N", help="cores (default: 2)")
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="the service's processes (default: 1)")
    parser.add_argument("--model", metavar="MODEL", help="model file or name (default: the shipped one)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures and times")
    options = parser.parse_args(arguments)
    if min(options.clients, options.repeats, options.workers) < 1 or options.requests < options.clients:
        parser.error("give at least one client, run and worker, and no fewer requests than clients")
    if not 1 <= options.cores <= usable_cores():
        parser.error(f"--cores is {options.cores}, and this process may use {usable_cores()} cores")
    return options


def sections(options: argparse.Namespace, photos: list[bytes]) -> Iterator[Section]:
    """Start a service, and measure it."""
    with (
        limited_to(options.cores),  # the service inherits it
        tempfile.TemporaryDirectory() as folder,
        served(Path(folder), options.workers, options.model) as port,
    ):
        yield measure(options, photos, port)


@contextmanager
def served(folder: Path, workers: int, model: str | None) -> Iterator[int]:
    """Run `mien serve` at a free port of loopback; gives the port."""
    command = [sys.executable, "-c", MAIN, "serve", "--gallery", str(folder / "people.db"), "--port", "0"]
    command += ["--workers", str(workers), "--rate", "1e9", "--queue", "1000", "--concurrency", "1000"]
    if model:
        command += ["--model", model]
    log = folder / "log"
    with log.open("wb") as output, subprocess.Popen(command, stderr=output) as service:
        try:
            yield _port(service, log)
        finally:
            service.terminate()


def _port(service: subprocess.Popen[bytes], log: Path) -> int:
    """Where it listens, once it does."""
    while service.poll() is None:
        _, told, rest = log.read_text().partition("listening at http://127.0.0.1:")
        if told and "/" in rest:
            return int(rest.partition("/")[0])
        try:
            service.wait(0.1)
        except subprocess.TimeoutExpired:
            continue
    sys.exit(f"the service did not start: {log.read_text()}")


def measure(options: argparse.Namespace, photos: list[bytes], port: int) -> Section:
    """Both sides in turn, after a run that starts all that is started late."""
    bodies = [photos[k % len(photos)] for k in range(options.requests)]
    together: list[Round] = []
    alone: list[Round] = []
    before = batches_of(port)
    comparison = interleave(
        partial(_keep, together, port, bodies, options.clients), partial(_keep, alone, port, bodies, 1), options.repeats
    )
    after = batches_of(port)
    if {one.faces for one in together} != {one.faces for one in alone}:
        sys.exit("the sides found different faces")
    batches = after[0] - before[0] - sum(len(one.seconds) for one in alone)
    return _section(options, photos, comparison, together, alone, batches)


def _keep(rounds: list[Round], port: int, bodies: list[bytes], clients: int) -> None:
    rounds.append(play(port, bodies, clients))


def _section(
    options: argparse.Namespace,
    photos: list[bytes],
    comparison: Comparison,
    together: list[Round],
    alone: list[Round],
    batches: float,
) -> Section:
    clients, count = options.clients, options.requests
    n = f"{options.repeats} runs of {count} requests"
    waits = [seconds for one in together[1:] for seconds in one.seconds]
    answers = [seconds for one in alone[1:] for seconds in one.seconds]
    each = [seconds / count for seconds in comparison.first]
    figures = [
        Figure("one after the other, a request", median(answers), "ms", n, *quartiles(answers)),
        Figure(f"{clients} clients at once, a request's share of the time", median(each), "ms", n, *quartiles(each)),
        Figure(
            f"{clients} clients against one after the other",
            comparison.ratio,
            "x",
            n,
            *comparison.quartiles,
            Target(1.0, "at least"),
            "requests in the same time",
        ),
        Figure(f"{clients} clients, wait of one for its answer", median(waits), "ms", n, *quartiles(waits)),
        Figure("the longest 5 % of these waits begin at", _last_twentieth(waits), "ms", n),
        Figure("photos looked at together", sum(len(one.seconds) for one in together) / batches, "", n),
    ]
    protocol = (
        f"`POST /v1/analyze` with {len(photos)} JPEG photos in turn; `mien serve` with {options.workers} process(es) "
        f"shares {options.cores} core(s) with the clients; connections stay open; both sides in turn."
    )
    details = {"together": comparison.first, "one after the other": comparison.second, "waits": waits}
    return Section("Service", protocol, "quartiles", figures, details=details)


def _last_twentieth(values: list[float]) -> float:
    return quantiles(values, n=20, method="inclusive")[-1] if len(values) > 1 else values[0]


def _photos(london: Path | None) -> list[bytes]:
    if london is None:
        return [path.read_bytes() for path in sorted(EXAMPLES.glob("*.jpg"))]
    found = sorted(london.rglob("*.jpg"))
    if not found:
        sys.exit(f"{london} has no JPEG photos; give the folder of the London Set")
    return [path.read_bytes() for path in found[:: max(1, len(found) // LONDON_PHOTOS)][:LONDON_PHOTOS]]


def main() -> None:
    """Measure, print, write."""
    options = parse()
    require("fastapi", "uvicorn")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", str(options.cores))
    setting = {
        **describe(options.model),
        "cores used": str(options.cores),
        "photos": "London Set" if options.london else "examples",
    }
    publish("Service", setting, sections(options, _photos(options.london)), options.json)


if __name__ == "__main__":
    main()
