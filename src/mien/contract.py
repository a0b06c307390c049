"""The contract that travels inside a model file: all that the USE half must know about a network."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import Any

from mien.errors import MissingOutputError, ModelError
from mien.outputs import (
    EXPRESSION,
    IDENTITY,
    Embedding,
    Output,
    Probabilities,
    check_outputs,
    face_outputs,
    from_record,
    to_record,
)
from mien.thresholds import Threshold, ThresholdTable
from mien.types import Expression

METADATA_KEY = "mien.contract"
"""Key of the contract in the ONNX file's metadata."""

VERSION = 2
"""Version of the contract's form that is written; 1 is read too."""

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Contract:
    """What a model file promises.

    The graph takes ``uint8`` aligned RGB crops ``(N, crop_size, crop_size, 3)`` named ``crops`` and returns the outputs
    by their names, each float32 ``(N, width)``. Normalisation is inside the graph. What differs in a file that was made
    elsewhere stands beside its contract, see `mien.foreign`.

    Attributes:
        model_id: name and version; galleries are pinned to it, so files that give other numbers have another one.
        crop_size: side of the square crop in pixels.
        template: five (x, y) positions, in pixels of the crop, to which a face's landmarks are aligned (the order of
            `mien.types.Face.landmarks`).
        outputs: what the graph returns; ``embedding`` and ``expression`` are the two that mien decides by.
        thresholds: for `verify` and galleries; None when the model has no embedding or recommends none.
        provenance: what it was trained on and how, in words.
        terms: the terms of the weights and of the training data, in words.
        metric: how embeddings are compared; always "euclidean" so far.
        landmark_weights: how much each landmark counts in the alignment; None for
            `mien.alignment.LANDMARK_WEIGHTS`, what the shipped models are made for.
    """

    model_id: str
    crop_size: int
    template: tuple[Point, ...]
    outputs: tuple[Output, ...]
    thresholds: ThresholdTable | None
    provenance: str
    terms: str
    metric: str = "euclidean"
    landmark_weights: tuple[float, ...] | None = None

    @property
    def embedding_size(self) -> int:
        """D of the identity embedding; 0 when the model has none."""
        return next((output.width for output in self.outputs if output.name == IDENTITY), 0)

    @property
    def normalized(self) -> bool:
        """Whether identity embeddings have length 1."""
        return any(
            output.normalized for output in self.outputs if isinstance(output, Embedding) and output.name == IDENTITY
        )

    @property
    def expressions(self) -> tuple[Expression, ...]:
        """The classes of the ``expression`` output in order; empty when there is none."""
        for output in self.outputs:
            if output.name == EXPRESSION and isinstance(output, Probabilities):
                return tuple(Expression(name) for name in output.classes)
        return ()

    @property
    def others(self) -> tuple[Output, ...]:
        """The outputs beside identity and expression."""
        return tuple(output for output in self.outputs if output.name not in (IDENTITY, EXPRESSION))

    @property
    def threshold(self) -> Threshold | None:
        """The distance to verify by: the default row of ``thresholds``; None when the model recommends none."""
        return None if self.thresholds is None else self.thresholds.default

    def require_identity(self) -> None:
        """Refuse a model that does not tell people apart.

        Raises:
            MissingOutputError: it has no identity output.
        """
        if not self.embedding_size:
            raise MissingOutputError.of("identity", self.model_id)

    def require_expression(self) -> None:
        """Refuse a model that does not tell expressions.

        Raises:
            MissingOutputError: it has no expression output.
        """
        if not self.expressions:
            raise MissingOutputError.of("expression", self.model_id)

    def require_thresholds(self) -> ThresholdTable:
        """The table of thresholds, where one is needed.

        Raises:
            ModelError: the model recommends none.
        """
        if self.thresholds is None:
            raise ModelError(
                f"model {self.model_id} recommends no threshold; run `mien calibrate`, or give a distance to decide by"
            )
        return self.thresholds

    def without(self, *names: str) -> Contract:
        """The same contract less some outputs; without identity it has no thresholds either."""
        kept = tuple(output for output in self.outputs if output.name not in names)
        return replace(self, outputs=kept, thresholds=None if IDENTITY in names else self.thresholds)

    def to_record(self) -> dict[str, Any]:
        """The contract as a JSON object."""
        record = asdict(self)
        record["outputs"] = [to_record(output) for output in self.outputs]
        return {"version": VERSION, **record}

    def to_json(self) -> str:
        """Serialise for the ONNX metadata."""
        return json.dumps(self.to_record(), indent=1)

    @classmethod
    def from_json(cls, text: str) -> Contract:
        """Parse and check a contract of version 1 or 2.

        Raises:
            ModelError: the text is no contract, or one of a version that this mien does not know.
        """
        try:
            record = json.loads(text)
            version = record.pop("version")
            if version not in (1, VERSION):
                raise ModelError(
                    f"the model's contract has version {version}, this mien reads up to {VERSION}; "
                    "use a model exported for it, or a newer mien"
                )
            contract = cls(**(_fields_of_version_1(record) if version == 1 else _fields(record)))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ModelError(f"the model's contract cannot be read ({error!r}); export the model again") from error
        _check(contract)
        return contract


def _fields(record: dict[str, Any]) -> dict[str, Any]:
    thresholds, weights = record.pop("thresholds"), record.pop("landmark_weights", None)
    return {
        **record,
        "template": tuple((float(x), float(y)) for x, y in record["template"]),
        "outputs": tuple(from_record(output) for output in record["outputs"]),
        "thresholds": None if thresholds is None else _table(thresholds),
        "landmark_weights": None if weights is None else tuple(float(weight) for weight in weights),
    }


def _fields_of_version_1(record: dict[str, Any]) -> dict[str, Any]:
    """One threshold, no other outputs, and embeddings of any length."""
    classes = [Expression(name) for name in record.pop("expressions")]
    outputs = face_outputs(int(record.pop("embedding_size")), classes, normalized=False)
    threshold = record.pop("threshold")
    table = {"rows": [threshold], "default_far": threshold["far"]} if threshold else None
    return _fields({**record, "outputs": [to_record(output) for output in outputs], "thresholds": table})


def _table(record: dict[str, Any]) -> ThresholdTable:
    rows = []
    for row in record["rows"]:
        interval = row.get("far_interval")
        rows.append(Threshold(**{**row, "far_interval": None if interval is None else (interval[0], interval[1])}))
    return ThresholdTable(tuple(rows), record["default_far"])


def _check(contract: Contract) -> None:
    weights = contract.landmark_weights or (1.0,) * 5
    if not (len(weights) == 5 and min(weights) >= 0 and sum(weight > 0 for weight in weights) >= 2):
        raise ModelError("the model's contract needs five landmark weights, at least two of them above 0")
    if contract.metric != "euclidean" or len(contract.template) != 5 or contract.crop_size < 1:
        raise ModelError("the model's contract is not one that this mien understands; export the model again")
    check_outputs(contract.outputs)
