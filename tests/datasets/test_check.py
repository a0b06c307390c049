from __future__ import annotations

from pathlib import Path

import pytest

from mien.datasets import LAYOUTS, check_layout, check_photos
from mien.datasets.check import Check


def figures(check: Check) -> dict[str, tuple[int, int | None]]:
    return {figure.what: (figure.found, figure.official) for figure in check.figures}


@pytest.fixture
def kdef(grow) -> Path:
    """All of it, as the official figures have it."""
    return grow(
        *(
            f"{session}{sex}{number:02d}/{session}{sex}{number:02d}{code}{angle}.JPG"
            for session in "AB"
            for sex in "FM"
            for number in range(1, 36)
            for code in ("AF", "AN", "DI", "HA", "NE", "SA", "SU")
            for angle in ("FL", "HL", "S", "HR", "FR")
        )
    )


def test_a_whole_set_is_complete(kdef: Path) -> None:
    check = check_layout(LAYOUTS["kdef"], kdef)
    assert check.complete
    found = figures(check)
    assert (found["photos"], found["people"], found["fear"], found["part straight"]) == (
        (4_900, 4_900),
        (70, 70),
        (700, 700),
        (980, 980),
    )
    (kdef / "AF01/AF01AFFL.JPG").unlink()
    assert not check_layout(LAYOUTS["kdef"], kdef).complete


def test_missing_people_are_named(grow) -> None:
    check = check_layout(LAYOUTS["jaffe"], grow(*(f"{name}.AN1.1.tiff" for name in ("KA", "KL", "KM", "KR", "MK"))))
    assert check.missing == ("5 people: NA, NM, TM, UY, YM",)
    assert figures(check)["anger"] == (5, 30)


def test_missing_parts_are_figures(grow) -> None:
    names = [f"OriginalImg/VL/Strong/P001/Anger/{number:03d}.jpeg" for number in range(9)]
    check = check_layout(LAYOUTS["oulu-casia"], grow(*names))
    found = figures(check)
    assert (found["part vl-strong"], found["part ni-dark"], found["sequences"]) == ((4, 1_920), (0, 1_920), (1, 2_880))
    assert check.missing[0].startswith("79 people: P002, P003")


def test_files_that_a_table_names_but_are_not_there(grow) -> None:
    check = check_layout(LAYOUTS["index"], grow("a.jpg", **{"labels.csv": "path,identity\na.jpg,Ann\nb.jpg,Bo\n"}))
    assert check.missing == ("1 files that the tables name: b.jpg",)
    assert figures(check)["photos"] == (1, None)


def test_damaged_photos_are_found_when_decoded(grow) -> None:
    root = grow("Ann/1.jpg", "Ann/2.jpg", "Bo/1.jpg")
    (root / "Ann/2.jpg").write_bytes((root / "Ann/2.jpg").read_bytes()[:100])
    check = check_layout(LAYOUTS["folders"], root)
    assert check.complete
    looked_at = []
    check = check_photos(check, lambda: looked_at.append(1))
    assert check.missing == ("1 photos are damaged: Ann/2.jpg",)
    assert len(looked_at) == 3


def test_pairs_count_when_both_sides_are_there(grow) -> None:
    root = grow("lfw/Ann/Ann_0001.jpg", "lfw/Ann/Ann_0002.jpg")
    check = check_layout(LAYOUTS["lfw"], root)
    assert figures(check)["pairs"] == (0, 6_000)
    assert any("pairs.txt" in sentence for sentence in check.missing)
    (root / "pairs.txt").write_text("1\t1\nAnn\t1\t2\nAnn\t1\tBo\t1\n")
    check = check_layout(LAYOUTS["lfw"], root)
    assert figures(check)["pairs"] == (1, 6_000)
    assert not check.missing
