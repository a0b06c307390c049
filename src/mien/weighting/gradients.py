"""Methods that combine one gradient per task: an adapter on the library torchjd."""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from mien.errors import WeightingError
from mien.weighting.aggregators import INSTALL
from mien.weighting.contract import TaskWeighting, require_gradient
from mien.weighting.ranks import world_size

if TYPE_CHECKING:
    from torchjd.aggregation import Aggregator


class GradientWeighting(TaskWeighting):
    r"""A per-gradient method of torchjd: MGDA, PCGrad, CAGrad, Nash-MTL, UPGrad and so on.

    The P parameters below ``features`` are shared; for them it takes the Jacobian J ``(K, P)``, the gradients of the K
    present losses, and writes the aggregator's :math:`A(J)`, mostly :math:`w^\top J` with weights that follow from
    :math:`J J^\top`. Parameters above the cut get the plain sum of the losses' gradients; no two losses may share
    anything but that cut and what is below. That is
    ``torchjd.autojac.mtl_backward`` and ``jac_to_grad``, no more: formulas and defaults are the aggregator's, to be
    read there. A batch with a single task is an ordinary backward pass.

    ``backward`` returns :math:`\sum_i w_i L_i`. GradDrop and ConFIG have no weights: there ``weights`` are not a
    number, and the mean of the losses is returned. PCGrad, GradDrop and others draw from torch's global generator. What
    an aggregator remembers of former steps is not in ``state_dict``, with the exception of Nash-MTL's weights.

    A distributed run is refused, as these gradients pass by ``DistributedDataParallel``, and the ranks would drift
    apart unnoticed.

    Args:
        tasks: names of the tasks.
        aggregator: of ``torchjd.aggregation``, e.g. ``UPGrad()``.
        parallel_chunk_size: how many tasks are differentiated at once, by ``torch.vmap``. Default 1, one after the
            other: it works with compiled functions and recurrent networks, which vmap does not, and on a processor it
            is faster for convolutions. None is all at once, torchjd's default.

    Raises:
        WeightingError: torchjd is missing; at a step in a distributed run, and when ``features`` are not given or not
            attached to the graph.

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

    needs_features = True

    def __init__(self, tasks: Sequence[str], aggregator: Aggregator, *, parallel_chunk_size: int | None = 1) -> None:
        super().__init__(tasks)
        try:
            import torchjd  # noqa: F401 - used at each step
        except ImportError as error:
            raise WeightingError(INSTALL) from error
        # A tuple hides it from this module: its buffers come and go with its steps, which a state_dict cannot hold.
        self._hidden = (aggregator,)
        self.parallel_chunk_size = parallel_chunk_size

    @property
    def aggregator(self) -> Aggregator:
        """The aggregator of torchjd."""
        return self._hidden[0]

    def backward(self, losses: Mapping[str, Tensor], features: Tensor | None = None) -> Tensor:
        """Write the gradients of one step and return the detached total loss; see ``TaskWeighting.backward``."""
        if world_size() > 1:
            raise WeightingError(
                f"{type(self.aggregator).__name__} needs one gradient per task, which DistributedDataParallel does not "
                "average: run it in one process, or choose a method of losses."
            )
        gathered = self._gather(losses)
        require_gradient(losses)
        if features is None or features.grad_fn is None:
            raise WeightingError(
                f"{type(self.aggregator).__name__} cuts the network at the shared features: pass `features`, the "
                "tensor that all branches read, attached to the graph of parameters that are trained."
            )
        loose = [task for task, loss in losses.items() if loss.grad_fn is None]
        if loose:
            raise WeightingError(f"The losses of {loose} are not attached to a graph: leave them out of this batch.")
        if gathered.count == 1:
            gathered.values.sum().backward()  # type: ignore[no-untyped-call]
            weights: Tensor | None = torch.ones(1)
        else:
            weights = self._combine([losses[task] for task in self.tasks if task in losses], features)
        if weights is None:
            self._remember(torch.where(gathered.present, float("nan"), 0.0), gathered)
            return gathered.mean(gathered.levels)
        full = torch.zeros_like(gathered.levels)
        full[gathered.present] = weights.to(full)
        self._remember(full, gathered)
        return torch.dot(full, gathered.levels)

    def _combine(self, losses: list[Tensor], features: Tensor) -> Tensor | None:
        """Write all gradients; return the weights of the given losses, where the aggregator has any."""
        from torchjd.autojac import jac_to_grad, mtl_backward

        wanted = getattr(self.aggregator, "n_tasks", len(losses))
        if wanted != len(losses):
            raise WeightingError(
                f"{type(self.aggregator).__name__} is made for {wanted} tasks and got {len(losses)} losses: give every "
                "batch all of its tasks, or just one."
            )
        shared = leaves_below(features)
        mtl_backward(losses, features, shared_params=shared, parallel_chunk_size=self.parallel_chunk_size)
        with warnings.catch_warnings():  # Nash-MTL's solver has a remark on every solve
            warnings.filterwarnings("ignore", category=UserWarning, module=r"torchjd\.aggregation")
            weights: Tensor | None = jac_to_grad(shared, self.aggregator)
        return weights

    def get_extra_state(self) -> Tensor:
        """Return what Nash-MTL starts its next bargain from, for ``state_dict``; nothing for other aggregators."""
        former = getattr(getattr(self.aggregator, "weighting", None), "prvs_alpha", None)
        return torch.empty(0) if former is None else torch.as_tensor(former).clone()

    def set_extra_state(self, state: Tensor) -> None:
        """Go on from a saved state."""
        if state.numel():
            weighting: Any = self.aggregator.weighting
            weighting.prvs_alpha = state.cpu().numpy().copy()

    def extra_repr(self) -> str:
        """Name the aggregator when the module is printed."""
        return f"{super().extra_repr()}, aggregator={self.aggregator}"


def leaves_below(tensor: Tensor) -> list[Tensor]:
    """Return the trained leaves of a tensor's graph, nearest first."""
    waiting = deque([tensor.grad_fn])
    seen = set(waiting)
    found: list[Tensor] = []
    while waiting:
        node = waiting.popleft()
        if node is None:
            continue
        if hasattr(node, "variable"):
            found.append(node.variable)
        children = [child for child, _ in node.next_functions if child not in seen]
        seen.update(children)
        waiting.extend(children)
    return found
