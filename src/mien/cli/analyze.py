"""`mien analyze`: faces of many photos or videos, as a table, JSON lines, CSV or annotated pictures."""

from __future__ import annotations

import csv
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from mien.analyzer import Mien
from mien.cli.console import progress, shown, stdout_console
from mien.cli.exits import ExitCode, missing_extra, say
from mien.cli.options import DetectOption, MinFaceOption, ModelOption, ProvidersOption, ThreadsOption
from mien.cli.photos import Photo, find_photos, matches
from mien.cli.records import Answer, csv_header, csv_rows, photo_record
from mien.contract import Contract
from mien.drawing import annotate_file, output_names
from mien.errors import ImageError
from mien.types import Face, FoundBy, ImageFailure

Sink = Callable[[Photo, Answer], None]

ANOTHER_LOOK = frozenset(FoundBy) - {FoundBy.PHOTO, FoundBy.WHOLE}
"""The ways that a table tells beside the score."""

VIDEO = re.compile(r"camera:\d+|.*\.(mp4|m4v|mov|mkv|webm|avi|mpe?g|m?ts|3gp|wmv|flv|ogv)", re.IGNORECASE | re.DOTALL)
"""Arguments that are taken as videos."""


def analyze(
    paths: Annotated[
        list[str], typer.Argument(metavar="PATHS", help="Photos, folders, patterns; or videos, camera:0.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a photo and line.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV, one row a face.")] = False,
    annotate: Annotated[
        Path | None,
        typer.Option("--annotate", metavar="DIR", help="Write pictures or clips with boxes there."),
    ] = None,
    detect: DetectOption = True,
    min_face: MinFaceOption = None,
    model: ModelOption = None,
    threads: ThreadsOption = None,
    providers: ProvidersOption = None,
    batch_size: Annotated[int, typer.Option("--batch-size", min=1, help="Faces a call of the network.")] = 32,
    rate: Annotated[
        float | None, typer.Option("--rate", min=0.01, help="Of a video, look at so many frames a second at most.")
    ] = None,
) -> ExitCode:
    """Find the faces of photos, and say who they are (an embedding) and what their expressions are.

    Folders are searched with their subfolders; hidden files are passed over, and what is no image is named on stderr.
    A photo that cannot be read is named on stderr, all others are done.

    Where no face is found in a photo, it is searched again with its border repeated, and then turned by 90, 180 and 270
    degrees.

    --json prints for each photo, in order: photo (path), model (id), faces (list, largest first), error (null or a
    sentence). A face has box [left, top, right, bottom] in pixels of the upright photo, score (of the detector, 0 to
    1), landmarks (five [x, y]: eye at the left, eye at the right, nose, left and right corner of the mouth; or null),
    aligned, found_by (photo; border: with a repeated border; turned-90, turned-180, turned-270: turned clockwise
    by so many degrees; whole: not detected), expression (or null), probabilities (by expression, or null), embedding
    (numbers, compared by Euclidean distance, or null), outputs (the model's other answers by name, such as age; empty
    for most models).

    --csv has the columns photo, face (from 1; empty: none found), left, top, right, bottom, score, aligned, found_by,
    expression, error, one column a probability, and those of other outputs; it holds no embeddings.

    --annotate writes JPEG pictures, named like the photos and in the same subfolders; of the files there it replaces
    its own alone.

    Videos and cameras (camera:0) need the extra video. Faces are joined to tracks over time; each has one identity,
    the mean over its best frames, and its expression is smoothed. --json prints one object a line: for each frame
    looked at kind (frame), video, model, frame, time (seconds), faces (as above, with track, without embedding); at
    the end for each track kind (track), track, person (shared by tracks of one person), first, last, frames,
    expression, probabilities, embedding; and kind (video) with frames, analysed, seconds, tracks, error. --annotate
    writes NAME.annotated.mp4 and the plot NAME.timeline.svg.
    """
    if as_json and as_csv:
        raise typer.BadParameter("--json and --csv exclude each other; choose one")
    if any(VIDEO.fullmatch(path) for path in paths):
        if as_csv or not detect:
            raise typer.BadParameter("--csv and --no-detect are for photos; use --json for videos")
        return _videos(
            paths, as_json, annotate, rate, lambda: Mien(model, threads=threads, providers=providers, min_face=min_face)
        )
    found = find_photos(paths, leave_out=annotate)
    for skipped in found.skipped:
        say(f"skipped: {shown(skipped)} is not an image")
    for problem in found.problems:
        say(f"mien: {problem}")
    if not found.photos:
        return ExitCode.ERROR
    targets = _targets(found.photos, annotate)
    mien = Mien(model, threads=threads, providers=providers, min_face=min_face)
    sink, finish = _json_lines(mien.contract) if as_json else _csv(mien.contract) if as_csv else _table()
    failures, used = len(found.problems), 0
    to_terminal = sys.stdout.isatty() and (as_json or as_csv)
    answers = mien.analyze_stream((photo.path for photo in found.photos), detect, batch_size)
    try:
        with progress(len(found.photos), "analysing", quiet=to_terminal) as advance:
            for photo, target, answer in zip(found.photos, targets, answers, strict=True):
                if isinstance(answer, ImageFailure):
                    failures += 1
                    say(f"mien: {shown(answer.message)}")
                else:
                    used += 1
                    failures += target is not None and not _annotated(photo, answer, target)
                sink(photo, answer)
                advance()
    finally:
        finish()
    if not used:
        return ExitCode.ERROR
    return ExitCode.PARTIAL if failures else ExitCode.DONE


def _videos(
    paths: list[str],
    as_json: bool,
    annotate: Path | None,
    rate: float | None,
    mien: Callable[[], Mien],
) -> ExitCode:
    others = [path for path in paths if not VIDEO.fullmatch(path)]
    if others:
        raise typer.BadParameter(f"{others[0]} is no video, and others are; give photos or videos")
    try:
        from mien.cli.video import analyze_videos
    except ImportError as error:
        return missing_extra("analyze", "video", error)
    found = {path: [str(source) for source in matches(path)] for path in paths}
    unmatched = [path for path, sources in found.items() if not sources]
    for path in unmatched:
        say(f"mien: no video was found in {shown(path)}")
    if len(unmatched) == len(found):
        return ExitCode.ERROR
    sources = list(dict.fromkeys(source for matched in found.values() for source in matched))
    code = analyze_videos(mien(), sources, as_json=as_json, folder=annotate, rate=rate)
    return ExitCode.PARTIAL if code is ExitCode.DONE and unmatched else code


def _targets(photos: list[Photo], folder: Path | None) -> list[Path] | list[None]:
    """Where the annotated pictures go; refuses to write over a photo."""
    if folder is None:
        return [None] * len(photos)
    targets = [folder / name for name in output_names(photo.name for photo in photos)]
    taken = {photo.path.resolve() for photo in photos} & {target.resolve() for target in targets}
    if taken:
        raise typer.BadParameter(f"--annotate {folder} would write over {min(taken)}; choose another folder")
    return targets


def _annotated(photo: Photo, faces: list[Face], target: Path) -> bool:
    try:
        annotate_file(photo.path, faces, target)
    except (ImageError, OSError) as error:
        say(f"mien: {shown(target)} cannot be written ({error})")
        return False
    return True


def _json_lines(contract: Contract) -> tuple[Sink, Callable[[], None]]:
    def sink(photo: Photo, answer: Answer) -> None:
        sys.stdout.write(json.dumps(photo_record(photo.path, answer, contract.model_id)) + "\n")
        sys.stdout.flush()

    return sink, lambda: None


def _csv(contract: Contract) -> tuple[Sink, Callable[[], None]]:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(csv_header(contract))

    def sink(photo: Photo, answer: Answer) -> None:
        rows = csv_rows(photo.path, answer, contract)
        writer.writerows([[shown(cell) if isinstance(cell, str) else cell for cell in row] for row in rows])
        sys.stdout.flush()

    return sink, lambda: None


def _table() -> tuple[Sink, Callable[[], None]]:
    """Collects rows; what was collected is printed at the end, also after an interruption."""
    table = Table("photo", "face", "expression", "", "box", "score")
    table.columns[0].overflow = "fold"
    for column in table.columns[1:]:
        column.no_wrap = True
    for column in (table.columns[1], table.columns[3], table.columns[5]):
        column.justify = "right"

    def sink(photo: Photo, answer: Answer) -> None:
        if isinstance(answer, ImageFailure):
            return
        name = shown(photo.path)
        if not answer:
            table.add_row(name, "none")
        for number, face in enumerate(answer, start=1):
            scores = face.expression
            top, share = ("", "") if scores is None else (scores.top.value, f"{scores[scores.top]:.0%}")
            box = f"{face.box.width:.0f} x {face.box.height:.0f} at {face.box.left:.0f}, {face.box.top:.0f}"
            score = f"{face.score:.2f}" if face.aligned else "given"
            if face.found_by in ANOTHER_LOOK:
                score += f" ({face.found_by})"
            table.add_row(name if number == 1 else "", str(number), top, share, box, score)

    def finish() -> None:
        if table.row_count:
            stdout_console().print(table)

    return sink, finish
