"""The names of the tasks, which belong to what a method remembers of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from mien.errors import WeightingError


class TaskNames(nn.Module):
    """A module that remembers something for each of several tasks, and in its ``state_dict`` whose it is.

    All its vectors are in the order of the tasks. So a state of tasks in another order is refused: it would give each
    task what belongs to another.

    Args:
        tasks: their names, at least one, none twice.
    """

    task_names: Tensor

    def __init__(self, tasks: Sequence[str]) -> None:
        super().__init__()
        self.tasks = tuple(tasks)
        if isinstance(tasks, str) or not self.tasks or len(set(self.tasks)) != len(self.tasks):
            raise WeightingError(f"The tasks must be a list of different names, at least one; got {tasks!r}.")
        # As bytes in a buffer, since whoever saves or moves a state dict expects tensors in it.
        self.register_buffer("task_names", torch.tensor(list(json.dumps(self.tasks).encode()), dtype=torch.uint8))

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any) -> None:
        self._require_own_state(state_dict, prefix)
        super()._load_from_state_dict(state_dict, prefix, *args)

    def _require_own_state(self, state_dict: dict[str, Any], prefix: str) -> None:
        """Refuse the state of other tasks; take states that were saved without names."""
        saved = state_dict.setdefault(f"{prefix}task_names", self.task_names)
        names = json.loads(bytes(saved.tolist()))
        if tuple(names) != self.tasks:
            raise WeightingError(
                f"The state was saved for the tasks {names} and cannot be loaded into a method for {list(self.tasks)}: "
                "make it with the same names in the same order."
            )
