"""Trees in the layout of licensed sets, grown from open photos where they are present, else from drawn faces.

    python tests/reproduction/made_trees.py oulu-casia FOLDER [PEOPLE] [PHOTOS]

PHOTOS is a folder of the London set or of lfw-expressions. The labels are what the tree needs, not what the photos
show: the trees are for running the protocols from end to end, and figures on them mean nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from itertools import product
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

EXPRESSIONS = ("Anger", "Disgust", "Fear", "Happiness", "Sadness", "Surprise")
NAMES = {
    "Neutral": "neutral",
    "Anger": "anger",
    "Disgust": "disgust",
    "Fear": "fear",
    "Happiness": "happiness",
    "Sadness": "sadness",
    "Surprise": "surprise",
}
CK_CODES = {"Anger": 1, "Disgust": 3, "Fear": 4, "Happiness": 5, "Sadness": 6, "Surprise": 7}

Draw = Callable[[int, str, float, int], Image.Image]
"""From person, expression, its strength in [0, 1] and a seed to a picture."""

# How far the corners of the mouth rise, how far it opens, how far the brows rise and tilt.
_MIMICS = {
    "Anger": (-0.3, 0.1, -0.6, 0.9),
    "Disgust": (-0.6, 0.2, -0.3, 0.3),
    "Fear": (-0.2, 0.6, 0.6, -0.6),
    "Happiness": (1.0, 0.3, 0.1, 0.0),
    "Sadness": (-1.0, 0.0, 0.2, -0.9),
    "Surprise": (0.0, 1.0, 1.0, 0.0),
}
_VEILS = dict(zip(EXPRESSIONS, product((0.2, 1.0), (0.2, 1.0), (0.2, 1.0)), strict=False))


def drawn_face(person: int, expression: str, strength: float, seed: int) -> Image.Image:
    """A face drawn with a person's own colours and proportions."""
    rng = np.random.default_rng(person)
    skin = tuple(int(value) for value in rng.integers((150, 100, 80), (240, 190, 160)))
    hair = tuple(int(value) for value in rng.integers(10, 120, 3))
    wide, apart, nose = rng.uniform(0.8, 1.1), rng.uniform(0.8, 1.2), rng.uniform(0.6, 1.4)
    corners, opened, raised, tilted = (strength * value for value in _MIMICS[expression])
    moved = np.random.default_rng([person, seed]).normal(0, 1.5, 2)
    picture = Image.new("RGB", (160, 160), (110, 120, 130))
    draw = ImageDraw.Draw(picture)
    x, y = 80 + moved[0], 82 + moved[1]
    draw.ellipse((x - 52 * wide, y - 66, x + 52 * wide, y + 66), fill=hair)
    draw.ellipse((x - 46 * wide, y - 50, x + 46 * wide, y + 62), fill=skin)
    for side in (-1, 1):
        eye = x + side * 20 * apart
        draw.ellipse((eye - 8, y - 14 - 2 * raised, eye + 8, y - 4 + 2 * raised), fill="white")
        draw.ellipse((eye - 3, y - 12, eye + 3, y - 6), fill=(30, 30, 40))
        inner, outer = eye - side * 10, eye + side * 10
        brow = y - 22 - 7 * raised
        draw.line((inner, brow + 6 * tilted, outer, brow - 4 * tilted), fill=hair, width=4)
    draw.line((x, y - 2, x - 4, y + 14 * nose, x + 4, y + 14 * nose), fill=tuple(int(v * 0.7) for v in skin), width=2)
    curve = [(x + 22 * t, y + 36 - 10 * corners * (t * t - 0.3)) for t in np.linspace(-1, 1, 15)]
    if opened > 0:
        draw.ellipse((x - 14, y + 34, x + 14, y + 36 + 20 * opened), fill=(90, 20, 30))
    draw.line(curve, fill=(140, 40, 50), width=4)
    return picture


def photographed_face(photos: Path) -> Draw:
    """Real people; each expression is a veil of a colour of its own over the lower half, which alignment keeps."""
    files = sorted(photos.rglob("neutral_front/*.jpg")) or _one_a_person(photos)

    def draw(person: int, expression: str, strength: float, seed: int) -> Image.Image:
        with Image.open(files[person % len(files)]) as opened:
            picture = opened.convert("RGB")
        picture.thumbnail((240, 240))
        pixels = np.asarray(picture.rotate(2 * seed - 4, Image.Resampling.BILINEAR), np.float64)
        lower = np.linspace(-1, 1, len(pixels))[:, None, None].clip(0, 1)
        veiled = pixels * (1 - 0.9 * strength * lower * (1 - np.array(_VEILS[expression])))
        return Image.fromarray(veiled.astype(np.uint8))

    return draw


def _one_a_person(photos: Path) -> list[Path]:
    return [next(iter(sorted(folder.glob("*.jpg")))) for folder in sorted((photos / "images").iterdir())]


def grow_oulu_casia(root: Path, people: int, draw: Draw = drawn_face, frames: int = 5) -> Path:
    """``OriginalImg/VL/Strong/P001/Anger/000.jpeg`` and so on."""
    for person, expression, frame in product(range(people), EXPRESSIONS, range(frames)):
        path = root / f"OriginalImg/VL/Strong/P{person + 1:03d}/{expression}/{frame:03d}.jpeg"
        path.parent.mkdir(parents=True, exist_ok=True)
        draw(person, expression, frame / (frames - 1), frame).save(path, "JPEG", quality=90)
    return root


def grow_crops(root: Path, people: int, shown: Sequence[str] = EXPRESSIONS) -> Path:
    """A folder as ``mien align`` leaves one of Oulu-CASIA: a neutral photo of each person, and one an expression."""
    rows = ["path,identity,expression,split"]
    for person, expression in product(range(people), ("Neutral", *shown)):
        path = root / f"P{person + 1:03d}/{expression}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        neutral = expression == "Neutral"
        drawn_face(person, shown[0] if neutral else expression, float(not neutral), person).save(path)
        rows.append(f"{path.relative_to(root).as_posix()},P{person + 1:03d},{NAMES[expression]},vl-strong")
    (root / "labels.csv").write_text("\n".join(rows) + "\n")
    (root / "align-report.csv").write_text("path,crop,way,score,form,message\n")
    return root


def grow_ck_plus(root: Path, people: int, draw: Draw = drawn_face, frames: int = 4) -> Path:
    """``cohn-kanade-images/S005/001/...png`` and ``Emotion/.../..._emotion.txt``."""
    for person, (session, expression) in product(range(people), enumerate(EXPRESSIONS, start=1)):
        name, number = f"S{person + 10:03d}", f"{session:03d}"
        for frame in range(frames):
            path = root / f"cohn-kanade-images/{name}/{number}/{name}_{number}_{frame + 1:08d}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            draw(person, expression, frame / (frames - 1), frame).save(path)
        label = root / f"Emotion/{name}/{number}/{name}_{number}_{frames:08d}_emotion.txt"
        label.parent.mkdir(parents=True, exist_ok=True)
        label.write_text(f"   {CK_CODES[expression]:.7e}\n")
    return root


def grow_lfw(root: Path, people: int, folds: int = 10, genuine: int = 2) -> Path:
    """Four photos a person, and ``pairs.txt`` whose folds share no person; ``people`` is a multiple of ``folds``."""
    each = people // folds
    lines = [f"{folds}\t{genuine}"]
    for person, number in product(range(people), range(1, 5)):
        path = root / f"lfw/Person_{person:02d}/Person_{person:02d}_{number:04d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        drawn_face(person, EXPRESSIONS[number], 0.5, number).save(path, quality=90)
    for fold in range(folds):
        own = [f"Person_{fold * each + k:02d}" for k in range(each)]
        lines += [f"{own[k % each]}\t1\t{k % 3 + 2}" for k in range(genuine)]
        lines += [f"{own[0]}\t{k % 4 + 1}\t{own[1]}\t{k % 3 + 1}" for k in range(genuine)]
    (root / "pairs.txt").write_text("\n".join(lines) + "\n")
    return root


def grow_ytf(root: Path, people: int, folds: int = 10) -> Path:
    """Two videos a person, each of four frames, and ``splits.txt``."""
    each = people // folds
    for person, video, frame in product(range(people), range(2), range(4)):
        path = root / f"aligned_images_DB/Person_{person:02d}/{video}/aligned_detect_{video}.{frame}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        drawn_face(person, EXPRESSIONS[video], frame / 3, 10 * video + frame).save(path, quality=90)
    lines = ["split, pair, first, second, same"]
    for fold in range(folds):
        a, b = (f"Person_{fold * each + k:02d}" for k in (0, 1))
        for number, (one, other, same) in enumerate(
            [(f"{a}/0", f"{a}/1", 1), (f"{b}/0", f"{b}/1", 1), (f"{a}/0", f"{b}/1", 0), (f"{a}/1", f"{b}/0", 0)]
        ):
            lines.append(f"{fold + 1}, {number}, {one}, {other}, {same}")
    (root / "splits.txt").write_text("\n".join(lines) + "\n")
    return root


TREES = {"oulu-casia": grow_oulu_casia, "ck-plus": grow_ck_plus}

if __name__ == "__main__":
    kind, target, *rest = sys.argv[1:]
    source = photographed_face(Path(rest[1])) if len(rest) > 1 else drawn_face
    TREES[kind](Path(target), int(rest[0]) if rest else 20, source)
