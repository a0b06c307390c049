"""Dynamic task weights: the paper's method."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

from torch import Tensor

from mien.errors import WeightingError
from mien.weighting.losses import TaskLosses
from mien.weighting.unit import FeatureShape
from mien.weighting.unit_weighting import UnitWeighting


class DynamicWeighting(UnitWeighting):
    r"""Dynamic multi-task weights (Ming et al., 2019, arXiv 1911.03281): the hardest task gets the most weight.

    A ``WeightUnit`` reads the shared features and gives the weights :math:`w_i`. The network is trained on the total
    loss, the unit on

    .. math:: U = \sum_i \frac{w_i}{\mathrm{sg}(L_i) + \varepsilon}

    where :math:`L_i` is the loss of task i and sg stops gradients. One backward pass does both, see ``UnitWeighting``.
    Losses are compared as they are: scale them alike (``NormalizedWeighting``) if their kinds differ. Losses should
    not be negative; a negative one counts as 0 in U.

    With two tasks only the sign of :math:`L_1 - L_2` decides the direction, so the weights go to the bounds and switch
    between them with a lag. With normalised logits the bounds are rest points, left the slower the closer the unit
    sits. With raw logits there is no bound, and the easier task may be starved.

    Args:
        tasks: names of the tasks.
        features: size of one image's features: ``C*H*W``, or the shape ``(C, H, W)``.
        epsilon: bounds :math:`1/L_i`, above 0. Default 0.01, the official code's; the paper's formula has none.
        normalize_logits: True, the default, is the variant of the published curves, with bounds; False, raw logits, is
            the official code's last state.
        scale: norm of the normalised logits. Default 1, see ``WeightUnit`` for the bounds and the source.
        leak: True also sends the weights' own gradient into the network, as the official code does. Default False.

    The unit wants an optimiser group of its own (``parameter_groups``; the official code has a learning rate of 0.1
    there and no decay) and to be clipped apart from the network (``clip_gradients``).

    Example:
        >>> import torch
        >>> _ = torch.manual_seed(0)
        >>> trunk, heads = torch.nn.Linear(4, 8), torch.nn.Linear(8, 2)
        >>> weighting = DynamicWeighting(["a", "b"], features=8)
        >>> shared = trunk(torch.rand(16, 4))
        >>> a, b = heads(shared).square().mean(dim=0)
        >>> total = weighting.backward({"a": a, "b": b}, features=shared)
        >>> weights = weighting.weights
        >>> bool(torch.isclose(total, weights["a"] * a + weights["b"] * b))
        True
    """

    def __init__(
        self,
        tasks: Sequence[str],
        features: FeatureShape,
        *,
        epsilon: float = 0.01,
        normalize_logits: bool = True,
        scale: float = 1.0,
        leak: bool = False,
    ) -> None:
        super().__init__(tasks, features, normalize_logits=normalize_logits, scale=scale, leak=leak)
        if not 0 < epsilon < inf:
            raise WeightingError(f"`epsilon` must be above 0, so that 1/(L + epsilon) stays finite; got {epsilon}.")
        self.epsilon = epsilon

    def _unit_loss(self, weights: Tensor, losses: TaskLosses) -> Tensor:
        return (weights / (losses.levels.clamp_min(0) + self.epsilon)).sum()

    def extra_repr(self) -> str:
        """Tell the settings when the module is printed."""
        return f"{super().extra_repr()}, epsilon={self.epsilon}"
