"""The frozen stem's output for views of all photos, in files: computed once, larger than memory need be."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import prod
from pathlib import Path

import torch
from torch import Tensor

_TYPE = torch.bfloat16
_SUFFIX = f".{_TYPE}".replace("torch.", "")


class StoredView:
    """One view of each photo of a data set, as the file of a bfloat16 array.

    The file is named after all that decides about its content, so that it can be found again, by this run or another.

    Args:
        folder: where the file is.
        key: all that decides about the content.
        shape: of the array; one row per photo.
    """

    def __init__(self, folder: Path, key: Sequence[str], shape: Sequence[int]) -> None:
        name = hashlib.sha256("\n".join([*key, repr(tuple(shape))]).encode()).hexdigest()[:16]
        self.path = folder / f"{name}{_SUFFIX}"
        self.shape = tuple(shape)

    @property
    def complete(self) -> bool:
        """Whether the whole array is there."""
        return self.path.is_file() and self.path.stat().st_size == prod(self.shape) * _TYPE.itemsize

    def read(self) -> Tensor:
        """The array, read from the file as its rows are used."""
        return _mapped(self.path, self.shape)

    @contextmanager
    def writing(self) -> Iterator[Tensor]:
        """The array to be filled; the file gets its name when it is complete."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        partial = self.path.with_name(self.path.name + ".partial")
        with partial.open("wb") as file:
            file.truncate(prod(self.shape) * _TYPE.itemsize)
        yield _mapped(partial, self.shape)
        partial.replace(self.path)


def _mapped(path: Path, shape: tuple[int, ...]) -> Tensor:
    return torch.from_file(str(path), shared=True, size=prod(shape), dtype=_TYPE).view(shape)
