from __future__ import annotations

from pathlib import Path

import pytest

from mien.datasets import Sample, SampleSet
from mien.errors import DataError
from mien.reproduction.selection import frames_of, select
from mien.reproduction.table import Source
from mien.types import Expression as E


def _samples(*rows: tuple[str, E | None], split: str | None = None, sequence: str | None = None) -> SampleSet:
    return SampleSet(
        "made",
        tuple(
            Sample(f"{n}.png", Path(f"{n}.png"), person or None, shown, split, sequence)
            for n, (person, shown) in enumerate(rows)
        ),
    )


def test_rare_classes_are_left_out_and_named() -> None:
    rows = [("a", E.NEUTRAL), ("b", E.NEUTRAL), ("a", E.HAPPINESS), ("b", E.HAPPINESS), ("a", E.FEAR)]
    found = select(Source("x", "X", "index", class_photos=2), _samples(*rows))
    assert found.classes == (E.NEUTRAL, E.HAPPINESS)
    assert len(found.samples) == 4
    assert found.left_out == ("1 photo of classes with fewer than 2: fear (1)",)


def test_rules_are_applied_until_nothing_changes() -> None:
    """Fear falls for being rare; then its person has one expression left and falls; then happiness is rare."""
    rows = [
        ("a", E.FEAR),
        ("a", E.HAPPINESS),
        ("a", E.HAPPINESS),
        *[(person, shown) for person in "bcd" for shown in (E.NEUTRAL, E.SURPRISE)],
        ("b", E.HAPPINESS),
    ]
    found = select(Source("x", "X", "index", class_photos=3, person_expressions=2), _samples(*rows))
    assert found.classes == (E.NEUTRAL, E.SURPRISE)
    assert {sample.identity for sample in found.samples.samples} == {"b", "c", "d"}
    assert len(found.samples) == 6


def test_people_with_few_photos_and_photos_of_nobody_are_left_out() -> None:
    found = select(
        Source("x", "X", "index", person_photos=2), _samples(("a", E.FEAR), ("a", E.FEAR), ("b", E.FEAR), ("", E.FEAR))
    )
    assert len(found.samples) == 2
    assert [text.split(" ", 1)[0] for text in found.left_out] == ["1", "1"]
    assert "nobody known" in found.left_out[0]


def test_photos_beyond_the_limit_are_spread_over_the_names() -> None:
    found = select(Source("x", "X", "index", most_photos=3), _samples(*[("a", E.FEAR)] * 9))
    assert [sample.name for sample in found.samples.samples] == ["0.png", "4.png", "8.png"]


def test_a_part_and_frames_of_videos() -> None:
    video = _samples(*[("a", None)] * 9, split="part", sequence="a/0")
    assert [sample.name for sample in frames_of(Source("x", "X", "index", part="part", frames=2), video).samples] == [
        "0.png",
        "8.png",
    ]
    with pytest.raises(DataError, match="part"):
        frames_of(Source("x", "X", "index", part="other"), video)


def test_nothing_left_says_why() -> None:
    with pytest.raises(DataError, match=r"none of the 1 photos of X can be used: 1 photo of nobody known"):
        select(Source("x", "X", "index"), _samples(("", E.FEAR)))
