"""The errors that mien raises on purpose; every message names what was given, what is wrong and what to do."""

from __future__ import annotations

from typing import Literal, Self


class MienError(Exception):
    """Base of all errors raised on purpose by mien."""


class ImageError(MienError):
    """An image cannot be read or is not usable."""


class NoFaceError(MienError):
    """A face was required and none was found."""


class ModelError(MienError):
    """A model file is missing, damaged, or does not keep its contract."""


class MissingOutputError(ModelError):
    """A model does not answer the question that was asked."""

    @classmethod
    def of(cls, question: Literal["identity", "expression"], model_id: str = "") -> Self:
        """The error's one sentence, for a question and, where it is known, a model."""
        model = f"model {model_id}" if model_id else "the model"
        need = {"identity": "an embedding", "expression": "expressions"}[question]
        return cls(f"{model} has no {question} output; use one with {need}")


class DataError(MienError):
    """A data set folder, label table or split is not what was expected."""


class RecipeError(MienError):
    """A training recipe is invalid."""


class CheckpointError(MienError):
    """A checkpoint is missing, damaged, or belongs to another recipe."""


class WeightingError(MienError):
    """Task losses, features or settings are not what a weighting method needs."""


class AuthenticationError(MienError):
    """An authentication's policy, references or stored state cannot be used."""


class LockedError(AuthenticationError):
    """A person may not try to authenticate now, after too many attempts.

    Args:
        message: the sentence.
        seconds: until the next attempt.

    Attributes:
        seconds: until the next attempt.
    """

    def __init__(self, message: str, seconds: float = 0.0) -> None:
        super().__init__(message)
        self.seconds = seconds


class ChallengeNotFoundError(AuthenticationError):
    """There is no such challenge, or it ended long ago, or its person was removed."""


class VideoError(MienError):
    """A video or a camera cannot be read, or a clip cannot be written."""


class GalleryError(MienError):
    """A gallery of people, or what is to be enrolled in it, is not what was expected."""


class PersonExistsError(GalleryError):
    """A name is taken that was to be a new person's."""


class PersonNotFoundError(GalleryError):
    """A person is not, or no longer, in the gallery."""


class ServiceError(MienError):
    """The service cannot be started so, or what is given as its file of keys and challenges is something else."""


class StorageError(MienError):
    """A file of people, keys or challenges cannot be used now: the disk, its permissions, or damage."""


class StorageBusyError(StorageError):
    """Another process has locked a file for too long; the same call may succeed later."""


class StorageReplacedError(StorageError):
    """A file was removed or replaced while it was open: what is written would be lost."""


class WorkError(MienError):
    """A worker process ended, or could not be started, and the item that it was to work on has no result."""


class WorkTimeoutError(WorkError):
    """A worker process was ended because an item took too long."""
