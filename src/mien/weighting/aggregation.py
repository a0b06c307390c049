"""Any aggregator of the library torchjd as a weighting method."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

from torch import Tensor
from torch.utils.hooks import RemovableHandle

from mien.errors import WeightingError
from mien.weighting.aggregator_state import AggregatorState
from mien.weighting.aggregators import INSTALL
from mien.weighting.gradients import PerGradientWeighting, Place

if TYPE_CHECKING:
    from torchjd.aggregation import Aggregator


class GradientWeighting(PerGradientWeighting):
    r"""A per-gradient method of torchjd: MGDA, PCGrad, CAGrad, Nash-MTL, UPGrad and so on.

    It writes the aggregator's :math:`A(J)` of the tasks' gradients J, mostly :math:`w^\top J` with weights that follow
    from :math:`J J^\top`; see ``PerGradientWeighting`` for what is shared, and what else it does. That is
    ``torchjd.autojac.mtl_backward`` and ``jac_to_grad``, no more: formulas and defaults are the aggregator's, to be
    read there.

    ``backward`` returns :math:`\sum_i w_i L_i`. GradDrop and ConFIG have no weights: there ``weights`` are not a
    number, and the mean of the losses is returned. PCGrad, GradDrop, GradVac and others draw from torch's global
    generator. What an aggregator remembers of former steps is in ``state_dict``; one that remembers something wants all
    of its tasks in every batch, or just one, as it cannot tell whose what is.

    Args:
        tasks: names of the tasks.
        aggregator: of ``torchjd.aggregation``, e.g. ``UPGrad()``.
        at: see ``PerGradientWeighting``.
        parallel_chunk_size: see ``PerGradientWeighting``.

    Raises:
        WeightingError: torchjd is missing; and at a step, as ``PerGradientWeighting`` says.

    Example:
        >>> import torch
        >>> from torchjd.aggregation import UPGrad
        >>> _ = torch.manual_seed(0)
        >>> trunk, one, two = torch.nn.Linear(4, 8), torch.nn.Linear(8, 1), torch.nn.Linear(8, 1)
        >>> weighting = GradientWeighting(["a", "b"], UPGrad())
        >>> shared = trunk(torch.rand(16, 4))
        >>> a, b = one(shared).square().mean(), two(shared).square().mean()
        >>> _ = weighting.backward({"a": a, "b": b}, features=shared)
        >>> trunk.weight.grad.shape, len(weighting.weights)
        (torch.Size([8, 4]), 2)
    """

    def __init__(
        self,
        tasks: Sequence[str],
        aggregator: Aggregator,
        *,
        at: Place = "parameters",
        parallel_chunk_size: int | None = 1,
    ) -> None:
        super().__init__(tasks, at=at, parallel_chunk_size=parallel_chunk_size)
        try:
            import torchjd  # noqa: F401 - used at each step
        except ImportError as error:
            raise WeightingError(INSTALL) from error
        # A tuple hides it from this module: its buffers come and go with its steps, which a state_dict cannot hold.
        self._hidden = (aggregator,)
        self._state = AggregatorState(aggregator)

    @property
    def aggregator(self) -> Aggregator:
        """The aggregator of torchjd."""
        return self._hidden[0]

    @property
    def method_name(self) -> str:
        """The aggregator's name, or its weighting's where it is a bare combination of rows."""
        from torchjd.aggregation import GramianWeightedAggregator, WeightedAggregator

        if type(self.aggregator) is GramianWeightedAggregator:
            return type(self.aggregator.gramian_weighting).__name__
        if type(self.aggregator) is WeightedAggregator:
            return type(self.aggregator.weighting).__name__
        return type(self.aggregator).__name__

    @property
    def needs_all_tasks(self) -> bool:
        """Whether a batch must have all tasks or just one, as the aggregator remembers something of each."""
        from torchjd import Stateful

        return any(isinstance(module, Stateful) for module in self.aggregator.modules())

    def _combine(self, jacobian: Tensor, levels: Tensor, present: Tensor) -> tuple[Tensor, Tensor | None]:  # noqa: ARG002
        if len(jacobian) < len(self.tasks) and self.needs_all_tasks:
            raise WeightingError(
                f"{self.method_name} remembers something of each of its {len(self.tasks)} tasks and got "
                f"{len(jacobian)} losses: give every batch all of its tasks, or just one."
            )
        kept: list[Tensor] = []
        keep = _on_weights(self.aggregator, kept)
        try:
            with warnings.catch_warnings():  # Nash-MTL's solver has a remark on every solve
                warnings.filterwarnings("ignore", category=UserWarning, module=r"torchjd\.aggregation")
                direction: Tensor = self.aggregator(jacobian)
        finally:
            if keep is not None:
                keep.remove()
        return direction, kept[-1] if kept else None

    def get_extra_state(self) -> Tensor:
        """Return what the aggregator remembers, for ``state_dict``."""
        return self._state.save()

    def set_extra_state(self, state: Tensor) -> None:
        """Go on from a saved state."""
        self._state.load(state)

    def extra_repr(self) -> str:
        """Name the aggregator when the module is printed."""
        return f"{super().extra_repr()}, aggregator={self.aggregator}"


def _on_weights(aggregator: Aggregator, kept: list[Tensor]) -> RemovableHandle | None:
    """Have the aggregator's weights appended to ``kept``, where it has some."""
    from torchjd.aggregation import WeightedAggregator

    if not isinstance(aggregator, WeightedAggregator):
        return None
    return aggregator.weighting.register_forward_hook(lambda _module, _inputs, weights: kept.append(weights))
