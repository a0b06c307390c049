"""Results as JSON records and CSV rows; their fields are part of the public interface."""

from __future__ import annotations

import os
from typing import Any

from mien.contract import Contract
from mien.outputs import columns, numbers, plain
from mien.types import Box, Face, ImageFailure

Answer = list[Face] | ImageFailure


def photo_record(photo: str | os.PathLike[str], answer: Answer, model_id: str) -> dict[str, Any]:
    """One photo as a JSON object.

    Returns:
        ``photo`` (path), ``model`` (its id: embeddings of different models cannot be compared), ``faces`` (list of
        `face_record`, by falling area), ``error`` (null, or what was wrong; then there are no faces).
    """
    failed = isinstance(answer, ImageFailure)
    return {
        "photo": os.fspath(photo),
        "model": model_id,
        "faces": [] if isinstance(answer, ImageFailure) else [face_record(face) for face in answer],
        "error": answer.message if failed and isinstance(answer, ImageFailure) else None,
    }


def face_record(face: Face) -> dict[str, Any]:
    """One face as a JSON object.

    Returns:
        ``box`` [left, top, right, bottom] in pixels of the upright photo, ``score`` of the detector in [0, 1],
        ``landmarks`` five [x, y] or null, ``aligned``, ``found_by`` (a value of `FoundBy`), ``expression`` (the most
        probable) or null, ``probabilities`` by expression or null, ``embedding`` (list of D numbers, compared by
        Euclidean distance) or null, ``outputs`` (the model's other answers by name: a number, an object of
        probabilities, or a list of numbers).
    """
    scores = face.expression
    return {
        "box": box_record(face.box),
        "score": round(face.score, 4),
        "landmarks": None
        if face.landmarks is None
        else [[round(float(v), 2) for v in point] for point in face.landmarks],
        "aligned": face.aligned,
        "found_by": face.found_by.value,
        "expression": None if scores is None else scores.top.value,
        "probabilities": None if scores is None else {name.value: round(scores[name], 6) for name in scores},
        "embedding": None if face.embedding is None else [round(float(value), 7) for value in face.embedding],
        "outputs": {name: plain(value) for name, value in face.outputs.items()},
    }


def box_record(box: Box) -> list[float]:
    """[left, top, right, bottom], to a hundredth of a pixel."""
    return [round(edge, 2) for edge in (box.left, box.top, box.right, box.bottom)]


def csv_header(contract: Contract) -> list[str]:
    """Columns of `csv_rows`: the last ones are the probabilities of the model's expressions, and its other outputs."""
    fixed = ["photo", "face", "left", "top", "right", "bottom", "score", "aligned", "found_by", "expression", "error"]
    others = [column for output in contract.others for column in columns(output)]
    return [*fixed, *(name.value for name in contract.expressions), *others]


def csv_rows(photo: str | os.PathLike[str], answer: Answer, contract: Contract) -> list[list[Any]]:
    """One row a face, counted from 1; a photo without a face or with an error has one row, with an empty ``face``."""
    blank = [""] * (len(csv_header(contract)) - 1)
    if isinstance(answer, ImageFailure):
        blank[9] = answer.message
        return [[os.fspath(photo), *blank]]
    rows: list[list[Any]] = []
    for number, face in enumerate(answer, start=1):
        scores = face.expression
        top = "" if scores is None else scores.top.value
        probabilities = [] if scores is None else [round(scores[name], 6) for name in contract.expressions]
        others = [number for output in contract.others for number in numbers(face.outputs[output.name])]
        box = box_record(face.box)
        how = [round(face.score, 4), face.aligned, face.found_by.value]
        rows.append([os.fspath(photo), number, *box, *how, top, "", *probabilities, *others])
    return rows or [[os.fspath(photo), *blank]]
