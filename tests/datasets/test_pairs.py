from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import fetch_lfw_pairs

from mien.datasets import LAYOUTS, READERS, Pair, Sample, SampleSet, numbered_pairs, read_lfw_pairs, read_pairs
from mien.datasets.pairs import read_ytf_splits
from mien.errors import DataError
from mien.evaluation import evaluate_distances

LFW = """2\t1
Ann_Lee\t1\t4
Ann_Lee\t2\tBo\t10
Bo\t1\t2
Bo\t1\tCem\t3
"""


def test_lfw(tmp_path: Path) -> None:
    (tmp_path / "pairs.txt").write_text(LFW)
    expected = (
        Pair("Ann_Lee_0001", "Ann_Lee_0004", same=True, fold=0),
        Pair("Ann_Lee_0002", "Bo_0010", same=False, fold=0),
        Pair("Bo_0001", "Bo_0002", same=True, fold=1),
        Pair("Bo_0001", "Cem_0003", same=False, fold=1),
    )
    assert read_lfw_pairs(tmp_path / "pairs.txt") == expected
    (tmp_path / "lfw").mkdir()  # the list may lie beside the photos
    assert read_pairs(LAYOUTS["lfw"], tmp_path / "lfw") == read_pairs(LAYOUTS["lfw"], tmp_path) == expected
    (tmp_path / "pairsDevTest.txt").write_text("1\nAnn_Lee 1 4\nAnn_Lee 2 Bo 10\n")
    assert read_lfw_pairs(tmp_path / "pairsDevTest.txt") == expected[:2]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ten folds\n",
        LFW + "Ann_Lee\t1\t2\n",
        LFW.replace("Bo\t1\t2\n", ""),
        LFW.replace("Bo\t1\t2", "Bo\t1\tCem\t2"),
        LFW.replace("Ann_Lee\t1\t4", "Ann_Lee\t1\tx"),
        LFW.replace("Ann_Lee\t1\t4", "Ann_Lee\t1"),
    ],
)
def test_lfw_lists_that_are_not(tmp_path: Path, text: str) -> None:
    (tmp_path / "pairs.txt").write_text(text)
    with pytest.raises(DataError, match=r"pairs\.txt"):
        read_lfw_pairs(tmp_path / "pairs.txt")


def test_lfw_pairs_are_the_same_as_scikit_learns(grow) -> None:
    """Its reader wants photos of 250 x 250, all of a person, and the list beside them in a folder of its own."""
    names = [f"{person}_{number:04d}" for person in ("Ann_Lee", "Bo", "Cem") for number in range(1, 11)]
    root = grow(**{"lfw_home/pairs.txt": LFW})
    for shade, name in enumerate(names):
        path = root / "lfw_home/lfw_funneled" / name[:-5] / f"{name}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (250, 250), (8 * shade,) * 3).save(path)
    for other in ("pairsDevTrain.txt", "pairsDevTest.txt"):
        (root / "lfw_home" / other).write_text("1\nBo\t1\t2\nBo\t1\tCem\t3\n")
    theirs = fetch_lfw_pairs(subset="10_folds", data_home=root, download_if_missing=False, resize=None, slice_=None)
    samples = READERS["lfw"](root)
    ours = numbered_pairs(read_pairs(LAYOUTS["lfw"], root), samples)
    assert ours.same.tolist() == theirs.target.astype(bool).tolist()
    shades = np.array([8 * names.index(Path(sample.name).stem) for sample in samples.samples])
    theirs_shades = np.asarray(theirs.pairs).reshape(len(ours), 2, -1).mean(axis=2)
    theirs_shades *= 255 if theirs_shades.max() <= 1 else 1
    np.testing.assert_allclose(np.stack([shades[ours.first], shades[ours.second]], 1), theirs_shades, atol=2)


def test_ytf(tmp_path: Path) -> None:
    path = tmp_path / "splits.txt"
    path.write_text(
        "split number, pair number, first name, second name, is same\n1, 1, Ann/0, Ann/3, 1\n10, 2, Ann/0, Bo/1, 0\n"
    )
    expected = (Pair("Ann/0", "Ann/3", same=True, fold=0), Pair("Ann/0", "Bo/1", same=False, fold=9))
    assert read_ytf_splits(path) == read_pairs(LAYOUTS["ytf"], tmp_path) == expected
    for text in (
        "header\n",
        "header\n0, 1, A/0, A/1, 1\n",
        "header\n1, 1, A/0, A/1, yes\n",
        "header\n1, A/0, A/1, 1\n",
    ):
        path.write_text(text)
        with pytest.raises(DataError, match=r"splits\.txt"):
            read_ytf_splits(path)


def test_ytf_videos_are_named_as_in_its_list(grow) -> None:
    data = READERS["ytf"](grow("frame_images_DB/Ann_Lee/0/0.555.jpg", "frame_images_DB/Ann_Lee/0/0.9.jpg"))
    assert [(s.sequence, s.name.rpartition("/")[2]) for s in data.samples] == [
        ("Ann_Lee/0", "0.555.jpg"),
        ("Ann_Lee/0", "0.9.jpg"),
    ]


def test_a_set_without_pairs_and_a_missing_list(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="JAFFE has no official pairs"):
        read_pairs(LAYOUTS["jaffe"], tmp_path)
    with pytest.raises(DataError, match=r"holds pairs\.txt"):
        read_pairs(LAYOUTS["lfw"], tmp_path)


def samples(*names: str, people: bool = True) -> SampleSet:
    return SampleSet("test", tuple(Sample(f"{n}.png", b"", identity=n[:-5] if people else None) for n in names))


def test_numbered_pairs_are_evaluated(tmp_path: Path) -> None:
    (tmp_path / "pairs.txt").write_text(LFW)
    data = samples("Ann_Lee_0001", "Ann_Lee_0002", "Ann_Lee_0004", "Bo_0001", "Bo_0002", "Bo_0010", "Cem_0003")
    pairs = numbered_pairs(read_lfw_pairs(tmp_path / "pairs.txt"), data)
    assert list(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True)) == [(0, 2), (1, 5), (3, 4), (3, 6)]
    assert [pairs.people[i] for i in pairs.person_second] == ["Ann_Lee", "Bo", "Bo", "Cem"]
    result = evaluate_distances(np.array([0.1, 0.9, 0.2, 0.8]), pairs, bootstrap=0)
    assert (result.accuracy, result.people, result.genuine, len(result.folds)) == (1.0, 3, 2, 2)


def test_people_without_names_are_others_in_every_pair() -> None:
    data = samples("00000", "00001", "00002", "00003", people=False)
    pairs = numbered_pairs([Pair("00000", "00001", True, 0), Pair("00002", "00003", False, 1)], data)
    assert pairs.person_first[0] == pairs.person_second[0]
    assert len({pairs.person_first[0], pairs.person_first[1], pairs.person_second[1]}) == 3


def test_absent_photos_are_counted(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="lacks 2 photos of the official pairs, Ann_0001 among them"):
        numbered_pairs([Pair("Ann_0001", "Bo_0002", False, 0)], samples("Cem_0001"))


def test_pairs_of_videos_are_not_taken_for_pairs_of_photos(grow) -> None:
    data = READERS["ytf"](grow("Ann/0/0.1.jpg", "Ann/0/0.2.jpg", "Bo/0/0.1.jpg"))
    with pytest.raises(DataError, match="3 photos under 2 names"):
        numbered_pairs([Pair("Ann/0", "Bo/0", False, 0)], data)
