"""Fill a backbone from another project's state dict."""

from __future__ import annotations

import pickle
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from torch import Tensor

from mien.errors import ModelError
from mien.networks.backbone import Backbone

_COUNTER = "num_batches_tracked"  # older files lack it, and nothing here reads it


def load_state_dict(path: Path) -> dict[str, Tensor]:
    """Read a state dict that was written by torch; nothing but tensors is unpickled.

    Raises:
        ModelError: the file cannot be read or holds something else.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, EOFError, RuntimeError, ValueError, pickle.UnpicklingError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ModelError(f"weights {path} cannot be read ({reason}); give a state dict saved by torch") from error
    if not isinstance(state, Mapping) or not all(isinstance(value, Tensor) for value in state.values()):
        raise ModelError(f"weights {path} hold something else than a state dict; save `model.state_dict()` itself")
    return dict(state)


def fill(backbone: Backbone, path: Path, rename: Callable[[str], str], unused: re.Pattern[str]) -> None:
    """Copy a file's weights into a backbone, in place.

    Args:
        backbone: every one of its parameters and statistics is filled.
        path: the file.
        rename: from the backbone's name of a tensor to the file's.
        unused: names in the file that are left out; any other one must be used.

    Raises:
        ModelError: the file cannot be read, lacks a tensor, has one of another shape, or one more.
    """
    source = load_state_dict(path)
    wanted = {name: value for name, value in backbone.state_dict().items() if not name.endswith(_COUNTER)}
    missing = [rename(name) for name in wanted if rename(name) not in source]
    known = {rename(name) for name in wanted}
    others = [name for name in source if not (name in known or name.endswith(_COUNTER) or unused.match(name))]
    if missing or others:
        lacks, has = _listed("lacks", missing), _listed("has", others)
        raise _other(path, ", ".join(filter(None, (lacks, has))))
    for name, value in wanted.items():
        found = source[rename(name)]
        if found.shape != value.shape:
            raise _other(path, f"{rename(name)} has shape {tuple(found.shape)} instead of {tuple(value.shape)}")
        value.copy_(found)


def _other(path: Path, why: str) -> ModelError:
    return ModelError(f"weights {path} are of another network ({why}); choose the backbone that they were made for")


def _listed(verb: str, names: list[str]) -> str:
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return f"it {verb} {names[0]}{more}" if names else ""
