"""Measure authentication by expression: joint false acceptances and refusals by kind of attack.

    python benchmarks/authentication.py [--london FOLDER] [--lfw-expressions FOLDER] [--json FILE]

First the paper's pairs of photos, with its product of two accuracies beside the joint decision; then whole challenges,
by the state machine, on sequences made from photos.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from _report import Figure, Section, publish
from _setting import describe, require

if TYPE_CHECKING:
    from _looks import Look

    from mien import Mien
    from mien.datasets import SampleSet

PAIRS_PROTOCOL = (
    "The paper's pairs: each neutral photo is a reference; for each expression asked for one photo of each kind, "
    "drawn. Accepted when the distance is at most the model's threshold and the expression asked for is on top of all "
    "classes. Intervals over people. The paper's score multiplies the accuracy of identity pairs (10 blocks of pairs, "
    "each with the best threshold of the others) and that of expressions over all photos; no decision has that rate."
)


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("london", "lfw-expressions"):
        parser.add_argument(f"--{name}", type=Path, metavar="DIR", help=f"folder of {name}")
    parser.add_argument(
        "--people",
        choices=("report", "choose", "all"),
        default="report",
        help="of lfw-expressions: those that nothing was trained or chosen on (default), those for choices, or all",
    )
    parser.add_argument("--model", metavar="MODEL", help="model file or name (default: the shipped one)")
    parser.add_argument("--threads", type=int, metavar="N", help="threads (default: all cores)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures")
    options = parser.parse_args(arguments)
    if not (options.london or options.lfw_expressions):
        parser.error("give at least one of --london, --lfw-expressions")
    return options


def sections(options: argparse.Namespace) -> Iterator[Section]:
    """Measure one data set after the other."""
    from _on_lfw_expressions import NOT_LFW, WHOM, group_of_people

    from mien import Mien
    from mien.datasets import read_index, read_london

    mien = Mien(options.model, threads=options.threads)
    if options.london:
        note = "The reference is the neutral photo itself, as there is no other: refusals of neutral faces are too few."
        yield from on_photos("London Set", read_london(options.london), mien, ("happiness",), note)
    if options.lfw_expressions:
        samples = group_of_people(read_index(options.lfw_expressions), options.people)
        note = (
            f"{NOT_LFW} The reference is the person's first neutral photo, the one shown their last; for those with "
            "only one it is the same."
        )
        name = f"lfw-expressions, {WHOM[options.people]}"
        yield from on_photos(name, with_both(samples), mien, ("happiness", "surprise"), note)


def with_both(samples: SampleSet) -> SampleSet:
    """The photos of people who have a neutral and a smiling or surprised one."""
    from mien.types import Expression

    shown: dict[str | None, set[Expression | None]] = {}
    for sample in samples.samples:
        shown.setdefault(sample.identity, set()).add(sample.expression)
    asked = {Expression.HAPPINESS, Expression.SURPRISE}
    return samples.where(lambda s: Expression.NEUTRAL in shown[s.identity] and bool(asked & shown[s.identity]))


def on_photos(name: str, samples: SampleSet, mien: Mien, asked: Sequence[str], note: str) -> Iterator[Section]:
    """Pairs, then challenges."""
    from _challenges import challenge_section
    from _looks import look_at

    from mien.cli.console import progress

    with progress(len(samples), samples.name) as advance:
        looks, left_out = look_at(mien, samples, advance)
    yield pair_section(f"Pairs: {name}", mien, looks, asked, f"Photos without a detected face, left out: {left_out}.")
    yield challenge_section(f"Challenges: {name}", mien, looks, note)


def pair_section(title: str, mien: Mien, looks: Sequence[Look], asked: Sequence[str], line: str) -> Section:
    """The joint decision on the paper's pairs."""
    import numpy as np

    from mien.evaluation import evaluate_authentication, make_expression_pairs

    labels = [look.sample.expression for look in looks]
    pairs = make_expression_pairs([str(look.sample.identity) for look in looks], labels, required=asked)
    threshold = mien.contract.threshold
    if threshold is None:
        sys.exit(f"{mien.contract.model_id} recommends no threshold; give another model")
    result = evaluate_authentication(
        np.stack([look.embedding for look in looks]),
        np.stack([look.scores for look in looks]),
        labels,
        mien.contract.expressions,
        pairs,
        threshold=threshold.distance,
    )
    figures = []
    rates = [*((kind.value, rate) for kind, rate in result.kinds.items()), ("all attacks", result.attacks)]
    for kind, rate in rates:
        n = f"{rate.accepted} of {rate.n} pairs, {rate.people} people"
        figures.append(Figure(f"accepted: {kind}", rate.rate, "%", n, rate.interval.low, rate.interval.high))
    n = f"{len(pairs)} pairs"
    figures += [
        Figure("pairs decided rightly, jointly", result.accuracy, "%", n),
        Figure("the paper's first factor: identity of the pairs", result.pair_accuracy, "%", n),
        Figure("its second: expression of all photos", result.expression_accuracy, "%", f"{len(looks)} photos"),
        Figure("the paper's score: their product", result.product, "%", n),
    ]
    lines = [line, f"Asked for: {', '.join(asked)}; distance at most {threshold.distance:g}."]
    return Section(title, PAIRS_PROTOCOL, "95 % interval", figures, lines, asdict(result))


def main() -> None:
    """Measure, print, write."""
    options = parse()
    require("torch", "pydantic", "yaml", "rich")
    from mien.errors import MienError

    try:
        publish("Authentication", describe(options.model), sections(options), options.json)
    except MienError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
