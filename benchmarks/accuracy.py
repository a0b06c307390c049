"""Measure how well mien answers, beside dlib's unmodified network where identity is concerned.

    python benchmarks/accuracy.py [--fer2013 FOLDER] [--london FOLDER] [--lfw-expressions FOLDER] [--json FILE]

Each part is measured when its data set is given; the photos as they were published, not aligned before.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from _report import Section, publish
from _setting import describe, require


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("fer2013", "london", "lfw-expressions"):
        parser.add_argument(f"--{name}", type=Path, metavar="DIR", help=f"folder of {name}")
    parser.add_argument(
        "--people",
        choices=("validation", "all"),
        default="validation",
        help="of lfw-expressions: those not trained on (default), or all",
    )
    parser.add_argument("--photos", type=int, metavar="N", help="about so many photos a data set, for a quick trial")
    parser.add_argument("--model", metavar="MODEL", help="model file or name (default: the shipped one)")
    parser.add_argument("--threads", type=int, metavar="N", help="threads (default: all cores)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures, folds and confusions")
    options = parser.parse_args(arguments)
    if not (options.fer2013 or options.london or options.lfw_expressions):
        parser.error("give at least one of --fer2013, --london, --lfw-expressions")
    if (options.photos is not None and options.photos < 1) or (options.threads is not None and options.threads < 1):
        parser.error("--photos and --threads must be at least 1")
    return options


def sections(options: argparse.Namespace) -> Iterator[Section]:
    """Measure one data set after the other."""
    import torch
    from _on_fer2013 import on_fer2013
    from _on_lfw_expressions import on_lfw_expressions
    from _on_london import on_london

    from mien import Mien

    if options.threads:
        torch.set_num_threads(options.threads)
    mien = Mien(options.model, threads=options.threads)
    if options.fer2013:
        yield from on_fer2013(options.fer2013, mien, options.photos)
    if options.london:
        yield from on_london(options.london, mien, options.photos)
    if options.lfw_expressions:
        yield from on_lfw_expressions(options.lfw_expressions, mien, options.photos, options.people)


def main() -> None:
    """Measure, print, write."""
    options = parse()
    require("dlib", "face_recognition_models", "torch", "pydantic", "yaml", "rich")
    from mien.errors import MienError

    try:
        setting = describe(options.model)
        if options.photos:
            setting["TRIAL"] = f"about {options.photos} photos a data set; not for publication"
        publish("Accuracy", setting, sections(options), options.json)
    except MienError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
