"""Measure speed and memory of mien, beside dlib as the face_recognition package uses it.

    python benchmarks/latency.py [--london FOLDER] [--installation] [--threads N] [--json FILE]

Both sides may use the same number of cores, one by default: dlib's wheel has neither BLAS nor threads of its own, so
that more cores would help mien alone. Run it on a quiet machine.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from _report import Section, publish
from _setting import EXAMPLES, describe, limited_to, require, usable_cores

if TYPE_CHECKING:
    from _dlib import Peer

    from mien import Mien

LONDON_PHOTOS = 24


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--london", type=Path, metavar="DIR", help="folder of the Face Research Lab London Set")
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="cores for each side (default: 1)")
    parser.add_argument("--repeats", type=int, default=15, metavar="N", help="runs of each figure (default: 15)")
    parser.add_argument("--model", metavar="MODEL", help="model file or name (default: the shipped one)")
    parser.add_argument("--installation", action="store_true", help="also install into a new environment and measure")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures and times")
    options = parser.parse_args(arguments)
    if options.threads < 1 or options.repeats < 1:
        parser.error("--threads and --repeats must be at least 1")
    if options.threads > usable_cores():
        parser.error(f"--threads is {options.threads}, and this process may use {usable_cores()} cores")
    return options


def sections(options: argparse.Namespace) -> Iterator[Section]:
    """Measure one part after the other."""
    from _dlib import Peer
    from _embedding_speed import COUNT, compare_embedding, example_crops
    from _fresh_process import measure_memory, time_import
    from _two_answers import compare_answers

    from mien import Mien

    yield time_import(options.model, options.repeats)
    yield measure_memory(options.model, max(1, options.repeats // 5))
    with limited_to(options.threads):
        mien, peer = Mien(options.model, threads=options.threads), Peer()
        yield from whole_paths(options, mien, peer)
        yield compare_embedding(mien, peer, max(1, options.repeats // 2))
        yield compare_answers(mien.model, example_crops(peer, COUNT), options.threads, options.repeats)
    if options.installation:
        from _installation import measure_installation

        yield measure_installation()


def whole_paths(options: argparse.Namespace, mien: Mien, peer: Peer) -> Iterator[Section]:
    """The whole path on the examples, and on London photos where they are given."""
    from _photos import evenly
    from _whole_path import compare_photos

    from mien.cli.console import progress

    sets = [("Whole path, example photos", sorted(EXAMPLES.glob("*.jpg")), options.repeats)]
    if options.london:
        photos = evenly(london_photos(options.london), LONDON_PHOTOS)
        sets.append(("Whole path, London photos", photos, max(1, options.repeats // 3)))
    for title, paths, repeats in sets:
        with progress(len(paths), title) as advance:
            yield compare_photos(title, paths, mien, peer, repeats, advance)


def london_photos(folder: Path) -> list[Path]:
    """The photos below a folder, without hidden files."""
    found = sorted(path for path in folder.rglob("*.jpg") if not path.name.startswith("."))
    if not found:
        sys.exit(f"{folder} holds no .jpg files; give the folder that the London Set was unpacked to")
    return found


def main() -> None:
    """Measure, print, write."""
    options = parse()
    require("dlib", "face_recognition_models", "onnx", "rich")
    from _dlib import Peer

    from mien.errors import MienError

    try:
        setting = {
            **describe(options.model),
            "threads of each side": str(options.threads),
            "dlib's network": Peer().threads_used(),
        }
        publish("Speed and memory", setting, sections(options), options.json)
    except MienError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
