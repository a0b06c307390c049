"""Measure a gallery of many people: loading, searching, enrolling while others search, removing.

    python benchmarks/gallery.py [--samples N] [--cores N] [--folder DIR] [--json FILE]

The embeddings are random directions of the length that mien-r29's have: a search takes the same time whatever they are.
Run it on a quiet machine, with a folder on the disk that a gallery would be on.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from statistics import median
from threading import Event, Thread
from time import perf_counter

import numpy as np
from _report import Figure, Section, Target, Unit, publish
from _setting import describe, limited_to, usable_cores
from _timing import quartiles, seconds

from mien.contract import Contract
from mien.errors import MienError
from mien.gallery import Exported, Gallery, Person, Sample
from mien.gallery.people import to_time
from mien.runtime import Model

NORM = 1.48
"""Median length of mien-r29's embeddings of London portraits."""

BATCH = 50_000
TIME = to_time("2026-01-01T00:00:00Z")


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=1_000_000, metavar="N", help="embeddings (default: 1000000)")
    parser.add_argument("--cores", type=int, default=min(2, usable_cores()), metavar="N", help="cores (default: 2)")
    parser.add_argument("--queries", type=int, default=50, metavar="N", help="timed searches (default: 50)")
    parser.add_argument("--folder", type=Path, metavar="DIR", help="where to put the gallery (default: temporary)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures")
    options = parser.parse_args(arguments)
    if options.samples < 1000 or options.queries < 2 or not 1 <= options.cores <= usable_cores():
        parser.error("give at least 1000 samples, 2 queries, and no more cores than there are")
    return options


def sections(options: argparse.Namespace, contract: Contract) -> Iterator[Section]:
    """Fill a gallery, then measure it as a new process would find it."""
    with tempfile.TemporaryDirectory(dir=options.folder) as folder, limited_to(options.cores):
        path = Path(folder) / "people.db"
        fill(path, contract, options.samples)
        with Gallery(path, contract) as gallery:
            loading = seconds(gallery.load)
            yield measure(gallery, options, loading)


def fill(path: Path, contract: Contract, samples: int) -> None:
    """A person a sample, in a few transactions."""
    rng = np.random.default_rng(0)
    with Gallery(path, contract) as gallery:
        for start in range(0, samples, BATCH):
            vectors = embeddings(rng, min(BATCH, samples - start), contract.embedding_size)
            gallery.add(exported(start + k, vector) for k, vector in enumerate(vectors))


def embeddings(rng: np.random.Generator, count: int, size: int) -> np.ndarray:
    """Random directions of one length, ``(count, size)`` float32."""
    vectors = rng.normal(size=(count, size))
    scaled: np.ndarray = NORM * vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return scaled.astype(np.float32)


def exported(number: int, vector: np.ndarray) -> Exported:
    """A person with one sample."""
    person = Person(number, f"person {number}", "made for a benchmark", TIME, None, 1)
    return Exported(person, [Sample(0, TIME, "")], vector[None])


def measure(gallery: Gallery, options: argparse.Namespace, loading: float) -> Section:
    """Times of single calls, alone and while another thread searches without a pause."""
    rng = np.random.default_rng(1)
    queries = embeddings(rng, options.queries, gallery.contract.embedding_size)
    searches = [seconds(partial(gallery.identify, query)) for query in queries]
    alone = [enrolment(gallery, f"alone {k}", query) for k, query in enumerate(queries)]
    done = Event()
    background = [Thread(target=search_until, args=(gallery, queries, done)) for _ in range(options.cores)]
    for thread in background:
        thread.start()
    busy = [enrolment(gallery, f"busy {k}", query) for k, query in enumerate(queries)]
    done.set()
    for thread in background:
        thread.join()
    after = [enrolled_and_found(gallery, f"after {k}", query) for k, query in enumerate(queries[:10])]
    removals = [seconds(partial(gallery.remove, f"alone {k}")) for k in range(10)]
    n = f"{options.samples} samples, {options.cores} cores"
    full = options.samples >= 1_000_000
    return Section(
        title="Gallery",
        protocol="Random embeddings, a person each, five people asked for; the file was written just before, so that "
        "the system has it in memory. An enrolment is on the disk when it returns.",
        spread="quartiles",
        figures=[
            Figure("loading", loading, "s", n, target=Target(10.0, "at most") if full else None),
            figure("search", searches, "ms", n, Target(0.06, "at most") if full else None),
            figure("enrolment", alone, "ms", n),
            figure(f"enrolment while others search without a pause ({options.cores} threads)", busy, "ms", n),
            figure("enrolment, then a search that finds it", after, "ms", n),
            figure("removal of a person", removals, "ms", n),
            Figure("size of the file", gallery.path.stat().st_size, "MB", n),
        ],
    )


def figure(name: str, times: list[float], unit: Unit, n: str, target: Target | None = None) -> Figure:
    """Median and quartiles."""
    low, high = quartiles(times)
    return Figure(name, median(times), unit, n, low, high, target)


def enrolment(gallery: Gallery, name: str, vector: np.ndarray) -> float:
    """Seconds to enrol a new person."""
    return seconds(lambda: gallery.enroll(name, vector, consent="made for a benchmark"))


def enrolled_and_found(gallery: Gallery, name: str, vector: np.ndarray) -> float:
    """Seconds until a new person is enrolled and found."""
    start = perf_counter()
    gallery.enroll(name, -vector, consent="made for a benchmark")
    if gallery.identify(-vector).matches[0].name != name:
        sys.exit("a person who was just enrolled was not found")
    return perf_counter() - start


def search_until(gallery: Gallery, queries: np.ndarray, done: Event) -> None:
    """Search without a pause."""
    while not done.is_set():
        gallery.identify(queries[0])


def main() -> None:
    """Measure, print, write."""
    options = parse()
    # Before the first product: the library that computes it looks at this once.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", str(options.cores))
    try:
        contract = Model().contract
        setting = {**describe(None), "cores used": str(options.cores)}
        publish("Gallery", setting, sections(options, contract), options.json)
    except MienError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
