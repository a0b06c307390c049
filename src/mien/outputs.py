"""What a model answers: outputs with a name, a kind and a width.

Two names are known everywhere: `IDENTITY`, an `Embedding`, and `EXPRESSION`, `Probabilities` of
`mien.types.Expression`. A model may have others beside them, such as an age.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from mien.errors import ModelError
from mien.types import Expression, OutputValue, Scores

Floats = NDArray[np.float32]

IDENTITY = "embedding"
"""Name of the output that tells people apart."""

EXPRESSION = "expression"
"""Name of the output with the probabilities of expressions."""


@dataclass(frozen=True, slots=True)
class Embedding:
    """A vector; two of them are compared by Euclidean distance.

    Attributes:
        name: of the output.
        width: how many numbers.
        normalized: whether the vectors have length 1. Only models of contract version 1 may have others.
    """

    kind: ClassVar[str] = "embedding"
    name: str
    width: int
    normalized: bool = True

    def read(self, row: Floats) -> OutputValue:
        """The answer for one face, from its row ``(width,)``."""
        return row.copy()


@dataclass(frozen=True, slots=True)
class Probabilities:
    """Probabilities of classes, which sum to 1.

    Attributes:
        name: of the output.
        classes: their names, in order.
    """

    kind: ClassVar[str] = "probabilities"
    name: str
    classes: tuple[str, ...]

    @property
    def width(self) -> int:
        """How many classes."""
        return len(self.classes)

    def read(self, row: Floats) -> OutputValue:
        """The answer for one face, from its row ``(width,)``."""
        return Scores(self.classes, tuple(row.tolist()))


@dataclass(frozen=True, slots=True)
class Scalar:
    """One number.

    Attributes:
        name: of the output.
        unit: of the number, in words; empty for none.
        range: smallest and largest value that the model is made for.
    """

    kind: ClassVar[str] = "scalar"
    width: ClassVar[int] = 1
    name: str
    unit: str
    range: tuple[float, float]

    def read(self, row: Floats) -> OutputValue:
        """The answer for one face, from its row ``(1,)``."""
        return float(row[0])


Output = Embedding | Probabilities | Scalar

_KINDS: Mapping[str, type[Output]] = {kind.kind: kind for kind in (Embedding, Probabilities, Scalar)}


def face_outputs(
    embedding_size: int, expressions: Iterable[Expression], *, normalized: bool = True
) -> tuple[Output, ...]:
    """The outputs of a model that answers who and which expression.

    Args:
        embedding_size: width of the embedding; 0 for no such output.
        expressions: the classes in order; empty for no such output.
        normalized: see `Embedding`.
    """
    identity = [Embedding(IDENTITY, embedding_size, normalized)] if embedding_size else []
    classes = tuple(expressions)
    return (*identity, Probabilities(EXPRESSION, classes)) if classes else tuple(identity)


def to_record(output: Output) -> dict[str, Any]:
    """An output as a JSON object: ``kind``, ``name``, ``width`` and what its kind has beside them."""
    return {"kind": output.kind, "name": output.name, "width": output.width, **asdict(output)}


def from_record(record: dict[str, Any]) -> Output:
    """The inverse of `to_record`.

    Raises:
        ModelError: it is no output.
        KeyError, TypeError, ValueError: a field is missing, unknown or of another type.
    """
    fields = dict(record)
    kind = fields.pop("kind")
    if kind not in _KINDS:
        raise ModelError(f"output {record['name']} is of the unknown kind {kind}; known are {', '.join(_KINDS)}")
    width = fields["width"] if kind == Embedding.kind else fields.pop("width")
    if kind == Probabilities.kind:
        names = [str(name) for name in fields["classes"]]
        fields["classes"] = tuple(Expression(name) for name in names) if record["name"] == EXPRESSION else tuple(names)
    if kind == Scalar.kind:
        low, high = fields["range"]
        fields["range"] = float(low), float(high)
    output: Output = _KINDS[kind](**fields)
    if output.width != width:
        raise ModelError(f"output {output.name} has {output.width} classes and a width of {width}")
    return output


def plain(value: OutputValue) -> float | dict[str, float] | list[float]:
    """An answer as JSON has it: a number, an object of probabilities by class, or a list of numbers."""
    if isinstance(value, Scores):
        return {str(name): round(share, 6) for name, share in value.items()}
    return [float(str(number)) for number in value] if isinstance(value, np.ndarray) else round(value, 6)


def columns(output: Output) -> list[str]:
    """Columns of a table for an output: its name, one per class as in ``glasses.none``, or none for an embedding."""
    if isinstance(output, Probabilities):
        return [f"{output.name}.{name}" for name in output.classes]
    return [output.name] if isinstance(output, Scalar) else []


def numbers(value: OutputValue) -> list[float]:
    """An answer in the columns of its output."""
    found = plain(value)
    return list(found.values()) if isinstance(found, dict) else [found] if isinstance(found, float) else []


def check_outputs(outputs: Iterable[Output]) -> None:
    """Refuse outputs that contradict themselves or each other.

    Raises:
        ModelError: a name is empty, taken twice or of the wrong kind, or a width, class or range cannot be.
    """
    seen: set[str] = set()
    for output in outputs:
        problem = _problem(output, seen)
        if problem:
            raise ModelError(f"output {output.name!r} {problem}; export the model again")
        seen.add(output.name)


def _problem(output: Output, seen: set[str]) -> str:
    wanted = {IDENTITY: Embedding, EXPRESSION: Probabilities}.get(output.name)
    if not output.name or output.name in seen:
        return "has no name of its own"
    if wanted is not None and not isinstance(output, wanted):
        return f"is of kind {output.kind}, against its name"
    if output.width < 1 or (isinstance(output, Probabilities) and len(set(output.classes)) < len(output.classes)):
        return "has no width, or a class twice"
    if isinstance(output, Scalar) and not -math.inf < output.range[0] < output.range[1] < math.inf:
        return f"has the range {output.range}, which is none"
    return ""
