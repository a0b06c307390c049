"""Any scalarizer of the library torchjd as a weighting method."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from mien.errors import WeightingError
from mien.weighting.aggregators import INSTALL
from mien.weighting.contract import ScalarWeighting, valueless
from mien.weighting.features import Features
from mien.weighting.losses import TaskLosses

if TYPE_CHECKING:
    from torchjd.scalarization import Scalarizer


class ScalarizerWeighting(ScalarWeighting):
    r"""A scalarizer of torchjd: smooth Chebyshev (STCH), COSMOS, PBI and others.

    A scalarizer makes one number :math:`S(L)` of the losses. Its gradient is that of a sum with the weights
    :math:`w_i = \partial S / \partial L_i`, as constants, and so ``backward`` returns :math:`\sum_i w_i L_i` as for
    every method, and not S. Some weights may be negative (COSMOS, PBI): a loss that is small in comparison is then
    raised. Formulas and defaults are the scalarizer's, to be read there. Parameters that it learns are this module's.

    For a batch without some tasks the scalarizer's vectors of one entry for each task are cut to the others. One that
    learns or remembers something cannot be cut and wants all of its tasks in every batch.

    Args:
        tasks: names of the tasks.
        scalarizer: of ``torchjd.scalarization``, e.g. ``STCH(mu=1.0)``.

    Raises:
        WeightingError: torchjd is missing; at a step, when tasks are absent and the scalarizer wants all.

    Example:
        >>> import torch
        >>> from torchjd.scalarization import STCH
        >>> weighting = ScalarizerWeighting(["a", "b"], STCH(mu=1.0))
        >>> a, b = torch.tensor(0.5, requires_grad=True), torch.tensor(2.0, requires_grad=True)
        >>> _ = weighting.backward({"a": a, "b": b})
        >>> weighting.last_weights
        tensor([0.1604, 0.3396])
    """

    def __init__(self, tasks: Sequence[str], scalarizer: Scalarizer) -> None:
        super().__init__(tasks)
        try:
            import torchjd  # noqa: F401 - it is what the scalarizer is made of
        except ImportError as error:
            raise WeightingError(INSTALL) from error
        self.scalarizer = scalarizer

    def _objective(self, losses: TaskLosses, features: Features | None) -> Tensor:  # noqa: ARG002 - of losses alone
        scalarizer, present = self._for_present(losses), losses.present
        levels = wide(losses.levels)[present].requires_grad_()
        with torch.enable_grad():
            value = scalarizer(levels)
        own = [parameter for parameter in scalarizer.parameters() if parameter.requires_grad]
        (slope,) = torch.autograd.grad(value, levels, retain_graph=bool(own))
        weights = torch.zeros_like(losses.levels)
        weights[present] = slope.to(weights)
        total = self._total(losses, weights)
        return total + valueless(value.to(total)) if own else total

    def _for_present(self, losses: TaskLosses) -> Scalarizer:
        count = len(self.tasks)
        cut = {
            name: value.to(wide(losses.levels))[losses.present]
            for name, value in vars(self.scalarizer).items()
            if isinstance(value, Tensor) and value.is_floating_point() and value.shape == (count,)
        }
        if losses.mask is not None and self._remembers():
            raise WeightingError(
                f"{type(self.scalarizer).__name__} remembers something of each of its {count} tasks and got "
                f"{losses.count} losses: give every batch all of its tasks."
            )
        if not cut:
            return self.scalarizer
        scalarizer = copy.copy(self.scalarizer)
        for name, value in cut.items():
            setattr(scalarizer, name, value)
        return scalarizer

    def _remembers(self) -> bool:
        from torchjd import Stateful

        return isinstance(self.scalarizer, Stateful) or any(True for _ in self.scalarizer.parameters())


def wide(levels: Tensor) -> Tensor:
    """Return losses in float64, whose squares overflow late, where the device has it; a new tensor."""
    return levels.clone() if levels.device.type == "mps" else levels.double().clone()
