from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.datasets import Sample, SampleSet, drop_repeats, random_order, split_by_person
from mien.errors import DataError

names = st.lists(st.sampled_from([f"person {i}" for i in range(30)]), min_size=40, max_size=80)


def sample_set(people: list[str]) -> SampleSet:
    return SampleSet("test", tuple(Sample(str(i), Path(), identity=person) for i, person in enumerate(people)))


@given(names, st.integers(0, 5))
def test_no_person_is_on_both_sides(people: list[str], seed: int) -> None:
    try:
        first, second = split_by_person(sample_set(people), 0.5, seed)
    except DataError:
        return
    assert not set(first.people) & set(second.people)
    names = sorted((sample.name for sample in (*first.samples, *second.samples)), key=int)
    assert names == [str(i) for i in range(len(people))]


@given(names)
def test_adding_people_moves_nobody(people: list[str]) -> None:
    _, before = split_by_person(sample_set([*people, "x", "y"]), 0.5, 3)
    _, after = split_by_person(sample_set([*people, "x", "y", "somebody new"]), 0.5, 3)
    assert set(after.people) - {"somebody new"} == set(before.people)


def test_frames_of_one_sequence_stay_together_where_nobody_knows_who_it_is() -> None:
    frames = [Sample(f"{video}-{i}", Path(), sequence=f"video {video}") for video in range(20) for i in range(9)]
    parts = split_by_person(SampleSet("test", tuple(frames)), 0.3, 0)
    first, second = ({sample.sequence for sample in part.samples} for part in parts)
    assert not first & second
    assert len(first) + len(second) == 20


def test_the_share_is_about_what_was_asked() -> None:
    _, second = split_by_person(sample_set([str(i) for i in range(2000)]), 0.1, 0)
    assert 150 < len(second.people) < 250


def test_a_division_that_leaves_a_side_empty_is_refused() -> None:
    with pytest.raises(DataError, match="cannot be divided"):
        split_by_person(sample_set(["one person"] * 5), 0.5, 0)


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 1)), max_size=30), st.sets(st.sampled_from("abc")))
def test_what_is_kept_is_unique_unconflicted_and_not_held_out(
    photos: list[tuple[str, int]], held_out: set[str]
) -> None:
    digests, labels = [photo[0] for photo in photos], [photo[1] for photo in photos]
    repeats = drop_repeats(digests, labels, held_out)
    kept = [digests[i] for i in repeats.keep]
    assert len(set(kept)) == len(kept)
    assert not set(kept) & held_out
    assert set(kept) == {
        d for d in digests if d not in held_out and len({label for other, label in photos if other == d}) == 1
    }
    assert len(kept) + repeats.held_out + repeats.repeated + repeats.conflicting == len(photos)


def test_random_order_depends_on_its_key_alone() -> None:
    assert random_order(50, 1, 2) == random_order(50, 1, 2) != random_order(50, 2, 1)
    assert sorted(random_order(50, 1)) == list(range(50))
