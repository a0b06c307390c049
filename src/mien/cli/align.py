"""`mien align`: a data set of photos to a data set of aligned crops."""

from __future__ import annotations

import hashlib
import os
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated

import typer
from PIL import Image

from mien.analyzer import Mien
from mien.cli.align_report import COLUMNS, Report, Row, read_rows, write_rows
from mien.cli.console import progress, shown
from mien.cli.exits import ExitCode, say
from mien.cli.options import MinFaceOption, ModelOption, ProvidersOption
from mien.cli.photos import is_image
from mien.contract import Contract
from mien.errors import DataError, ImageError
from mien.files import walk
from mien.images import IMAGE_SUFFIXES, Pixels
from mien.photo import Photo as LazyPhoto
from mien.types import FoundBy

if TYPE_CHECKING:
    from mien.datasets import SampleSet

LABELS = "labels.csv"


@dataclass(frozen=True, slots=True, eq=False)
class Photo:
    """A photo of the data set.

    Attributes:
        path: its name in the data set, with forward slashes.
        source: where its pixels are.
    """

    path: str
    source: Path | Pixels | bytes


@dataclass(frozen=True, slots=True)
class Found:
    """The photos to align, and their labels as rows with a column ``path``; None when there are none."""

    photos: list[Photo]
    labels: list[Row] | None = None


def align(
    source: Annotated[Path, typer.Argument(metavar="SRC", exists=True, file_okay=False, help="A folder with photos.")],
    target: Annotated[Path, typer.Argument(metavar="DST", file_okay=False, help="The folder to write crops to.")],
    layout: Annotated[
        str | None, typer.Option("--layout", metavar="NAME", help="SRC is this data set (see mien datasets).")
    ] = None,
    model: ModelOption = None,
    min_face: MinFaceOption = None,
    threads: Annotated[
        int | None, typer.Option("--threads", min=1, help="Photos worked on at the same time; all cores by default.")
    ] = None,
    providers: ProvidersOption = None,
) -> ExitCode:
    """Cut the largest face out of each photo of SRC, aligned for the model, and write it to DST as PNG.

    With --layout those photos are taken that the data set's record chooses, and DST gets a labels.csv with their
    identities, expressions, parts and sequences, which can be read as the layout index. Else, if SRC holds a labels.csv
    with a column path, its photos are taken and DST gets a labels.csv with the same columns; else all images in SRC and
    its subfolders. Subfolders and names are kept.

    A photo in which no face is found is searched again with its border repeated and turned by 90, 180 and 270 degrees,
    and then resized as a whole. DST/align-report.csv names for each photo the way: photo, border, turned-90,
    turned-180, turned-270, whole or failed. Crops that exist, of the same size and template, are not made again, so an
    interrupted run can be repeated.
    """
    found = _find_layout(layout, source, target) if layout else _find(source, target)
    if not found.photos:
        say(f"mien: no photo was found in {shown(source)}")
        return ExitCode.ERROR
    return cut_faces(found, target, model=model, min_face=min_face, threads=threads, providers=providers)


def cut_faces(
    found: Found,
    target: Path,
    *,
    model: str | None = None,
    min_face: float | None = None,
    threads: int | None = None,
    providers: Sequence[str] | None = None,
) -> ExitCode:
    """Write the crops of some photos, and their labels; see `align`."""
    mien = Mien(model, threads=1, providers=providers, min_face=min_face)
    crops = plan(photo.path for photo in found.photos)
    _refuse_originals(found.photos, target, crops)
    target.mkdir(parents=True, exist_ok=True)
    with Report(target, crop_form(mien.contract)) as report:
        to_do = [photo for photo in found.photos if not report.has_crop(photo.path, crops[photo.path])]
        work = partial(_make_crop, mien, target, crops)
        with progress(len(to_do), "aligning") as advance:
            for row in in_parallel(work, to_do, threads or os.cpu_count() or 1):
                report.add(row)
                if row["message"]:
                    say(f"mien: {shown(row['message'])}")
                advance()
    rows = report.finish(crops)
    if found.labels is not None:
        _write_labels(target / LABELS, found.labels, rows)
    return _summarise(rows, len(found.photos) - len(to_do))


def in_parallel(work: Callable[[Photo], Row], photos: Iterable[Photo], threads: int) -> Iterator[Row]:
    """Work on some photos at a time and yield the results in order; few are ever waiting.

    Threads suffice, as decoding and the detector's networks leave Python's lock to each other.
    """
    pool = ThreadPoolExecutor(threads)
    waiting: deque[Future[Row]] = deque()
    try:
        for photo in photos:
            waiting.append(pool.submit(work, photo))
            if len(waiting) > 2 * threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def crop_form(contract: Contract) -> str:
    """What a model's crops look like, in a word: their size, and a hash of their template."""
    template = hashlib.sha256(repr(contract.template).encode()).hexdigest()
    return f"{contract.crop_size}-{template[:8]}"


def plan(paths: Iterable[str]) -> dict[str, str]:
    """Choose a crop's path for each photo: with the suffix ``.png``, or after the whole name where that is taken.

    Raises:
        DataError: a path leads out of the data set.

    >>> plan(["a/1.jpg", "a/1.gif", "subject01.happy"])
    {'a/1.jpg': 'a/1.png', 'a/1.gif': 'a/1.gif.png', 'subject01.happy': 'subject01.happy.png'}
    """
    crops: dict[str, str] = {}
    taken: set[str] = set()
    for path in dict.fromkeys(paths):
        pure = PurePosixPath(path.replace(os.sep, "/"))
        if not pure.name or pure.is_absolute() or ".." in pure.parts:
            raise DataError(f"{LABELS} names {path!r}, which is no path inside the data set; correct that row")
        pure = pure.with_name(pure.name.replace(":", "-"))  # of a row of a table; no part of a file's name on Windows
        stem = pure.with_suffix("") if pure.suffix.lower() in IMAGE_SUFFIXES else pure
        crop = f"{stem}.png" if f"{stem}.png".lower() not in taken else f"{pure}.png"
        while crop.lower() in taken:  # two names that differ in case alone are one on some file systems
            crop += ".png"
        taken.add(crop.lower())
        crops[path] = crop
    return crops


def _refuse_originals(photos: Iterable[Photo], target: Path, crops: Mapping[str, str]) -> None:
    """No crop takes a photo's place.

    Raises:
        DataError: one would.
    """
    real = cache(os.path.realpath)
    originals = {(real(photo.source.parent), photo.source.name) for photo in photos if isinstance(photo.source, Path)}
    for crop in crops.values():
        path = target / crop
        if (real(path.parent), path.name) in originals:
            raise DataError(f"the photo {path} would be overwritten by a crop; give another folder for the crops")


def _make_crop(mien: Mien, target: Path, crops: Mapping[str, str], photo: Photo) -> Row:
    """Write a crop; only then is there a row of it, so that a row of the report stands for a whole file."""
    row = dict.fromkeys(COLUMNS, "") | {"path": photo.path, "form": crop_form(mien.contract)}
    try:
        name = None if isinstance(photo.source, Path) else photo.path
        made = mien.largest_crop(LazyPhoto(photo.source, name=name))
    except ImageError as error:
        return row | {"way": "failed", "message": str(error)}
    path = target / crops[photo.path]
    unfinished = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(made.pixels).save(unfinished, format="PNG")
        unfinished.replace(path)
    except OSError as error:
        raise DataError(f"{path} cannot be written ({error}); make room, or give another folder") from error
    score = "" if made.found_by is FoundBy.WHOLE else f"{made.score:.4f}"
    return row | {"crop": crops[photo.path], "way": made.found_by.value, "score": score}


def _find(source: Path, target: Path) -> Found:
    if target.resolve() == source.resolve():
        raise DataError(f"{target} is the folder of the photos themselves; give another folder for the crops")
    labels = _read_labels(source)
    names = [row["path"] for row in labels] if labels is not None else _images(source, leave_out=target)
    return Found([Photo(name, source / name) for name in dict.fromkeys(names)], labels)


def _find_layout(name: str, source: Path, target: Path) -> Found:
    """The photos that a data set's record chooses; its module is needed for this alone."""
    from mien.datasets import find_layout, read_layout

    if target.resolve().is_relative_to(source.resolve()):
        raise DataError(f"{target} lies in {source}, whose crops would be read as photos; give a folder beside it")
    return labelled_photos(read_layout(find_layout(name), source))


def labelled_photos(samples: SampleSet) -> Found:
    """The photos of a data set, with all that is known of them as labels."""
    from mien.cli.datasets import say_left_out

    say_left_out(samples.skipped)
    labels = [
        {
            "path": sample.name,
            "identity": sample.identity or "",
            "expression": sample.expression or "",
            "split": sample.split or "",
            "sequence": sample.sequence or "",
        }
        for sample in samples.samples
    ]
    return Found([Photo(sample.name, sample.source) for sample in samples.samples], labels)


def _images(source: Path, *, leave_out: Path) -> list[str]:
    kept_out = leave_out.resolve()
    files = (file for file in walk(source) if not file.resolve().is_relative_to(kept_out))
    return [file.relative_to(source).as_posix() for file in files if is_image(file)]


def _read_labels(source: Path) -> list[Row] | None:
    if not (source / LABELS).is_file():
        return None
    rows = list(read_rows(source / LABELS))
    if rows and any(not row.get("path") for row in rows):
        raise DataError(f"{source / LABELS} has no column path, or a row without one; give each row its path")
    return rows


def _write_labels(path: Path, labels: Sequence[Row], rows: Sequence[Row]) -> None:
    """The labels of those photos that have a crop, with its path in place of the photo's."""
    crops = {row["path"]: row["crop"] for row in rows if row["crop"]}
    write_rows(path, tuple(labels[0]), ({**row, "path": crops[row["path"]]} for row in labels if row["path"] in crops))


def _summarise(rows: Sequence[Row], kept: int) -> ExitCode:
    ways = Counter(row["way"] for row in rows)
    counts = ", ".join(f"{ways[way]} {way}" for way in (*FoundBy, "failed") if ways[way])
    say(f"{len(rows)} photos: {counts}; {kept} of them were there already")
    return ExitCode.PARTIAL if ways["failed"] else ExitCode.DONE
