"""`mien analyze` on videos and cameras: JSON lines or a table of tracks, an annotated clip, a timeline."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from rich.table import Table

from mien.analyzer import Mien
from mien.cli.console import progress, shown, stdout_console
from mien.cli.exits import ExitCode, say
from mien.cli.records import face_record
from mien.drawing import Band, annotate, timeline_svg
from mien.errors import VideoError
from mien.images import Pixels
from mien.types import ExpressionScores
from mien.video import ClipWriter, FrameAnswer, Track, TrackedFace, Tracker, Video, analyze_frames, people

Write = Callable[[dict[str, Any]], None]


@dataclass(slots=True)
class Progress:
    """What was done so far, for the last line.

    Attributes:
        frames: pictures decoded.
        analysed: pictures looked at.
        seconds: time of the last one.
        error: what is wrong with the video, or None.
    """

    frames: int = 0
    analysed: int = 0
    seconds: float = 0.0
    error: str | None = None


def analyze_videos(
    mien: Mien, sources: Sequence[str], *, as_json: bool, folder: Path | None, rate: float | None
) -> ExitCode:
    """Analyse one video after the other; a damaged one costs itself alone."""
    partial = failed = 0
    for source, name in zip(sources, output_names(sources), strict=True):
        try:
            partial += not _analyze_video(mien, source, name, as_json=as_json, folder=folder, rate=rate)
        except VideoError as error:
            failed += 1
            say(f"mien: {shown(str(error))}")
    if failed == len(sources):
        return ExitCode.ERROR
    return ExitCode.PARTIAL if failed or partial else ExitCode.DONE


def output_names(sources: Sequence[str]) -> list[str]:
    """A name for each video's annotated clip and timeline, without a suffix; one that is taken gets a number.

    >>> output_names(["a/clip.mp4", "b/clip.mov", "camera:0"])
    ['clip', 'clip-2', 'camera-0']
    """
    chosen: list[str] = []
    for source in sources:
        stem = re.sub(r":(\d+)$", r"-\1", source) if source.startswith("camera:") else Path(source).stem
        name, number = stem, 1
        while name.casefold() in (other.casefold() for other in chosen):
            number += 1
            name = f"{stem}-{number}"
        chosen.append(name)
    return chosen


def _analyze_video(
    mien: Mien, source: str, name: str, *, as_json: bool, folder: Path | None, rate: float | None
) -> bool:
    """Analyse one; whatever ends it early, the tracks, the clip and the timeline hold what came before."""
    tracker, done, live = Tracker.for_model(mien.contract), Progress(), False
    quiet = as_json and sys.stdout.isatty()
    try:
        with Video(source) as video, ExitStack() as stack:
            live = video.live
            if live:
                say(f"{source}: press Ctrl-C to end")
            clip = None if folder is None else stack.enter_context(ClipWriter(folder / f"{name}.annotated.mp4"))
            advance = stack.enter_context(progress(video.expected, "analysing", quiet=quiet))
            latest: tuple[TrackedFace, ...] = ()
            for answer in analyze_frames(mien, video, tracker, rate):
                _count(done, answer)
                latest = latest if answer.faces is None else answer.faces
                if as_json and answer.faces is not None:
                    _write_line(_frame_record(mien, source, answer))
                if clip is not None:
                    clip.add(_drawn(answer, latest), answer.frame.time)
                advance()
            done.error = video.problem
    except VideoError as error:
        done.error = str(error)
        raise
    except KeyboardInterrupt:
        if not live:
            done.error = f"{source} was interrupted after {done.seconds:.1f} s; what came before was used"
            raise
    finally:
        _finish(mien, source, tracker, done, as_json, None if folder is None else folder / name)
    if done.error is not None:
        say(f"mien: {shown(done.error)}")
    return done.error is None


def _count(done: Progress, answer: FrameAnswer) -> None:
    done.frames += 1
    done.analysed += answer.faces is not None
    done.seconds = answer.frame.time


def _drawn(answer: FrameAnswer, faces: Sequence[TrackedFace]) -> Pixels:
    """The frame with its boxes; a frame that was passed over has those of the one before."""
    smoothed = [replace(found.face, expression=found.expression) for found in faces]
    return np.asarray(annotate(Image.fromarray(answer.frame.pixels), smoothed, [found.track for found in faces]))


def _finish(mien: Mien, source: str, tracker: Tracker, done: Progress, as_json: bool, target: Path | None) -> None:
    tracks = tracker.tracks
    person = people(tracks, tracker.threshold)
    if target is not None and done.frames:
        path = target.with_name(f"{target.name}.timeline.svg")
        plot = timeline_svg(shown(Path(source).name), _bands(tracks, person), mien.contract.expressions, done.seconds)
        try:
            path.write_text(plot, encoding="utf-8")
        except OSError as error:
            done.error = done.error or f"{path} cannot be written ({error.strerror})"
    if as_json:
        for track in tracks:
            _write_line(_track_record(mien, source, track, person[track.number]))
        _write_line(_video_record(mien, source, done, tracks))
    else:
        _print_tracks(source, tracks, person, done)


def _bands(tracks: Sequence[Track], person: dict[int, int]) -> list[Band]:
    """One a person, with all their tracks."""
    bands = []
    for number in sorted(set(person.values())):
        own = [track for track in tracks if person[track.number] == number and track.timeline.points]
        if own:
            points = [track.timeline.points for track in own]
            bands.append(Band(f"person {number}", points, sum(track.frames for track in own)))
    return bands


def _frame_record(mien: Mien, source: str, answer: FrameAnswer) -> dict[str, Any]:
    return {
        "kind": "frame",
        "video": source,
        "model": mien.contract.model_id,
        "frame": answer.frame.index,
        "time": round(answer.frame.time, 6),
        "faces": [_face_record(found) for found in answer.faces or ()],
    }


def _face_record(found: TrackedFace) -> dict[str, Any]:
    """As of a photo, with the smoothed expression; the embedding belongs to the track."""
    record = face_record(replace(found.face, expression=found.expression))
    del record["embedding"]
    return {"track": found.track, **record}


def _track_record(mien: Mien, source: str, track: Track, person: int) -> dict[str, Any]:
    return {
        "kind": "track",
        "video": source,
        "model": mien.contract.model_id,
        "track": track.number,
        "person": person,
        "first": round(track.first, 6),
        "last": round(track.last, 6),
        "frames": track.frames,
        "expression": None if track.expression is None else track.expression.top.value,
        "probabilities": _probabilities(track.expression),
        "embedding": None if track.embedding is None else [round(float(value), 7) for value in track.embedding],
    }


def _video_record(mien: Mien, source: str, done: Progress, tracks: Sequence[Track]) -> dict[str, Any]:
    return {
        "kind": "video",
        "video": source,
        "model": mien.contract.model_id,
        "frames": done.frames,
        "analysed": done.analysed,
        "seconds": round(done.seconds, 6),
        "tracks": len(tracks),
        "error": done.error,
    }


def _probabilities(scores: ExpressionScores | None) -> dict[str, float] | None:
    return None if scores is None else {name.value: round(scores[name], 6) for name in scores}


def _write_line(record: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(record) + "\n")
    sys.stdout.flush()


def _print_tracks(source: str, tracks: Sequence[Track], person: dict[int, int], done: Progress) -> None:
    table = Table(
        "track", "person", "from", "to", "frames", "expression", "", title=shown(source), title_justify="left"
    )
    for column in (0, 1, 2, 3, 4, 6):
        table.columns[column].justify = "right"
    for track in tracks:
        scores = track.expression
        top, share = ("", "") if scores is None else (scores.top.value, f"{scores[scores.top]:.0%}")
        span = f"{track.first:.1f} s", f"{track.last:.1f} s"
        table.add_row(str(track.number), str(person[track.number]), *span, str(track.frames), top, share)
    if tracks:
        stdout_console().print(table)
    elif done.frames:
        stdout_console().print(f"{shown(source)}: no face in {done.analysed} pictures, {done.seconds:.1f} s")
