"""Votes joined to photos: what counts, what is left out, and what stays known by its pixels."""

from __future__ import annotations

import csv
import os
import tarfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.datasets import READERS
from mien.datasets.layouts.ferplus import votes_of
from mien.errors import DataError
from mien.types import Expression as E

COLUMNS = ("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt", "unknown", "nf")
HEADER = "path,split,pixel_mse," + ",".join(COLUMNS) + "\n"
DATA = Path(os.environ.get("MIEN_TEST_DATA", "../shared/data"))


def row(name: str, difference: str = "0", split: str = "Training", **votes: int) -> str:
    return f"fer2013/{name},{split},{difference}," + ",".join(str(votes.get(c, 0)) for c in COLUMNS) + "\n"


@given(st.lists(st.integers(0, 10), min_size=10, max_size=10))
def test_votes_that_count(counts: list[int]) -> None:
    """By the definition, told another way: drop ones, compare the best expression with the others."""
    votes = votes_of({name: str(count) for name, count in zip(COLUMNS, counts, strict=True)})
    kept = [count if count > 1 else 0 for count in counts]
    if max(kept[:8]) == 0 or max(kept[8:]) > max(kept[:8]):
        assert isinstance(votes, str)
    else:
        assert votes == {name: count for name, count in zip(COLUMNS[:8], kept, strict=False) if count}


@pytest.mark.parametrize("form", ["above", "inside", "beside"])
def test_the_table_lies_above_inside_or_beside(form: str, grow) -> None:
    table = HEADER + row("train/angry/Training_1.jpg", neutral=6, anger=3, fear=1, unknown=0)
    place = "fer2013/ferplus.csv" if form == "inside" else "ferplus.csv"
    root = grow("fer2013/train/angry/Training_1.jpg", **{place: table})
    [sample] = READERS["fer2013-votes"](root if form == "above" else root / "fer2013").samples
    assert sample.expression is E.NEUTRAL
    assert sample.shares is not None
    assert {name: share for name, share in sample.shares.items() if share} == {
        E.NEUTRAL: pytest.approx(2 / 3),
        E.ANGER: pytest.approx(1 / 3),
    }


def test_what_is_left_out_is_named_with_its_reason_and_stays_in_its_part(grow) -> None:
    names = [f"train/angry/Training_{n}.jpg" for n in range(7)]
    table = HEADER + "".join(
        (
            row(names[0], anger=10),
            row(names[1], unknown=6, anger=4),
            row(names[2], nf=6, anger=4),
            row(names[3], "60.5", anger=10),
            f"fer2013/{names[4]},Training,,,,,,,,,,,\n",
            row(names[5], "60", unknown=4, anger=4),
        )
    )
    data = READERS["fer2013-votes"](grow(*(f"fer2013/{name}" for name in names), **{"ferplus.csv": table}))
    assert [(s.name, s.shares[E.ANGER]) for s in data.samples if s.shares] == [(names[0], 1), (names[5], 1)]
    reasons = {skipped.name: skipped.reason for skipped in data.skipped}
    assert reasons == {
        names[6]: "ferplus.csv does not name it",
        names[1]: 'most of its votes are for "unknown" or "no face"',
        names[2]: 'most of its votes are for "unknown" or "no face"',
        names[3]: "its votes may be another photo's (pixel_mse 60.5)",
        names[4]: "it has no votes",
    }
    assert {sample.name for sample in data.seen_in("train").samples} == set(names[:6])


def test_a_folder_without_the_table_says_where_it_should_be(grow) -> None:
    with pytest.raises(DataError, match=r"there is no ferplus\.csv, neither in it nor beside it"):
        READERS["fer2013-votes"](grow("fer2013/train/angry/Training_1.jpg"))


@pytest.mark.slow
def test_the_real_votes(tmp_path: Path) -> None:
    """Counts of the rows by the table's own column of majorities, which was made by other code."""
    if not (DATA / "fer2013.tar").is_file() or not (DATA / "ferplus.csv").is_file():
        pytest.skip(f"{DATA} has no fer2013.tar and ferplus.csv; set MIEN_TEST_DATA")
    with tarfile.open(DATA / "fer2013.tar") as archive:
        archive.extractall(tmp_path, filter="data")
    (tmp_path / "ferplus.csv").symlink_to((DATA / "ferplus.csv").absolute())
    data = READERS["fer2013-votes"](tmp_path)
    assert len(data) + len(data.skipped) == 32_298
    reasons = Counter(skipped.reason.partition(" (")[0] for skipped in data.skipped)
    assert reasons.pop("it has no votes") == 161
    assert reasons.pop("its votes may be another photo's") == 22
    with (DATA / "ferplus.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["pixel_mse"] and float(row["pixel_mse"]) <= 60]
    assert sum(reasons.values()) == sum(row["majority10"] in ("unknown", "NF") for row in rows)
    clear = {row["path"]: row["majority10"] for row in rows if row["ties"] == "0"}
    assert all(s.expression == clear.get(f"fer2013/{s.name}", s.expression) for s in data.samples)
