"""The example photos, which anybody can look at: two of one person, one of another."""

from __future__ import annotations

from itertools import combinations

from _report import Figure, Section, Target
from _setting import EXAMPLES

from mien import Mien

PEOPLE = {"obama.jpg": "Obama", "obama2.jpg": "Obama", "biden.jpg": "Biden"}
PROTOCOL = "Distances between the largest faces of the photos, against the distance that the model verifies by, if any."


def on_examples(mien: Mien) -> Section:
    """The distance of each pair, and how far from the model's threshold it lies."""
    table = mien.contract.thresholds
    rows = table.rows if table else ()
    limit = table.default.distance if table else None
    figures = []
    for (one, person), (other, second) in combinations(PEOPLE.items(), 2):
        distance = mien.verify(EXAMPLES / one, EXAMPLES / other, threshold=0.0).distance
        same = person == second
        name = f"{one}, {other}: {'same person' if same else 'two people'}"
        target = None if limit is None else Target(limit, "at most" if same else "at least")
        note = "" if limit is None else f"{distance / limit:.2f} of the threshold"
        figures.append(Figure(name, distance, "", "1 pair", target=target, note=note))
    lines = [f"The model's threshold for FAR {row.far:g}: {row.distance:.3f}." for row in rows]
    return Section("Identity: example photos", PROTOCOL, "", figures, lines)
