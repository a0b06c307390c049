"""`mien authenticate`: the same person, and the expressions that are asked for."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, TextIO

import numpy as np
import typer
from numpy.typing import NDArray

from mien.analyzer import Mien
from mien.authentication import (
    Attempts,
    Outcome,
    Policy,
    State,
    audit_of,
    begin,
    end,
    read_policy_fields,
    result_of,
    watch,
)
from mien.cli.console import shown
from mien.cli.exits import ExitCode, missing_extra, say
from mien.cli.options import JsonOption, MinFaceOption, ModelOption, ProvidersOption, ThreadsOption
from mien.errors import AuthenticationError, NoFaceError
from mien.images import Pixels
from mien.types import Expression


def authenticate(
    source: Annotated[str, typer.Argument(metavar="VIDEO", help="camera:0, or a video file.", show_default=False)],
    references: Annotated[
        list[Path], typer.Option("--reference", "-r", metavar="PHOTO", help="A photo of the person; repeat for more.")
    ],
    ask: Annotated[
        list[Expression] | None,
        typer.Option("--ask", help="Ask for this instead of random expressions, in this order; a file needs it."),
    ] = None,
    policy: Annotated[
        Path | None, typer.Option("--policy", metavar="FILE", help="A JSON object with fields of the policy.")
    ] = None,
    audit: Annotated[
        Path | None, typer.Option("--audit", metavar="FILE", help="Append a line with all figures, without images.")
    ] = None,
    as_json: JsonOption = False,
    min_face: MinFaceOption = None,
    model: ModelOption = None,
    threads: ThreadsOption = None,
    providers: ProvidersOption = None,
) -> ExitCode:
    """Tell whether a camera shows the person of the reference photos, making the expressions asked for, in time.

    The prompts appear on stderr: a neutral face, then random expressions. A video file cannot follow random prompts,
    so it needs --ask: good for trials, and no proof of anything, as a clip may be a replay.

    It does not stop a replayed or synthetic video with all the expressions asked, swapped photos of good quality,
    masks or deepfakes. Use it beside other factors.

    --policy takes a JSON object; fields that are absent keep their defaults: threshold (distance; the model's),
    expressions (list), count, neutral_first, probability, margin, hold (frames), time_limit (seconds), max_gap
    (seconds), overlap.

    --json prints one object: accepted, reason (null when accepted), asked, done (prompts), seconds.
    """
    try:
        from mien.video import Video
    except ImportError as error:
        return missing_extra("authenticate", "video", error)
    mien = Mien(model, threads=threads, providers=providers, min_face=min_face)
    rules = Policy.recommended(mien.contract, **(read_policy_fields(policy) if policy else {}))
    if ask is None and not source.startswith("camera:"):
        raise typer.BadParameter("a video file cannot follow random prompts; give --ask, once for each expression")
    known = reference_embeddings(mien, references)
    log = nullcontext() if audit is None else _opened_log(audit)  # before anybody stands at the camera
    with log as stream, Video(source) as video:
        state, _ = begin(str(references[0]), rules, mien.contract, 0.0, Attempts(), asked=tuple(ask) if ask else None)
        state = _watch(mien, ((frame.time, frame.pixels) for frame in video), known, state)
        if video.problem:
            say(f"mien: {shown(video.problem)}")
        if stream is not None:
            stream.write(audit_of(state).to_json() + "\n")
    _report(state, as_json)
    return ExitCode.DONE if state.outcome is Outcome.ACCEPTED else ExitCode.DIFFERENT


def _opened_log(path: Path) -> TextIO:
    """Open a file of records, or a pipe, to append to; anything else is left as it is."""
    if path.is_file() and os.access(path, os.R_OK):
        with path.open("rb") as held:
            if held.read(1) not in (b"", b"{"):
                raise AuthenticationError(f"{path} holds something else than records; give another path for --audit")
    return path.open("a", encoding="utf-8", errors="backslashreplace")


def reference_embeddings(mien: Mien, photos: Sequence[Path]) -> NDArray[np.float32]:
    """Embed the largest face of each photo.

    Returns:
        ``(K, D)``.

    Raises:
        ImageError: a photo cannot be read.
        NoFaceError: a photo has no face.
        MissingOutputError: the model has no identity output.
    """
    embeddings = []
    for photo in photos:
        faces = mien.analyze(photo)
        if not faces:
            raise NoFaceError(f"no face was found in {photo}; give a photo with a face, or a smaller --min-face")
        embeddings.append(faces[0].identity)
    return np.stack(embeddings)


def _watch(mien: Mien, frames: Iterator[tuple[float, Pixels]], references: NDArray[np.float32], state: State) -> State:
    """Follow the frames and tell the prompts; the challenge has ended afterwards."""
    _tell(state)
    for after in watch(mien, frames, references, state):
        if after.step != state.step and after.prompt is not None:
            _tell(after)
        state = after
    return end(state, state.time or 0.0)


def _tell(state: State) -> None:
    if state.prompt is not None:
        say(f"show {state.prompt} and hold it ({state.step + 1} of {len(state.challenge.prompts)})")


def _report(state: State, as_json: bool) -> None:
    result = result_of(state, state.ended or 0.0)
    reason = None if result.reason is None else result.reason.value
    if not as_json:
        sys.stdout.write("accepted\n" if reason is None else f"refused: {reason}\n")
        return
    record = {
        "accepted": reason is None,
        "reason": reason,
        "asked": [name.value for name in state.challenge.prompts],
        "done": result.step,
        "seconds": state.ended,
    }
    sys.stdout.write(json.dumps(record) + "\n")
