"""Checkpoints: one file, replaced only when the new one is complete."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError

from mien.errors import CheckpointError
from mien.training.recipe import Recipe

State = dict[str, Any]

LAST = "last.pt"
"""File name of the state from which a run goes on."""

BEST = "best.pt"
"""File name of the weights that were best in validation."""


def save_checkpoint(state: State, path: Path) -> None:
    """Write a state so that a crash at any moment leaves either the old file or the new one."""
    partial = path.with_name(path.name + ".partial")
    with partial.open("wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def load_checkpoint(path: Path) -> State:
    """Read a state; no code in the file is run.

    Raises:
        CheckpointError: the file is missing or damaged.
    """
    try:
        state: State = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise CheckpointError(f"there is no checkpoint {path}; give a file that `mien train` wrote") from error
    except (OSError, RuntimeError, EOFError, ValueError, pickle.UnpicklingError) as error:
        raise CheckpointError(f"checkpoint {path} cannot be read ({error}); it may be damaged") from error
    if not isinstance(state, dict) or "recipe" not in state:
        raise CheckpointError(f"{path} is no checkpoint of `mien train`")
    return state


def recipe_of(state: State, path: Path) -> Recipe:
    """The recipe of a state that was read from ``path``.

    Raises:
        CheckpointError: another version of mien wrote it.
    """
    try:
        return Recipe.model_validate_json(state["recipe"])
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"]))
        raise CheckpointError(
            f"the recipe in {path} is of another version of mien: {field}: {first['msg']}; train again"
        ) from error
