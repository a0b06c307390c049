"""CK+ and Oulu-CASIA: sequences from neutral to peak."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from mien.datasets import READERS
from mien.errors import DataError
from mien.types import Expression

EMOTIONS = {  # the codes of CK+'s documentation
    1: Expression.ANGER,
    2: Expression.CONTEMPT,
    3: Expression.DISGUST,
    4: Expression.FEAR,
    5: Expression.HAPPINESS,
    6: Expression.SADNESS,
    7: Expression.SURPRISE,
}


def ck_frames(person: str, session: str, count: int, suffix: str = ".png") -> list[str]:
    folder = f"cohn-kanade-images/{person}/{session}"
    return [f"{folder}/{person}_{session}_{number:08d}{suffix}" for number in range(1, count + 1)]


def ck_label(root: Path, person: str, session: str, frame: int, text: str) -> None:
    path = root / f"Emotion/{person}/{session}/{person}_{session}_{frame:08d}_emotion.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_ck_plus_takes_the_first_frame_and_the_last_three(grow, clutter) -> None:
    root = grow(*ck_frames("S005", "001", 11), *ck_frames("S010", "002", 4))
    ck_label(root, "S005", "001", 11, "   3.0000000e+00\n")
    ck_label(root, "S010", "002", 4, "   7.0000000e+00\n")
    clutter("cohn-kanade-images/S005/001/S005_001_00000011.png")
    data = READERS["ck-plus"](root)
    taken = [(Path(s.name).stem, s.identity, s.expression, s.sequence) for s in data.samples]
    disgust, surprise = ("S005", Expression.DISGUST, "S005/001"), ("S010", Expression.SURPRISE, "S010/002")
    assert taken == [
        ("S005_001_00000001", "S005", Expression.NEUTRAL, "S005/001"),
        *((f"S005_001_{n:08d}", *disgust) for n in (9, 10, 11)),
        ("S010_002_00000001", "S010", Expression.NEUTRAL, "S010/002"),
        *((f"S010_002_{n:08d}", *surprise) for n in (2, 3, 4)),
    ]
    assert not data.skipped


@pytest.mark.parametrize(("code", "expression"), EMOTIONS.items())
def test_ck_plus_codes(grow, code: int, expression: Expression) -> None:
    root = grow(*ck_frames("S999", "003", 5))
    ck_label(root, "S999", "003", 5, f"   {code:.7e}\n")
    assert [s.expression for s in READERS["ck-plus"](root).samples] == [Expression.NEUTRAL] + 3 * [expression]


def test_ck_plus_without_some_labels(grow) -> None:
    root = grow(*(name for number in range(1, 6) for name in ck_frames("S011", f"{number:03d}", 6)))
    ck_label(root, "S011", "001", 6, "   5.0000000e+00")
    (root / "Emotion/S011/002").mkdir()  # as for 266 of the 593 sequences
    ck_label(root, "S011", "003", 6, "")
    ck_label(root, "S011", "004", 6, "   9.0000000e+00")
    ck_label(root, "S011", "005", 6, "   2.5000000e+00")
    data = READERS["ck-plus"](root)
    assert {s.sequence for s in data.samples if s.expression is Expression.HAPPINESS} == {"S011/001"}
    assert Counter(skipped.reason.split("(")[0].strip() for skipped in data.skipped) == {
        "its label cannot be read": 2,
        "its sequence has no expression label": 3,
        "its expression '9' is unknown": 3,
    }


def test_ck_plus_short_sequences_and_upper_case(grow) -> None:
    root = grow(*ck_frames("S014", "001", 3), *ck_frames("S014", "002", 4, ".PNG"))
    ck_label(root, "S014", "001", 3, "1.0000000e+00")
    ck_label(root, "S014", "002", 4, "1.0000000e+00")
    data = READERS["ck-plus"](root)
    assert {s.sequence for s in data.samples} == {"S014/002"}
    assert [skipped.name for skipped in data.skipped] == ["S014/001"]


def test_ck_plus_without_labels_says_what_is_missing(grow) -> None:
    root = grow(*ck_frames("S005", "001", 5))
    with pytest.raises(DataError, match=r"no label file.*\n.*\n  Emotion/S005/001"):
        READERS["ck-plus"](root)


def oulu_frames(top: str, person: str, expression: str, count: int = 5, suffix: str = ".jpeg") -> list[str]:
    return [f"{top}/{person}/{expression}/{number:03d}{suffix}" for number in range(count)]


@pytest.mark.parametrize(
    "top", ["OriginalImg/VL", "B_OriginalImg/B_OriginalImg/VL", "PreProcess_Img/VL_Acropped", "VL"]
)
def test_oulu_takes_the_first_frame_and_the_last_three(grow, clutter, top: str) -> None:
    root = grow(*oulu_frames(f"{top}/Strong", "P001", "Anger"), *oulu_frames(f"{top}/Strong", "P002", "Sadness", 12))
    clutter(f"{top}/Strong/P001/Anger/000.jpeg")
    data = READERS["oulu-casia"](root)
    taken = [(s.identity, s.expression, Path(s.name).stem, s.split) for s in data.samples]
    assert taken == [
        ("P001", Expression.NEUTRAL, "000", "vl-strong"),
        *(("P001", Expression.ANGER, f"{n:03d}", "vl-strong") for n in (2, 3, 4)),
        ("P002", Expression.NEUTRAL, "000", "vl-strong"),
        *(("P002", Expression.SADNESS, f"{n:03d}", "vl-strong") for n in (9, 10, 11)),
    ]


def test_oulu_counts_as_the_official_code(grow) -> None:
    """There 80 people, 480 sequences, 1,920 frames, 1,440 without neutral; here 3 people."""
    expressions = ("Anger", "Disgust", "Fear", "Happiness", "Sadness", "Surprise")
    people = ("P001", "P002", "P080")
    root = grow(*(f for p in people for e in expressions for f in oulu_frames("OriginalImg/VL/Strong", p, e)))
    data = READERS["oulu-casia"](root)
    assert (len(data), len(data.people), len({s.sequence for s in data.samples})) == (72, 3, 18)
    assert sum(s.expression is not Expression.NEUTRAL for s in data.samples) == 54


def test_oulu_parts_are_cameras_and_lights(grow) -> None:
    tops = [f"OriginalImg/{camera}/{light}" for camera in ("VL", "NI") for light in ("Strong", "Weak", "Dark")]
    data = READERS["oulu-casia"](grow(*(f for top in tops for f in oulu_frames(top, "P001", "Fear", 4))))
    assert Counter(s.split for s in data.samples) == {
        f"{camera}-{light}": 4 for camera in ("vl", "ni") for light in ("strong", "weak", "dark")
    }
    assert len({s.sequence for s in data.samples}) == 6
    assert len(data.split("ni-dark")) == 4
    with pytest.raises(DataError, match="no part named 'vis-strong'; it has: ni-dark, ni-strong"):
        data.split("vis-strong")


def test_oulu_original_images_are_preferred_and_copies_are_refused(grow) -> None:
    original = oulu_frames("OriginalImg/VL/Strong", "P001", "Anger")
    root = grow(*original, *oulu_frames("PreProcessImg/VL_Acropped/Strong", "P001", "Anger"))
    data = READERS["oulu-casia"](root)
    assert all(s.name.startswith("OriginalImg/") for s in data.samples)
    assert not data.skipped
    grow(*oulu_frames("copy/VL/Strong", "P001", "Anger"))
    with pytest.raises(DataError, match=r"more than once .OriginalImg/.* and copy/.*; give the folder of one"):
        READERS["oulu-casia"](root)
