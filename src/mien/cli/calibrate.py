"""`mien calibrate`: thresholds from the user's own faces."""

from __future__ import annotations

import json
import sys
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from mien.analyzer import Mien
from mien.calibration import Calibration, Choice, calibrate_photos
from mien.cli.exits import ExitCode, say
from mien.cli.looking import looking
from mien.cli.options import JsonOption, MinFaceOption, ModelOption, ProvidersOption, ThreadsOption
from mien.drawing import calibration_svg
from mien.errors import DataError
from mien.gallery.gallery import Gallery


def calibrate(
    source: Annotated[Path, typer.Argument(metavar="PAIRS.csv|FOLDER", exists=True, help="Your own photos.")],
    far: Annotated[float, typer.Option("--far", help="The false acceptance rate wanted.")] = 1e-3,
    gallery: Annotated[
        Path | None, typer.Option("--gallery", metavar="FILE", help="Keep the thresholds in this gallery.")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option("--plot", metavar="FILE", help="Draw the distances and rates there, as SVG.")
    ] = None,
    as_json: JsonOption = False,
    bootstrap: Annotated[int, typer.Option("--bootstrap", min=20, help="Draws for the intervals.")] = 500,
    min_face: MinFaceOption = None,
    model: ModelOption = None,
    threads: ThreadsOption = None,
    providers: ProvidersOption = None,
) -> ExitCode:
    """Choose the distances up to which faces count as the same person, for a wanted false acceptance rate (FAR).

    FOLDER holds a subfolder a person, or a labels.csv with the columns path, identity and, if wanted, expression; it
    gives thresholds for verification (pairs) and identification (a photo against all other people). PAIRS.csv has the
    columns a, b (photos, relative to it) and same (1 or 0); it gives one for verification, which a gallery takes for
    identification too. The largest face of each photo is taken, as verify and enroll find it.

    Give each person photos with several expressions: genuine pairs are reported by whether their expressions are the
    same, by labels.csv or else by the model.

    Intervals are 95 %, from drawing people anew. --json prints one object: model, far_asked, chosen_on, gallery_size,
    verification and identification (or null) with threshold, far, frr, their intervals as [low, high], genuine,
    impostors, people; expressions (list); warnings (list).
    """
    if not 0 < far < 1:
        raise typer.BadParameter(f"--far is {far:g}; give a rate between 0 and 1")
    if plot is not None:
        if plot.suffix.lower() != ".svg":
            raise typer.BadParameter(f"--plot {plot} would be an SVG; give a path that ends in .svg")
        plot.parent.mkdir(parents=True, exist_ok=True)
    mien = Mien(model, threads=threads, providers=providers, min_face=min_face)
    mien.contract.require_identity()
    with nullcontext() if gallery is None else Gallery(gallery, mien.contract) as target:  # refused before all the work
        with looking("looking") as observe:
            result = calibrate_photos(mien, source, far=far, bootstrap=bootstrap, observer=observe)
        found = result.calibration
        if target is not None:
            target.thresholds = found.thresholds
    sys.stdout.write(json.dumps(_record(found)) + "\n" if as_json else _report(found))
    for warning in found.warnings:
        say(f"warning: {warning}")
    if plot is not None:  # last, so that a picture that cannot be kept costs nothing else
        _write(plot, calibration_svg(found))
    return ExitCode.PARTIAL if result.failures else ExitCode.DONE


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise DataError(f"{path} cannot be written ({error.strerror}); give another path for --plot") from error


def _report(found: Calibration) -> str:
    lines = [f"model {found.model_id}, FAR asked for {found.far_asked:g}; {found.chosen_on}"]
    lines += _choice_lines("verification (two photos)", found.verification, "FAR", "FRR")
    if found.identification is not None:
        title = f"identification (a photo against {found.gallery_size} people)"
        lines += _choice_lines(title, found.identification, "FPIR", "FNIR")
    for kind in found.expressions:
        what = "the same expression" if kind.same_expression else "different expressions"
        lines.append(
            f"genuine pairs with {what}: {kind.pairs} of {kind.people} people, distance {kind.median:.3f} (median), "
            f"{kind.high:.3f} (95 %); {kind.accepted:.1%} accepted"
        )
    return "\n".join(lines) + "\n"


def _choice_lines(title: str, choice: Choice, far: str, frr: str) -> list[str]:
    low, high = choice.threshold_interval.low, choice.threshold_interval.high
    return [
        f"{title}: threshold {choice.threshold:.4f} (95 % {low:.4f} to {high:.4f})",
        f"  {far} {choice.far:.3%} (95 % {choice.far_interval.low:.3%} to {choice.far_interval.high:.3%}) "
        f"of {choice.impostors} impostor trials",
        f"  {frr} {choice.frr:.2%} (95 % {choice.frr_interval.low:.2%} to {choice.frr_interval.high:.2%}) "
        f"of {choice.genuine} genuine trials, {choice.people} people",
    ]


def _record(found: Calibration) -> dict[str, Any]:
    return {
        "model": found.model_id,
        "far_asked": found.far_asked,
        "chosen_on": found.chosen_on,
        "gallery_size": found.gallery_size,
        "verification": _choice_record(found.verification),
        "identification": None if found.identification is None else _choice_record(found.identification),
        "expressions": [asdict(kind) for kind in found.expressions],
        "warnings": list(found.warnings),
    }


def _choice_record(choice: Choice) -> dict[str, Any]:
    intervals = {
        "threshold_interval": choice.threshold_interval,
        "far_interval": choice.far_interval,
        "frr_interval": choice.frr_interval,
    }
    return {
        **{key: getattr(choice, key) for key in ("threshold", "far", "frr", "genuine", "impostors", "people")},
        **{key: [interval.low, interval.high] for key, interval in intervals.items()},
    }
