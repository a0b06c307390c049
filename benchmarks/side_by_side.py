"""Show the figures of one JSON file of a benchmark with those of another beside them, such as those of two models.

python benchmarks/side_by_side.py benchmarks/results/accuracy-mien-s1.json benchmarks/results/accuracy-mien-r29.json
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from _report import Section, read_sections, show, value_and_range


def main() -> None:
    """Read two files, print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("measured", type=Path, metavar="JSON", help="a file that --json wrote")
    parser.add_argument("beside", type=Path, metavar="OTHER", help="another one of the same benchmark")
    options = parser.parse_args()
    try:
        measured, beside = read_sections(options.measured), read_sections(options.beside)
    except (OSError, ValueError, KeyError, TypeError) as error:
        sys.exit(f"a file is not one that --json of a benchmark wrote ({error})")
    for section in side_by_side(measured, beside):
        print(show(section))


def side_by_side(measured: list[Section], beside: list[Section]) -> list[Section]:
    """The sections of the first, with the second's figures of the same section and name as notes.

    A figure that the second lacks has an empty note; those that only the second has are listed below.
    """
    others = {(section.title, figure.name): figure for section in beside for figure in section.figures}
    shown = []
    for section in measured:
        figures = []
        for figure in section.figures:
            other = others.pop((section.title, figure.name), None)
            figures.append(replace(figure, note="" if other is None else f"beside: {value_and_range(other)}"))
        rest = [key for key in others if key[0] == section.title]
        lines = [f"* Only beside: {name}, {value_and_range(others.pop((title, name)))}" for title, name in rest]
        shown.append(replace(section, figures=figures, lines=lines))
    return shown


if __name__ == "__main__":
    main()
