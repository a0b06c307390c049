"""`mien quantize`: a model file in 8 bits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from mien.analyzer import Mien
from mien.calibration import thresholds_of_people
from mien.cli.console import progress, shown
from mien.cli.exits import ExitCode, say
from mien.cli.looking import looking
from mien.cli.options import MinFaceOption, ModelOption, ThreadsOption
from mien.cli.photos import find_photos
from mien.errors import DataError, ImageError, ModelError
from mien.images import Pixels
from mien.networks import QuantizationSettings, differences, restate
from mien.networks import quantize as quantize_model

_DEFAULTS = QuantizationSettings()
_FAR = 1e-3


def quantize(
    output: Annotated[Path, typer.Argument(metavar="OUTPUT", help="The ONNX file to write.")],
    photos: Annotated[
        list[str],
        typer.Option("--photos", metavar="PATH", help="Photos, folders, patterns to calibrate on; repeat for more."),
    ],
    detect: Annotated[
        bool, typer.Option("--detect/--no-detect", help="--no-detect: each image is one face crop already.")
    ] = True,
    limit: Annotated[int, typer.Option("--limit", min=1, help="Photos to calibrate on at most, evenly chosen.")] = 300,
    people: Annotated[
        Path | None,
        typer.Option("--people", metavar="FOLDER", exists=True, help="Choose the thresholds anew on these people."),
    ] = None,
    keep_float: Annotated[
        list[str] | None,
        typer.Option("--keep-float", metavar="LAYER", help="first, last, a layer's name or pattern; repeat for more."),
    ] = None,
    reduce_range: Annotated[
        bool, typer.Option("--reduce-range", help="7-bit weights, for x86 processors without VNNI.")
    ] = False,
    min_face: MinFaceOption = None,
    model: ModelOption = None,
    threads: ThreadsOption = None,
) -> ExitCode:
    """Write a model in 8 bits, weights and activations, and tell how far its answers differ.

    Convolutions and fully connected layers are quantized, with a scale per output channel; the first and the last
    layers stay float unless --keep-float says otherwise (--keep-float "" for none). Calibrate on a few hundred faces
    like those that the model will see.

    The new model has an id of its own: a gallery of the float model refuses it. Its thresholds are the float model's,
    and say so; or are chosen anew with --people, a folder as mien calibrate takes it, on all impostor pairs.
    """
    if not output.parent.is_dir():
        raise ModelError(f"there is no folder {output.parent} for the model file; make it, or give another path")
    mien = Mien(model, threads=threads, min_face=min_face)
    found = find_photos(photos)
    for problem in found.problems:
        say(f"mien: {problem}")
    paths = [photo.path for photo in found.photos]
    chosen = [paths[k] for k in sorted({*np.linspace(0, len(paths) - 1, min(limit, len(paths)), dtype=int).tolist()})]
    crops = _crops(mien, chosen, detect)
    if not crops:
        raise DataError("no face was found to calibrate on; give photos with faces, or crops with --no-detect")
    names = tuple(_DEFAULTS.keep_float if keep_float is None else filter(None, keep_float))
    settings = QuantizationSettings(names, reduce_range)
    stacked = np.stack(crops)
    data = ", ".join(shown(Path(path).name) for path in photos)
    made = quantize_model(mien.model.path, stacked, output, data=data, settings=settings)
    quantized = Mien(output, threads=threads, min_face=min_face)
    if people is not None:
        with looking("choosing thresholds") as observe:
            far = _FAR if made.thresholds is None else made.thresholds.default_far
            table = thresholds_of_people(quantized, people, default_far=far, detect=detect, observer=observe)
        made = replace(made, thresholds=table)
        restate(output, made)
    sizes = [path.stat().st_size / 1e6 for path in (output, mien.model.path)]
    say(f"wrote {output}: model {made.model_id}, {sizes[0]:.1f} MB instead of {sizes[1]:.1f}")
    for name, value in differences(made, mien.model.run(stacked), quantized.model.run(stacked)).items():
        say(f"{name} differs by {value:.3g} on the {len(stacked)} crops (mien.networks.differences)")
    for row in made.thresholds.rows if made.thresholds else ():
        say(f"threshold {row.distance:g} for FAR {row.far:g}, chosen on {row.chosen_on}")
    return ExitCode.PARTIAL if found.problems else ExitCode.DONE


def _crops(mien: Mien, paths: Sequence[Path], detect: bool) -> list[Pixels]:
    """The crops of all faces; what cannot be read is named and left out."""
    crops: list[Pixels] = []
    with progress(len(paths), "calibrating") as advance:
        for path in paths:
            try:
                crops += [crop.pixels for crop in mien.crops(path, detect)]
            except ImageError as error:
                say(f"mien: {shown(str(error))}")
            advance()
    return crops
