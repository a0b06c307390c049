"""What the second answer costs: the shipped network against the same network without its expression branch."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np
import onnx
from _report import Figure, Section, Target
from _setting import EXAMPLES
from _timing import interleave
from numpy.typing import NDArray

from mien import Mien
from mien.contract import METADATA_KEY
from mien.outputs import EXPRESSION
from mien.runtime import Model

TARGET = Target(1.4, "at most")
CALLS = 8
"""Calls a timed run for a single crop, which is quick."""

PROTOCOL = (
    "The shipped model with both answers against the same file without the expression branch (cut off with "
    "onnx.utils.extract_model, since ONNX Runtime runs a whole graph whatever outputs are asked for), in turn."
)


def identity_only(model: Model, folder: Path) -> Path:
    """Write the part of a model that leads to the embedding, with a contract that promises no more."""
    path = folder / "identity.onnx"
    onnx.utils.extract_model(str(model.path), str(path), ["crops"], ["embedding"])
    graph = onnx.load(str(path))
    onnx.helper.set_model_props(graph, {METADATA_KEY: model.contract.without(EXPRESSION).to_json()})
    onnx.save(graph, str(path))
    return path


def compare_answers(model: Model, crops: NDArray[np.uint8], threads: int, repeats: int) -> Section:
    """Time one crop, all crops, and a whole photo, through both graphs."""
    photo = EXAMPLES / "obama.jpg"
    with TemporaryDirectory() as folder:
        path = identity_only(model, Path(folder))
        nodes = count_nodes(path), count_nodes(model.path)
        alone = Model(path, threads=threads)
        first, second = (Mien(source, threads=threads) for source in (path, model.path))
        measured = {
            "N = 1": interleave(partial(alone.run, crops[:1]), partial(model.run, crops[:1]), repeats, calls=CALLS),
            f"N = {len(crops)}": interleave(partial(alone.run, crops), partial(model.run, crops), repeats),
            "a whole photo": interleave(partial(first.analyze, photo), partial(second.analyze, photo), repeats),
        }
    figures = []
    for what, comparison in measured.items():
        n = f"{repeats} x {CALLS} calls" if what == "N = 1" else f"{repeats} calls"
        target = None if what == "a whole photo" else TARGET
        name = f"both answers over identity alone, {what}"
        figures.append(Figure(name, comparison.ratio, "x", n, *comparison.quartiles, target=target))
        figures.append(Figure(f"both answers, {what}", median(comparison.second), "ms", n))
    lines = [
        f"Nodes of the graph: {nodes[1]} with both branches, {nodes[0]} with identity alone. A single crop pays most "
        "for reading the weights, and the branch has as many as identity's. The whole photo is one file with one face, "
        "detection included."
    ]
    details = {what: {"identity alone": c.first, "both": c.second} for what, c in measured.items()}
    return Section("Both answers against identity alone", PROTOCOL, "quartiles", figures, lines, details)


def count_nodes(path: Path) -> int:
    """How many operations a model file has."""
    return len(onnx.load(str(path)).graph.node)
