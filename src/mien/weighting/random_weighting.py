"""Random task weights."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from mien.weighting.contract import LossWeighting
from mien.weighting.losses import TaskLosses
from mien.weighting.ranks import copy_first_rank


class RandomWeighting(LossWeighting):
    r"""Random loss weighting (RLW; Lin et al., 2022, arXiv 2111.10603): new weights at every step.

    :math:`w = \mathrm{softmax}(z)` with independent :math:`z_i \sim N(0, 1)`, over the present tasks, so that they sum
    to 1. A litmus test: a method should be better than this.

    It has a random generator of its own, whose state is saved in ``state_dict``: it neither disturbs nor follows other
    random choices, and a resumed run continues exactly.

    Args:
        tasks: names of the tasks.
        seed: of the generator; by default drawn from torch's, so that ``torch.manual_seed`` decides.

    Example:
        >>> import torch
        >>> weighting = RandomWeighting(["a", "b"], seed=0)
        >>> a, b = torch.tensor(0.5, requires_grad=True), torch.tensor(2.0, requires_grad=True)
        >>> _ = weighting.backward({"a": a, "b": b})
        >>> round(sum(weighting.weights.values()), 6)
        1.0
    """

    def __init__(self, tasks: Sequence[str], *, seed: int | None = None) -> None:
        super().__init__(tasks)
        seed = int(torch.randint(2**62, ())) if seed is None else seed
        self._generator = torch.Generator().manual_seed(seed)

    def _weigh(self, losses: TaskLosses) -> Tensor:
        logits = torch.randn(len(self.tasks), generator=self._generator)
        return losses.softmax(logits.to(losses.levels))

    def get_extra_state(self) -> Tensor:
        """Return the generator's state, for ``state_dict``."""
        return self._generator.get_state()

    def set_extra_state(self, state: Tensor) -> None:
        """Go on from a saved state of the generator."""
        self._generator.set_state(state.cpu())

    def _copy_first_rank(self) -> None:
        super()._copy_first_rank()
        state = self.get_extra_state().to(self.last_weights.device)
        copy_first_rank(state)
        self.set_extra_state(state)
