"""Measure how well a model answers, beside SFace and dlib's network where identity is concerned.

    python benchmarks/accuracy.py [--model MODEL] [--fer2013 FOLDER] [--london FOLDER] [--lfw-expressions FOLDER]
                                  [--json FILE]

Each part is measured when its data set is given; the photos as they were published, not aligned before. The example
photos are always measured.
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
        "--ferplus", type=Path, metavar="FILE", help="votes of FER+ (default: ferplus.csv inside or beside FER2013)"
    )
    parser.add_argument(
        "--people",
        choices=("report", "choose", "all"),
        default="report",
        help="of lfw-expressions: those that nothing was trained or chosen on (default), those for choices, or all",
    )
    parser.add_argument("--photos", type=int, metavar="N", help="about so many photos a data set, for a quick trial")
    parser.add_argument("--model", metavar="MODEL", help="model file or name (default: the shipped one)")
    parser.add_argument(
        "--recipe", metavar="RECIPE", help="what the model was trained by (default: the shipped recipe of its name)"
    )
    parser.add_argument("--threads", type=int, metavar="N", help="threads (default: all cores)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures, operating points and confusions")
    options = parser.parse_args(arguments)
    if not (options.fer2013 or options.london or options.lfw_expressions):
        parser.error("give at least one of --fer2013, --london, --lfw-expressions")
    if options.ferplus and not options.ferplus.is_file():
        parser.error(f"--ferplus {options.ferplus} is not a file")
    if (options.photos is not None and options.photos < 1) or (options.threads is not None and options.threads < 1):
        parser.error("--photos and --threads must be at least 1")
    return options


def sections(options: argparse.Namespace) -> Iterator[Section]:
    """Measure one data set after the other."""
    import torch
    from _guard import recipe_of
    from _on_examples import on_examples
    from _on_fer2013 import on_fer2013
    from _on_lfw_expressions import on_lfw_expressions
    from _on_london import on_london

    from mien import Mien
    from mien.datasets import read_fer2013, read_index, read_london
    from mien.datasets.layouts.ferplus import find_votes

    if options.threads:
        torch.set_num_threads(options.threads)
    mien = Mien(options.model, threads=options.threads)
    recipe = recipe_of(mien.contract.model_id, options.recipe)
    # All are read before anything is measured: a wrong folder is told at once.
    lfw = read_index(options.lfw_expressions) if options.lfw_expressions else None
    london = read_london(options.london) if options.london else None
    fer2013 = read_fer2013(options.fer2013) if options.fer2013 else None
    votes = options.ferplus or (find_votes(options.fer2013) if options.fer2013 else None)
    yield on_examples(mien)
    if lfw:
        yield from on_lfw_expressions(lfw, mien, options.photos, options.people, recipe)
    if london:
        yield from on_london(london, mien, options.photos)
    if fer2013 and votes:
        yield from on_fer2013(fer2013, votes, mien, options.photos, recipe)


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
