"""`mien verify`: whether two photos show the same person."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from mien.analyzer import Mien
from mien.cli.console import shown
from mien.cli.exits import ExitCode, say
from mien.cli.options import DetectOption, JsonOption, MinFaceOption, ModelOption, ProvidersOption, ThreadsOption
from mien.cli.records import face_record
from mien.gallery.gallery import Gallery
from mien.types import Verification


def verify(
    a: Annotated[Path, typer.Argument(metavar="A", help="A photo.", show_default=False)],
    b: Annotated[Path, typer.Argument(metavar="B", help="Another photo.", show_default=False)],
    threshold: Annotated[
        float | None,
        typer.Option("--threshold", min=0, help="Distance up to which it is the same person; the model's by default."),
    ] = None,
    gallery: Annotated[
        Path | None, typer.Option("--gallery", metavar="FILE", help="Take the threshold that this gallery has.")
    ] = None,
    detect: DetectOption = True,
    as_json: JsonOption = False,
    min_face: MinFaceOption = None,
    model: ModelOption = None,
    threads: ThreadsOption = None,
    providers: ProvidersOption = None,
) -> ExitCode:
    """Tell whether two photos show the same person, by the largest face of each.

    --json prints one object: same, distance, threshold, model (id), and for both photos as a and b: photo (path), faces
    (how many there are), face (the one compared; fields as in `mien analyze --json`).
    """
    if gallery is not None and threshold is not None:
        raise typer.BadParameter("--threshold and --gallery exclude each other; choose one")
    mien = Mien(model, threads=threads, providers=providers, min_face=min_face)
    if gallery is not None:
        with Gallery(gallery) as calibrated:
            calibrated.check_model(mien.contract)
            threshold = calibrated.thresholds.verification
    result = mien.verify(a, b, threshold, detect=detect)
    if as_json:
        sys.stdout.write(json.dumps(_record(a, b, result, mien.contract.model_id)) + "\n")
    else:
        verdict = "the same person" if result.same else "different people"
        sign = "<=" if result.same else ">"
        sys.stdout.write(f"{verdict}: distance {result.distance:.3f} {sign} threshold {result.threshold:g}\n")
        for photo, faces in ((a, result.faces_in_a), (b, result.faces_in_b)):
            if faces > 1:
                say(f"note: {shown(photo)} shows {faces} faces; the largest was compared")
    return ExitCode.DONE if result.same else ExitCode.DIFFERENT


def _record(a: Path, b: Path, result: Verification, model_id: str) -> dict[str, object]:
    return {
        "same": result.same,
        "distance": round(result.distance, 6),
        "threshold": result.threshold,
        "model": model_id,
        "a": {"photo": str(a), "faces": result.faces_in_a, "face": face_record(result.face_a)},
        "b": {"photo": str(b), "faces": result.faces_in_b, "face": face_record(result.face_b)},
    }
