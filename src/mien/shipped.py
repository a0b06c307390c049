"""The models that come with the package, by name; and those that once did."""

from __future__ import annotations

from collections.abc import Mapping

DEFAULT_MODEL = "mien-s1"
"""The model that is taken when none is named."""

SHIPPED: Mapping[str, str] = {"mien-s1": "mien-s1.onnx"}
"""Models inside the package: their files, by name."""

RETIRED: Mapping[str, str] = {"mien-r29": "0.1"}
"""The last version of mien that came with a model, by the model's name: a gallery of it is told the way out."""


def family(model_id: str) -> str:
    """The name that a model id begins with: the id less the digest of its weights.

    >>> family("mien-r29-d2b8b6eab8ed"), family("mine")
    ('mien-r29', 'mine')
    """
    return model_id.rpartition("-")[0] or model_id


def other_model(what: str, holds: str, given: str) -> str:
    """One sentence with the way out, for embeddings of another model than the one that is given.

    Args:
        what: that holds the embeddings: a file, in words.
        holds: the id of the model that they are of.
        given: the id of the model that is to compare them.
    """
    name = family(holds)
    if name in RETIRED and name not in SHIPPED:
        return (
            f"{what} holds embeddings of {holds}, which {given} cannot compare: that model came with mien up to "
            f"version {RETIRED[name]}; enroll the people's photos into a new gallery, install mien {RETIRED[name]}, or "
            "give that model's file with --model"
        )
    return (
        f"{what} holds embeddings of {holds}, which {given} cannot compare; give that model's file with --model, or "
        "enroll the people's photos into a new gallery"
    )
