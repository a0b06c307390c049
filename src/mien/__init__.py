"""mien: one look at a face, two answers: who it is and what its expression is.

>>> from mien import Mien
>>> Mien().verify("examples/obama.jpg", "examples/obama2.jpg").same
True
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mien.analyzer import Mien
    from mien.contract import Contract
    from mien.errors import (
        AuthenticationError,
        ChallengeNotFoundError,
        CheckpointError,
        DataError,
        GalleryError,
        ImageError,
        LockedError,
        MienError,
        MissingOutputError,
        ModelError,
        NoFaceError,
        PersonExistsError,
        PersonNotFoundError,
        RecipeError,
        ServiceError,
        StorageBusyError,
        StorageError,
        StorageReplacedError,
        VideoError,
        WeightingError,
        WorkError,
        WorkTimeoutError,
    )
    from mien.gallery.gallery import Gallery
    from mien.types import Box, Expression, ExpressionScores, Face, FoundBy, ImageFailure, Verification

__version__ = "0.1.0"

__all__ = [
    "AuthenticationError",
    "Box",
    "ChallengeNotFoundError",
    "CheckpointError",
    "Contract",
    "DataError",
    "Expression",
    "ExpressionScores",
    "Face",
    "FoundBy",
    "Gallery",
    "GalleryError",
    "ImageError",
    "ImageFailure",
    "LockedError",
    "Mien",
    "MienError",
    "MissingOutputError",
    "ModelError",
    "NoFaceError",
    "PersonExistsError",
    "PersonNotFoundError",
    "RecipeError",
    "ServiceError",
    "StorageBusyError",
    "StorageError",
    "StorageReplacedError",
    "Verification",
    "VideoError",
    "WeightingError",
    "WorkError",
    "WorkTimeoutError",
    "__version__",
]

_HOMES = {
    "Mien": "mien.analyzer",
    "Contract": "mien.contract",
    "Gallery": "mien.gallery.gallery",
    **dict.fromkeys(
        ("Box", "Expression", "ExpressionScores", "Face", "FoundBy", "ImageFailure", "Verification"), "mien.types"
    ),
    **dict.fromkeys(
        (
            "AuthenticationError",
            "ChallengeNotFoundError",
            "CheckpointError",
            "DataError",
            "GalleryError",
            "ImageError",
            "LockedError",
            "MienError",
            "MissingOutputError",
            "ModelError",
            "NoFaceError",
            "PersonExistsError",
            "PersonNotFoundError",
            "RecipeError",
            "ServiceError",
            "StorageBusyError",
            "StorageError",
            "StorageReplacedError",
            "VideoError",
            "WeightingError",
            "WorkError",
            "WorkTimeoutError",
        ),
        "mien.errors",
    ),
}


def __getattr__(name: str) -> object:
    """Import a public name when it is first used, so that `import mien` costs nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module 'mien' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
