"""People as JSON lines: to hand somebody all that is stored about them, and to move them to another gallery.

The first line is a header ``{"format": "mien-gallery", "version": 1, "model": ID, "embedding_size": D}``. Every further
line is a person: ``name``, ``consent``, ``consents`` (all, the latest last; older exports have none), ``enrolled``,
``expires`` (or null), ``samples``: a list of ``added``, ``source``, ``embedding`` (D numbers that give the very same
float32). Times are ISO 8601 in UTC.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.contract import Contract
from mien.errors import GalleryError
from mien.gallery.people import to_text, to_time
from mien.gallery.records import Person, Sample
from mien.shipped import other_model

FORMAT = "mien-gallery"
VERSION = 1


@dataclass(frozen=True, slots=True, eq=False)
class Exported:
    """Everything that is stored about a person.

    Attributes:
        person: who.
        samples: the samples.
        embeddings: ``(N, D)`` float32, one for each sample.
        consents: all that the person agreed to, the latest last; empty: only what ``person`` tells.
    """

    person: Person
    samples: list[Sample]
    embeddings: NDArray[np.float32]
    consents: Sequence[str] = ()


def to_lines(contract: Contract, exported: Iterable[Exported]) -> Iterator[str]:
    """Lines of text, each with its line end."""
    header = {"format": FORMAT, "version": VERSION, "model": contract.model_id}
    yield json.dumps({**header, "embedding_size": contract.embedding_size}) + "\n"
    for record in exported:
        yield json.dumps(_record(record)) + "\n"


def from_lines(lines: Iterable[str], contract: Contract, name: str) -> Iterator[Exported]:
    """Read what `to_lines` wrote.

    Args:
        lines: of the text.
        contract: of the model that the people are wanted for.
        name: what to call the text in an error.

    Raises:
        GalleryError: the text is something else, damaged, or of another model.
    """
    rest = iter(lines)
    header = _parsed(next(rest, ""), name, 1)
    if header.get("format") != FORMAT or header.get("version") != VERSION:
        raise GalleryError(f"{name} is not an export of a gallery; give a file that `mien gallery export` wrote")
    if (header.get("model"), header.get("embedding_size")) != (contract.model_id, contract.embedding_size):
        raise GalleryError(other_model(name, str(header.get("model")), contract.model_id))
    for number, line in enumerate(rest, start=2):
        if line.strip():
            record = _parsed(line, name, number)
            try:
                yield _exported(record, contract.embedding_size)
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                raise GalleryError(f"line {number} of {name} is no person ({error!r}); export it again") from error


def _parsed(line: str, name: str, number: int) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except ValueError as error:
        raise GalleryError(
            f"line {number} of {name} is no JSON; give a file that `mien gallery export` wrote"
        ) from error
    return record if isinstance(record, dict) else {}


def _record(exported: Exported) -> dict[str, Any]:
    person = exported.person
    return {
        "name": person.name,
        "consent": person.consent,
        "consents": list(exported.consents) or [person.consent],
        "enrolled": to_text(person.enrolled),
        "expires": None if person.expires is None else to_text(person.expires),
        "samples": [
            # str of a float32 has the fewest digits that give the very same number again.
            {"added": to_text(s.added), "source": s.source, "embedding": [float(str(value)) for value in vector]}
            for s, vector in zip(exported.samples, exported.embeddings, strict=True)
        ],
    }


def _exported(record: dict[str, Any], size: int) -> Exported:
    samples = [Sample(0, to_time(s["added"]), str(s["source"])) for s in record["samples"]]
    vectors = np.array([s["embedding"] for s in record["samples"]], np.float32).reshape(len(samples), size)
    end, consent = record["expires"], str(record["consent"])
    consents = [str(text) for text in record.get("consents", [consent])]
    if consents[-1:] != [consent]:
        raise ValueError("the last of its consents is another than its consent")
    person = Person(
        number=0,
        name=str(record["name"]),
        consent=consent,
        enrolled=to_time(record["enrolled"]),
        expires=None if end is None else to_time(end),
        samples=len(samples),
    )
    return Exported(person, samples, vectors, consents)
