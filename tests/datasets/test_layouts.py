"""Every record on a small tree in its layout, and on a folder that is something else."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from mien.datasets import LAYOUTS, READERS, Layout, find_layout
from mien.errors import DataError
from mien.types import Expression as E

PIXELS = " ".join(["7"] * 48 * 48)

# For each set: its photos, its other files, and what should be read of them, as (identity, expression, part).
TREES: dict[str, tuple[list[str], dict[str, str], list[tuple[str | None, E | None, str | None]]]] = {
    "jaffe": (
        ["KA.AN1.39.tiff", "KA.FE3.47.TIFF", "YM.NE1.49.tiff"],
        {"README.txt": "ratings"},
        [("KA", E.ANGER, None), ("KA", E.FEAR, None), ("YM", E.NEUTRAL, None)],
    ),
    "kdef": (
        ["AF01/AF01AFFL.JPG", "AF01/AF01SUS.JPG", "BM35/BM35ANHR.JPG", "AM31/AM31H.JPG"],
        {},
        [("F01", E.FEAR, "full-left"), ("F01", E.SURPRISE, "straight"), ("M35", E.ANGER, "half-right")],
    ),
    "rafd": (
        ["Rafd090_28_Caucasian_male_angry_frontal.jpg", "Rafd045_01_Kid_female_contemptuous_left.jpg"],
        {},
        [("01", E.CONTEMPT, "045"), ("28", E.ANGER, "090")],
    ),
    "yale": (
        ["subject01.happy", "subject01.wink", "subject02.normal.gif", "subject02.centerlight.gif"],
        {"Readme.txt": "15 people"},
        [
            ("subject01", E.HAPPINESS, None),
            ("subject01", None, None),
            ("subject02", None, None),
            ("subject02", E.NEUTRAL, None),
        ],
    ),
    "cmu-faces": (
        [
            "faces/an2i/an2i_straight_happy_open.pgm",
            "faces/an2i/an2i_left_sad_sunglasses.pgm",
            "faces/an2i/an2i_straight_happy_open_2.pgm",
            "faces/an2i/an2i_straight_happy_open_4.pgm",
        ],
        {"faces/an2i/an2i_up_angry_open.bad": "spoiled"},
        [("an2i", E.SADNESS, "left"), ("an2i", E.HAPPINESS, "straight")],
    ),
    "london": (
        ["neutral_front/002_03.jpg", "smiling_front/002_08.jpg"],
        {"neutral_front/002_03.tem": "189"},
        [("002", E.NEUTRAL, None), ("002", E.HAPPINESS, None)],
    ),
    "crema-d": (
        ["1001_DFA_ANG_XX/000.jpg", "1001_DFA_ANG_XX/010.jpg", "1091_IEO_HAP_HI/frame_3.jpg"],
        {},
        [("1001", E.ANGER, None), ("1001", E.ANGER, None), ("1091", E.HAPPINESS, None)],
    ),
    "ravdess": (
        ["Actor_01/01-01-03-01-01-01-01/000.jpg", "Actor_24/02-02-02-01-01-01-24/000.jpg"],
        {},
        [("01", E.HAPPINESS, "speech"), ("24", None, "song")],
    ),
    "raf-db": (
        [
            "basic/Image/aligned/train_00001_aligned.jpg",
            "basic/Image/aligned/test_0002_aligned.jpg",
            "basic/Image/original/train_00001.jpg",
            "basic/Image/aligned/train_00009_aligned.jpg",
        ],
        {"basic/EmoLabel/list_patition_label.txt": "train_00001.jpg 5\ntest_0002.jpg 1\n"},
        [(None, E.SURPRISE, "test"), (None, E.SADNESS, "train")],
    ),
    "affectnet": (
        ["Manually_Annotated_Images/689/a.jpg", "Manually_Annotated_Images/689/b.jpg"],
        {
            "training.csv": "subDirectory_filePath,face_x,expression,valence\n689/a.jpg,1,7,0.1\n689/c.jpg,1,10,-2\n",
            "validation.csv": "subDirectory_filePath,face_x,expression,valence\n689/b.jpg,1,6,0.1\n",
        },
        [(None, E.CONTEMPT, "train"), (None, E.ANGER, "val")],
    ),
    "sfew": (
        ["Train/Angry/Movie_0001.png", "Val/Happy/Movie_0002.png", "Test/Movie_0003.png", "Val/Bored/Movie_0004.png"],
        {},
        [(None, E.ANGER, "train"), (None, E.HAPPINESS, "val")],
    ),
    "fer2013": (
        ["train/angry/Training_1.jpg", "test/happy/PublicTest_2.jpg", "test/sad/PrivateTest_3.jpg"],
        {},
        [(None, E.HAPPINESS, "public-test"), (None, E.SADNESS, "private-test"), (None, E.ANGER, "train")],
    ),
    "fer-plus": (
        [],
        {
            "fer2013.csv": "emotion,pixels,Usage\n" + "".join(f"0,{PIXELS},{u}\n" for u in ["Training"] * 4),
            "fer2013new.csv": "Usage,Image name,"
            "neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF\n"
            "Training,fer0000000.png,4,0,0,1,4,1,0,0,0,0\n"  # a tie: no label, but shares
            "Training,fer0000001.png,6,0,1,1,0,0,0,0,2,0\n"
            "Training,,0,0,0,0,0,0,0,0,0,10\n"  # no face
            "Training,fer0000003.png,1,0,0,0,0,0,0,8,1,0\n",
        },
        [(None, None, "train"), (None, E.NEUTRAL, "train"), (None, E.CONTEMPT, "train")],
    ),
    "fer2013-votes": (
        ["fer2013/train/angry/Training_1.jpg", "fer2013/test/happy/PublicTest_2.jpg"],
        {
            "ferplus.csv": "path,split,pixel_mse,"
            "neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF\n"
            "fer2013/train/angry/Training_1.jpg,Training,3.5,6,0,0,1,3,0,0,0,0,0\n"
            "fer2013/test/happy/PublicTest_2.jpg,PublicTest,0,0,0,9,0,0,0,1,0,0,0\n"
        },
        [(None, E.SURPRISE, "public-test"), (None, E.NEUTRAL, "train")],
    ),
    "celeba": (
        ["img_align_celeba/000001.jpg", "img_align_celeba/000002.jpg", "img_align_celeba/000003.jpg"],
        {
            "Anno/list_attr_celeba.txt": "3\nMale Smiling Young\n000001.jpg -1  1 1\n000002.jpg  1 -1 1\n",
            "Anno/identity_CelebA.txt": "000001.jpg 2880\n000002.jpg 2937\n000003.jpg 1\n",
            "Eval/list_eval_partition.txt": "000001.jpg 0\n000002.jpg 2\n",
        },
        [("2880", E.HAPPINESS, "train"), ("2937", None, "test")],
    ),
    "lfw": (
        ["lfw/Ann_Lee/Ann_Lee_0001.jpg", "lfw/Ann_Lee/Ann_Lee_0002.jpg", "lfw/Bo/Bo_0001.JPG", "lfw/Bo/Ann_0001.jpg"],
        {},
        [("Ann_Lee", None, None), ("Ann_Lee", None, None), ("Bo", None, None)],
    ),
    "ytf": (
        ["aligned_images_DB/Ann_Lee/0/aligned_detect_0.555.jpg", "frame_images_DB/Ann_Lee/0/0.555.jpg"],
        {"frame_images_DB/Ann_Lee.labeled_faces.txt": "Ann_Lee\\0\\0.555.jpg,0,1,2,3,4,0,1"},
        [("Ann_Lee", None, None)],
    ),
    "casia-webface": (["0000045/001.jpg", "0000099/001.jpg"], {}, [("0000045", None, None), ("0000099", None, None)]),
    "vggface2": (
        ["train/n000002/0001_01.jpg", "test/n000001/0001_01.jpg"],
        {},
        [("n000001", None, "test"), ("n000002", None, "train")],
    ),
    "ms-celeb": (["m.01_0_d4/0-FaceId-0.jpg"], {}, [("m.01_0_d4", None, None)]),
    "folders": (["Ann/1.jpg", "Ann/more/2.PNG"], {}, [("Ann", None, None), ("Ann", None, None)]),
    "index": (
        ["a/1.jpg"],
        {"labels.csv": "path,identity,expression,split,sequence\na/1.jpg,Ann,happy,Train,clip 1\n"},
        [("Ann", E.HAPPINESS, "Train")],
    ),
}
ARCHIVES = {"lfw-bin": "lfw", "cfp-fp": "cfp_fp", "agedb-30": "agedb_30", "calfw": "calfw", "cplfw": "cplfw"}
ELSEWHERE = {"ck-plus", "oulu-casia"}  # test_sequences.py


def test_every_layout_is_tested() -> None:
    assert set(LAYOUTS) == set(READERS) == {*TREES, *ARCHIVES, *ELSEWHERE}


@pytest.mark.parametrize("name", TREES)
def test_a_small_tree(name: str, grow, clutter) -> None:
    photos, texts, expected = TREES[name]
    root = grow(*photos, **texts)
    if photos:
        clutter(photos[0])
    data = READERS[name](root)
    assert [(s.identity, s.expression, s.split) for s in data.samples] == expected
    assert all(s.source.is_file() for s in data.samples if isinstance(s.source, Path))
    assert data.name == (root.name if name in ("index", "folders") else name)


@pytest.mark.parametrize("name", LAYOUTS)
def test_another_folder_is_refused_with_the_tree(name: str, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no data set")
    for root in (tmp_path, tmp_path / "none"):
        with pytest.raises(DataError) as refusal:
            READERS[name](root)
        first, *tree = str(refusal.value).splitlines()
        assert str(root) in first
        assert [line.strip() for line in tree] == [line.strip() for line in find_layout(name).tree.strip().splitlines()]


def test_a_refusal_tells_what_is_there(grow) -> None:
    root = grow("pictures/1.jpg", **{"notes.txt": "none"})
    with pytest.raises(DataError, match=r"none of its 2 files .* \(it holds notes.txt, pictures/\)"):
        READERS["jaffe"](root)


@pytest.mark.parametrize(("name", "file"), ARCHIVES.items())
def test_archives(name: str, file: str, tmp_path: Path) -> None:
    (tmp_path / f"{file}.bin").write_bytes(pickle.dumps(([b"a", b"b", b"c", b"d"], [True, False])))
    for given in (tmp_path, tmp_path / f"{file}.bin"):
        assert [(s.name, s.source) for s in READERS[name](given).samples] == [
            (f"{file}/{number:05d}", letter) for number, letter in enumerate((b"a", b"b", b"c", b"d"))
        ]


@pytest.mark.parametrize(
    ("name", "left_out"),
    [
        ("kdef", ["AM31/AM31H.JPG"]),
        ("cmu-faces", []),
        ("raf-db", ["basic/Image/aligned/train_00009_aligned.jpg"]),
        ("sfew", ["Val/Bored/Movie_0004.png"]),
        ("celeba", ["img_align_celeba/000003.jpg"]),
        ("lfw", ["lfw/Bo/Ann_0001.jpg"]),
        ("ytf", []),
    ],
)
def test_what_is_left_out_is_named(name: str, left_out: list[str], grow) -> None:
    photos, texts, _ = TREES[name]
    assert [item.name for item in READERS[name](grow(*photos, **texts)).skipped] == left_out


def test_raf_db_in_sorted_folders(grow) -> None:
    data = READERS["raf-db"](grow("DATASET/train/4/train_00001_aligned.jpg", "DATASET/test/7/test_0001_aligned.jpg"))
    assert [(s.expression, s.split) for s in data.samples] == [(E.NEUTRAL, "test"), (E.HAPPINESS, "train")]


def test_affectnet_in_folders_with_arrays(grow) -> None:
    root = grow("train_set/images/0.jpg", "train_set/images/1.jpg", "val_set/images/2.jpg")
    for part, number, code in (("train", 0, "7"), ("val", 2, 3)):
        folder = root / f"{part}_set/annotations"
        folder.mkdir()
        np.save(folder / f"{number}_exp.npy", np.array(code))
    np.save(root / "train_set/annotations/1_exp.npy", np.array([print], dtype=object))  # would be unpickled
    data = READERS["affectnet"](root)
    assert [(s.expression, s.split) for s in data.samples] == [(E.CONTEMPT, "train"), (E.SURPRISE, "val")]
    assert [item.name for item in data.skipped] == ["train_set/images/1.jpg"]


def test_frames_know_their_video(grow) -> None:
    photos, texts, _ = TREES["crema-d"]
    sequences = [s.sequence for s in READERS["crema-d"](grow(*photos, **texts)).samples]
    assert sequences == ["1001_DFA_ANG_XX", "1001_DFA_ANG_XX", "1091_IEO_HAP_HI"]


def test_lfw_twice_is_refused(grow) -> None:
    root = grow("lfw/Bo/Bo_0001.jpg", "lfw-deepfunneled/Bo/Bo_0001.jpg")
    with pytest.raises(DataError, match="more than once"):
        READERS["lfw"](root)
    assert READERS["lfw"](root / "lfw").people == ["Bo"]


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_records_are_whole(layout: Layout) -> None:
    assert all(text.strip() for text in (layout.what, layout.tree, layout.licence, layout.ask, layout.reference))
    assert all(word == word.lower() for word in (*layout.expressions, *layout.parts))


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_official_figures_add_up(layout: Layout) -> None:
    official = layout.official
    assert set(official.expressions) <= set(layout.classes)
    if official.parts:
        assert sum(official.parts.values()) == official.images
    if official.expressions and layout.name != "yale":  # where most photos have another label
        assert sum(official.expressions.values()) == official.images
    if official.names:
        assert len(official.names) == official.people


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(DataError, match="no layout 'ck'; choose one of: ck-plus, oulu-casia"):
        find_layout("ck")
