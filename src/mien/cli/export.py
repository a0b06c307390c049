"""`mien export`: a checkpoint to a model file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mien.cli.exits import ExitCode, say
from mien.cli.train import DataOption, parse_folders
from mien.errors import ModelError
from mien.thresholds import Threshold, ThresholdTable
from mien.training import Calibration, calibrate, can_calibrate, choose_threshold, load_sources, load_trained
from mien.training import export as export_model

_FAR = 1e-3


def export(
    checkpoint: Annotated[Path, typer.Argument(metavar="CHECKPOINT", help="The best.pt of a run of mien train.")],
    output: Annotated[Path, typer.Argument(metavar="OUTPUT", help="The ONNX file to write.")],
    data: DataOption = None,
    far: Annotated[
        float | None,
        typer.Option("--far", min=0.0, max=1.0, help="Verify by the threshold for this FAR, else by that for 0.001."),
    ] = None,
    threshold: Annotated[
        float | None,
        typer.Option("--threshold", min=0.0, help="Take this threshold instead of choosing one; --far is what it has."),
    ] = None,
    calibration: Annotated[
        Calibration | None,
        typer.Option(
            "--calibrate",
            help="How the probabilities of expressions are calibrated on the photos kept for validation: by a "
            "temperature (the default with --data), also by a bias of each expression, or not.",
        ),
    ] = None,
) -> ExitCode:
    """Write a trained network as one ONNX file with its contract, for mien analyze --model OUTPUT.

    The thresholds, for false acceptance rates of 0.01 to 0.000001 as far as there are impostor pairs enough, are chosen
    on the people that the recipe keeps for validation, so its data must be given as for mien train; or give a threshold
    of your own. The probabilities of expressions are calibrated on the same photos.
    """
    if threshold is not None and far is None:
        raise typer.BadParameter("--threshold needs --far: the false acceptance rate that was measured for it")
    if not output.parent.is_dir():
        raise ModelError(f"there is no folder {output.parent} for the model file; make it, or give another path")
    recipe, network = load_trained(checkpoint)
    chosen: ThresholdTable | None = None
    if threshold is not None and far is not None:
        chosen = ThresholdTable.of(Threshold(threshold, far, "given by the user"))
    choose = recipe.tasks.identity is not None and chosen is None
    scale = recipe.tasks.expression is not None and calibration is not Calibration.NONE
    sources = (
        load_sources(recipe, parse_folders(data or []), say) if choose or (scale and (data or calibration)) else []
    )
    if choose:
        chosen = choose_threshold(recipe, network, sources, _FAR if far is None else far)
    if scale and (calibration or can_calibrate(sources)):
        network, report = calibrate(recipe, network, sources, calibration or Calibration.TEMPERATURE)
        say(f"expressions are calibrated: {report}")
    elif recipe.tasks.expression:
        say("expressions are not calibrated; their probabilities are as they were trained")
    contract = export_model(recipe, network, output, chosen)
    say(f"wrote {output}: model {contract.model_id}, {output.stat().st_size / 1e6:.1f} MB")
    for row in chosen.rows if chosen else ():
        say(f"threshold {row.distance:g} for FAR {row.far:g}, chosen on {row.chosen_on}")
    return ExitCode.DONE
