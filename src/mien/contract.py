"""The contract that travels inside a model file: all that the USE half must know about a network."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field

from mien.errors import ModelError
from mien.types import Expression

METADATA_KEY = "mien.contract"
"""Key of the contract in the ONNX file's metadata."""

VERSION = 1
"""Version of the contract's form."""

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Threshold:
    """The recommended verification threshold and where it comes from.

    Attributes:
        distance: Euclidean distance up to which two faces count as the same person.
        far: the false acceptance rate it was chosen for, in [0, 1].
        chosen_on: the data and protocol it was chosen on, in words.
    """

    distance: float
    far: float
    chosen_on: str


@dataclass(frozen=True, slots=True)
class Contract:
    """What a model file promises.

    The graph takes ``uint8`` aligned RGB crops ``(N, crop_size, crop_size, 3)`` named ``crops`` and returns any of
    ``embedding (N, embedding_size)`` float32 and ``expression (N, len(expressions))`` float32 probabilities; each is
    optional. Normalisation is inside the graph. What differs in a file that was made elsewhere stands beside its
    contract, see `mien.foreign`.

    Attributes:
        model_id: name and version; galleries are pinned to it.
        crop_size: side of the square crop in pixels.
        template: five (x, y) positions, in pixels of the crop, to which a face's landmarks are aligned (the order of
            `mien.types.Face.landmarks`).
        expressions: the classes of the ``expression`` output in order; empty when there is none.
        embedding_size: D, or 0 when there is no ``embedding`` output.
        metric: how embeddings are compared; always "euclidean" so far.
        landmark_weights: how much each landmark counts in the alignment; None for
            `mien.alignment.LANDMARK_WEIGHTS`, what the shipped models are made for.
        threshold: the recommended threshold for `verify`; None when the model has no embedding.
        provenance: what it was trained on and how, in words.
        terms: the terms of the weights and of the training data, in words.
        version: version of the contract's form.
    """

    model_id: str
    crop_size: int
    template: tuple[Point, ...]
    expressions: tuple[Expression, ...]
    embedding_size: int
    threshold: Threshold | None
    provenance: str
    terms: str
    metric: str = "euclidean"
    landmark_weights: tuple[float, ...] | None = None
    version: int = field(default=VERSION)

    def to_json(self) -> str:
        """Serialise for the ONNX metadata."""
        return json.dumps(asdict(self), indent=1)

    @classmethod
    def from_json(cls, text: str) -> Contract:
        """Parse and check a contract.

        Raises:
            ModelError: the text is no contract, or one of a version that this mien does not know.
        """
        try:
            record = json.loads(text)
            if record["version"] != VERSION:
                raise ModelError(
                    f"the model's contract has version {record['version']}, this mien reads version {VERSION}; "
                    "use a model exported for it"
                )
            threshold = record.pop("threshold")
            template = tuple((float(x), float(y)) for x, y in record.pop("template"))
            expressions = tuple(Expression(name) for name in record.pop("expressions"))
            weights = record.pop("landmark_weights", None)
            contract = cls(
                template=template,
                expressions=expressions,
                threshold=Threshold(**threshold) if threshold else None,
                landmark_weights=None if weights is None else tuple(float(weight) for weight in weights),
                **record,
            )
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ModelError(f"the model's contract cannot be read ({error!r}); export the model again") from error
        weights = contract.landmark_weights or (1.0,) * 5
        if not (len(weights) == 5 and min(weights) >= 0 and sum(weight > 0 for weight in weights) >= 2):
            raise ModelError("the model's contract needs five landmark weights, at least two of them above 0")
        if contract.metric != "euclidean" or len(contract.template) != 5 or contract.crop_size < 1:
            raise ModelError("the model's contract is not one that this mien understands; export the model again")
        return contract
