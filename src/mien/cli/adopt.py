"""`mien adopt`: an ONNX file of the ArcFace line as a model of mien."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mien.adoption import adopt as adopt_model
from mien.cli.exits import ExitCode, say
from mien.foreign import contract_path


def adopt(
    model: Annotated[Path, typer.Argument(metavar="MODEL.onnx", exists=True, dir_okay=False, help="The model file.")],
    provenance: Annotated[str, typer.Option("--provenance", help="What it was trained on and how, in words.")],
    terms: Annotated[str, typer.Option("--terms", help="The terms of its weights and their training data, in words.")],
    mean: Annotated[
        float, typer.Option("--mean", help="Subtracted from pixels of 0 to 255; 0 if the graph does it itself.")
    ] = 127.5,
    scale: Annotated[
        float, typer.Option("--scale", min=1e-6, help="What they are then divided by; 1 if the graph does it itself.")
    ] = 127.5,
) -> ExitCode:
    """Write a contract beside an identity model of the ArcFace line, so that --model MODEL.onnx takes it everywhere.

    The model must take 112-pixel RGB crops, as those of InsightFace do. The contract, MODEL.contract.json, may be
    edited. It recommends no threshold: choose one with mien calibrate.
    """
    adopted = adopt_model(model, provenance=provenance, terms=terms, mean=mean, scale=scale)
    say(f"wrote {contract_path(model)}: model {adopted.contract.model_id}, {adopted.contract.embedding_size} numbers")
    say("it recommends no threshold; choose one with: mien calibrate --model " + str(model))
    return ExitCode.DONE
