"""What the second answer costs: the shipped network against the same network without its expression branch."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np
import onnx
from _report import Figure, Section, Target
from _timing import interleave
from numpy.typing import NDArray

from mien.contract import METADATA_KEY
from mien.runtime import Model

TARGET = Target(1.4, "at most")
REPEATS_OF_ONE = 5
"""So many times more runs for a single crop, which is quick and scatters more."""

PROTOCOL = (
    "The shipped model with both answers against the same file without the expression branch (cut off with "
    "onnx.utils.extract_model, since ONNX Runtime runs a whole graph whatever outputs are asked for), in turn."
)


def identity_only(model: Model, folder: Path) -> Path:
    """Write the part of a model that leads to the embedding, with a contract that promises no more."""
    path = folder / "identity.onnx"
    onnx.utils.extract_model(str(model.path), str(path), ["crops"], ["embedding"])
    graph = onnx.load(str(path))
    onnx.helper.set_model_props(graph, {METADATA_KEY: replace(model.contract, expressions=()).to_json()})
    onnx.save(graph, str(path))
    return path


def compare_answers(model: Model, crops: NDArray[np.uint8], threads: int, repeats: int) -> Section:
    """Time one crop and all crops through both graphs."""
    figures = []
    details: dict[str, object] = {}
    with TemporaryDirectory() as folder:
        alone = Model(identity_only(model, Path(folder)), threads=threads)
        nodes = count_nodes(alone.path), count_nodes(model.path)
        for count, runs in ((1, REPEATS_OF_ONE * repeats), (len(crops), repeats)):
            part = crops[:count]
            measured = interleave(partial(alone.run, part), partial(model.run, part), runs, warm_up=2)
            name = f"both answers over identity alone, N = {count}"
            figures.append(Figure(name, measured.ratio, "x", f"{runs} runs", *measured.quartiles, target=TARGET))
            figures.append(Figure(f"both answers, N = {count}", median(measured.second), "ms", f"{runs} runs"))
            details[f"N = {count}"] = {"identity alone": measured.first, "both": measured.second}
    lines = [f"Nodes of the graph: {nodes[1]} with both branches, {nodes[0]} with identity alone."]
    return Section("Both answers against identity alone", PROTOCOL, "quartiles", figures, lines, details)


def count_nodes(path: Path) -> int:
    """How many operations a model file has."""
    return len(onnx.load(str(path)).graph.node)
