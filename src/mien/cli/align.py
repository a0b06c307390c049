"""`mien align`: a data set of photos to a data set of aligned crops."""

from __future__ import annotations

import csv
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Annotated

import typer
from PIL import Image

from mien.analyzer import Mien
from mien.cli.console import progress, shown
from mien.cli.exits import ExitCode, say
from mien.cli.options import MinFaceOption, ModelOption, ThreadsOption
from mien.cli.photos import is_image
from mien.errors import DataError, ImageError
from mien.files import walk

LABELS = "labels.csv"
REPORT = "align-report.csv"
COLUMNS = ("path", "crop", "way", "score", "message")


@dataclass(frozen=True, slots=True)
class Item:
    """One image of the data set; paths relative to it, with forward slashes."""

    path: str
    crop: str


def align(
    source: Annotated[Path, typer.Argument(metavar="SRC", exists=True, file_okay=False, help="A folder with photos.")],
    target: Annotated[Path, typer.Argument(metavar="DST", file_okay=False, help="The folder to write crops to.")],
    model: ModelOption = None,
    min_face: MinFaceOption = None,
    threads: ThreadsOption = None,
) -> ExitCode:
    """Cut the largest face out of each photo of SRC, aligned for the model, and write it to DST as PNG.

    If SRC holds a labels.csv with a column path, its photos are taken and DST gets a labels.csv with the same columns;
    otherwise all images in SRC and its subfolders. Subfolders and names are kept.

    A photo in which no face is found is tried again with its border repeated, and then resized as a whole.
    DST/align-report.csv names for each photo the way: detected, padded, whole or failed. Crops that exist are not made
    again, so an interrupted run can be repeated.
    """
    rows = _read_labels(source)
    items = plan([row["path"] for row in rows] if rows is not None else _images(source, leave_out=target))
    if not items:
        say(f"mien: no photo was found in {shown(source)}")
        return ExitCode.ERROR
    mien = Mien(model, threads=threads, min_face=min_face)
    target.mkdir(parents=True, exist_ok=True)
    report = {row["path"]: row for row in _read_rows(target / REPORT) if row.get("path") and row.get("way")}
    _write(target / REPORT, COLUMNS, report.values())  # without a last line that an interruption cut short
    to_do = [item for item in items if item.path not in report or not (target / item.crop).is_file()]
    with (target / REPORT).open("a", newline="", encoding="utf-8", errors="surrogateescape") as stream:
        writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
        with progress(len(to_do), "aligning") as advance:
            for item in to_do:
                report[item.path] = _align_one(mien, source, target, item, writer)
                stream.flush()
                advance()
    _write(target / REPORT, COLUMNS, (report[item.path] for item in items))
    if rows is not None:
        _write_labels(target / LABELS, rows, items, report)
    return _summarise(report, items, len(items) - len(to_do))


def plan(paths: Iterable[str]) -> list[Item]:
    """Choose a crop's path for each photo: with the suffix ``.png``, or after the whole name where that is taken.

    Raises:
        DataError: a path leads out of the data set.
    """
    taken: set[str] = set()
    items = []
    for path in dict.fromkeys(paths):
        pure = PurePosixPath(path.replace(os.sep, "/"))
        if not pure.name or pure.is_absolute() or ".." in pure.parts:
            raise DataError(f"{LABELS} names {path!r}, which is no path inside the data set; correct that row")
        crop = pure.with_suffix(".png")
        if str(crop) in taken:
            crop = pure.with_name(pure.name + ".png")
        taken.add(str(crop))
        items.append(Item(path, str(crop)))
    return items


def _align_one(mien: Mien, source: Path, target: Path, item: Item, writer: csv.DictWriter[str]) -> dict[str, str]:
    row = {"path": item.path, "crop": item.crop, "way": "failed", "score": "", "message": ""}
    try:
        crop, way = mien.largest_crop(source / item.path)
    except ImageError as error:
        row |= {"crop": "", "message": str(error)}
        writer.writerow(row)
        say(f"mien: {shown(str(error))}")
        return row
    row |= {"way": way, "score": f"{crop.score:.4f}" if way != "whole" else ""}
    writer.writerow(row)  # before the crop, so that a crop never lacks its row
    path = target / item.crop
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".part")
    Image.fromarray(crop.pixels).save(unfinished, format="PNG")
    unfinished.replace(path)
    return row


def _images(source: Path, *, leave_out: Path) -> list[str]:
    kept_out = leave_out.resolve()
    files = (file for file in walk(source) if not file.resolve().is_relative_to(kept_out))
    return [file.relative_to(source).as_posix() for file in files if is_image(file)]


def _read_labels(source: Path) -> list[dict[str, str]] | None:
    if not (source / LABELS).is_file():
        return None
    rows = list(_read_rows(source / LABELS))
    if rows and any(not row.get("path") for row in rows):
        raise DataError(f"{source / LABELS} has no column path, or a row without one; give each row its path")
    return rows


def _read_rows(path: Path) -> Iterator[dict[str, str]]:
    if not path.is_file():
        return
    with path.open(newline="", encoding="utf-8-sig", errors="surrogateescape") as stream:
        try:
            for row in csv.DictReader(stream):
                yield {key: value or "" for key, value in row.items() if key is not None}
        except csv.Error as error:
            raise DataError(f"{path} is no CSV file ({error}); correct or remove it") from error


def _write_labels(
    path: Path, rows: Sequence[dict[str, str]], items: Sequence[Item], report: dict[str, dict[str, str]]
) -> None:
    """The labels of those photos that have a crop, with its path in place of the photo's."""
    crops = {item.path: item.crop for item in items if report[item.path]["way"] != "failed"}
    kept = [{**row, "path": crops[row["path"]]} for row in rows if row["path"] in crops]
    _write(path, tuple(rows[0]), kept)


def _write(path: Path, columns: Sequence[str], rows: Iterable[dict[str, str]]) -> None:
    unfinished = path.with_name(path.name + ".part")
    with unfinished.open("w", newline="", encoding="utf-8", errors="surrogateescape") as stream:
        writer = csv.DictWriter(stream, columns, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    unfinished.replace(path)


def _summarise(report: dict[str, dict[str, str]], items: Sequence[Item], kept: int) -> ExitCode:
    ways = Counter(report[item.path]["way"] for item in items)
    counts = ", ".join(f"{ways[way]} {way}" for way in ("detected", "padded", "whole", "failed"))
    say(f"{len(items)} photos: {counts}; {kept} of them were there already")
    return ExitCode.PARTIAL if ways["failed"] else ExitCode.DONE
