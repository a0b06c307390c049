"""Divide the people of lfw-expressions into those to train on, to choose by and to report on.

    python tools/divide_people.py LFW-EXPRESSIONS src/mien/recipes/lfw-expressions-groups.csv

People are ordered by the SHA-256 of their names, so that the division depends on nothing but the list of names and the
numbers below, and no group is richer in the beginning of the alphabet. The committed file is what counts: it was
written before any model was trained on it.
"""

from __future__ import annotations

import csv
import hashlib
import sys
from collections import Counter
from pathlib import Path

REPORT_SEVERAL, REPORT_ONE = 340, 340
"""People to report on: with 2 to 6 photos, and with one."""

CHOOSE = 0.1
"""Share of all people to choose by, the same in each class of number of photos."""


def main(folder: Path, output: Path) -> None:
    """Write the file with the columns ``identity,group``."""
    with (folder / "labels.csv").open(encoding="utf-8", newline="") as file:
        photos = Counter(row["identity"] for row in csv.DictReader(file))
    classes: dict[str, list[str]] = {"one": [], "several": [], "many": []}
    for name in sorted(photos, key=lambda name: hashlib.sha256(name.encode()).digest()):
        classes["one" if photos[name] == 1 else "several" if photos[name] <= 6 else "many"].append(name)
    reported = {"one": REPORT_ONE, "several": REPORT_SEVERAL, "many": 0}
    groups = {}
    for kind, names in classes.items():
        chosen = round(CHOOSE * len(names))
        first, second = reported[kind], reported[kind] + chosen
        groups |= dict.fromkeys(names[:first], "report") | dict.fromkeys(names[first:second], "choose")
        groups |= dict.fromkeys(names[second:], "train")
    with output.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["identity", "group"])
        writer.writerows(sorted(groups.items()))
    for group in ("train", "choose", "report"):
        members = [photos[name] for name, its in groups.items() if its == group]
        print(f"{group}: {len(members)} people, {sum(members)} photos")  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
