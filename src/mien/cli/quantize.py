"""`mien quantize`: a model file in 8 bits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from mien.analyzer import Mien
from mien.calibration import read_people
from mien.cli.console import progress, shown
from mien.cli.exits import ExitCode, say
from mien.cli.options import MinFaceOption, ModelOption, ThreadsOption
from mien.cli.photos import find_photos
from mien.contract import Contract
from mien.crops import Crop
from mien.errors import DataError, ImageError, ModelError
from mien.evaluation import choose_thresholds
from mien.networks import QuantizationSettings, differences, restate
from mien.networks import quantize as quantize_model
from mien.outputs import IDENTITY
from mien.runtime import BATCH_SIZE, Model

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
    crops = [crop.pixels for _, own in _cut(mien, chosen, detect, "calibrating") for crop in own]
    if not crops:
        raise DataError("no face was found to calibrate on; give photos with faces, or crops with --no-detect")
    names = tuple(_DEFAULTS.keep_float if keep_float is None else filter(None, keep_float))
    settings = QuantizationSettings(names, reduce_range)
    stacked = np.stack(crops)
    made = quantize_model(mien.model.path, stacked, output, data=", ".join(map(shown, photos)), settings=settings)
    quantized = Model(output, threads=threads)
    if people is not None:
        made = _rechosen(mien, quantized, made, people, detect)
        restate(output, made)
    sizes = [path.stat().st_size / 1e6 for path in (output, mien.model.path)]
    say(f"wrote {output}: model {made.model_id}, {sizes[0]:.1f} MB instead of {sizes[1]:.1f}")
    for name, value in differences(made, mien.model.run(stacked), quantized.run(stacked)).items():
        say(f"{name} differs by {value:.3g} on the {len(stacked)} crops (mien.networks.differences)")
    for row in made.thresholds.rows if made.thresholds else ():
        say(f"threshold {row.distance:g} for FAR {row.far:g}, chosen on {row.chosen_on}")
    return ExitCode.PARTIAL if found.problems else ExitCode.DONE


def _rechosen(mien: Mien, quantized: Model, made: Contract, folder: Path, detect: bool) -> Contract:
    """The contract with thresholds chosen on the largest face of each photo of known people."""
    made.require_identity()
    known = {photo.path: photo.identity for photo in read_people(folder)}
    embeddings: list[NDArray[np.float32]] = []
    identities: list[str] = []
    waiting: list[Crop] = []

    def finish() -> None:
        embeddings.append(quantized.run(np.stack([crop.pixels for crop in waiting]))[IDENTITY])
        waiting.clear()

    for path, crops in _cut(mien, list(known), detect, "choosing thresholds"):
        if crops:
            identities.append(known[path])
            waiting.append(crops[0])
        if len(waiting) == BATCH_SIZE:
            finish()
    if waiting:
        finish()
    if not embeddings:
        raise DataError(f"no face was found in the photos of {folder}; give others, or crops with --no-detect")
    far = _FAR if made.thresholds is None else made.thresholds.default_far
    table = choose_thresholds(np.concatenate(embeddings), identities, name=folder.name, default_far=far)
    return replace(made, thresholds=table)


def _cut(mien: Mien, paths: Sequence[Path], detect: bool, what: str) -> Iterator[tuple[Path, list[Crop]]]:
    """The crops of each photo; what cannot be read is named and left out."""
    with progress(len(paths), what) as advance:
        for path in paths:
            try:
                yield path, mien.crops(path, detect)
            except ImageError as error:
                say(f"mien: {shown(str(error))}")
            advance()
