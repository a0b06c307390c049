"""What an aggregator of torchjd remembers from step to step, as one tensor for a ``state_dict``."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from torchjd.aggregation import Aggregator

_PLAIN = (bool, int, float, str, tuple, type(None), torch.dtype, torch.device)
_ARRAY = "array"
_NASH = "_init_optim_problem"
"""Nash-MTL builds its problem for the solver, which cannot be saved, at its very first step alone."""


class AggregatorState:
    """Saves and loads what has changed in an aggregator since it was made, whatever it is.

    torchjd's aggregators keep what they remember in attributes and buffers that come and go, so that their
    ``state_dict`` cannot be loaded into a new one. What is not a tensor, an array or a plain value is left out.

    Args:
        aggregator: new, without any step.
    """

    def __init__(self, aggregator: Aggregator) -> None:
        self._modules = dict(aggregator.named_modules())
        self._initial = self._values()

    def save(self) -> Tensor:
        """Return the state as bytes, ``(B,)`` uint8; none when nothing is remembered."""
        values = self._values()
        changed = {key: value for key, value in values.items() if not _equal(value, self._initial.get(key, _PLAIN))}
        if not changed:
            return torch.empty(0, dtype=torch.uint8)
        file = io.BytesIO()
        torch.save(changed, file)
        return torch.frombuffer(bytearray(file.getvalue()), dtype=torch.uint8)

    def load(self, state: Tensor) -> None:
        """Go on from a saved state."""
        saved: dict[tuple[str, str], Any] = dict(self._initial)
        if state.numel():
            saved |= torch.load(io.BytesIO(bytes(state.cpu().tolist())), weights_only=True)
        for (module, name), value in saved.items():
            target = self._modules[module]
            setattr(target, name, value[1].numpy().copy() if _is_array(value) else _copied(value))
        for module in self._modules.values():
            if hasattr(module, _NASH) and getattr(module, "step", False):
                getattr(module, _NASH)()

    def _values(self) -> dict[tuple[str, str], Any]:
        return {
            (module_name, name): _copied(value)
            for module_name, module in self._modules.items()
            for name, value in _memory_of(module).items()
        }


def _memory_of(module: nn.Module) -> dict[str, Any]:
    """Attributes and buffers that can be saved; an array as a pair that says so."""
    own = {**vars(module), **module._buffers}
    internal = vars(nn.Module()).keys()
    found = {name: (_ARRAY, torch.from_numpy(v)) if isinstance(v, np.ndarray) else v for name, v in own.items()}
    return {name: v for name, v in found.items() if name not in internal and isinstance(v, (*_PLAIN, Tensor))}


def _is_array(value: Any) -> bool:
    return isinstance(value, tuple) and len(value) == 2 and value[0] == _ARRAY and isinstance(value[1], Tensor)


def _copied(value: Any) -> Any:
    if _is_array(value):
        return _ARRAY, value[1].clone()
    return value.clone() if isinstance(value, Tensor) else value


def _equal(one: Any, other: Any) -> bool:
    if _is_array(one) and _is_array(other):
        return torch.equal(one[1], other[1])
    if isinstance(one, Tensor) or isinstance(other, Tensor):
        return isinstance(one, Tensor) and isinstance(other, Tensor) and torch.equal(one, other)
    return bool(one == other)
