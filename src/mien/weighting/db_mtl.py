"""Dual balancing: logarithms of the losses, and gradients of one norm."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from mien.errors import WeightingError
from mien.weighting.gradients import PerGradientWeighting, Place

EPSILON = 1e-8
"""Added to each loss and to each norm, as in the paper's code."""


class DBMTL(PerGradientWeighting):
    r"""DB-MTL (Lin et al., 2023, arXiv 2308.12029), both halves: loss scales and gradient norms are balanced.

    .. math:: \hat g_i \leftarrow \beta_t \hat g_i + (1 - \beta_t) \nabla \ln(L_i + \varepsilon), \quad
              g = \max_j \|\hat g_j\| \sum_i \frac{\hat g_i}{\|\hat g_i\| + \varepsilon}, \quad
              \beta_t = \beta\, t^{-\sigma}

    over the present tasks, with gradients of the shared parameters, and t the steps of task i. The branches get the
    gradient of :math:`\ln(L_i + \varepsilon)` alone. The loss half without gradients is ``LogarithmWeighting``.

    The buffer :math:`\hat g` has one gradient of the shared parameters for each task; a task that a batch lacks keeps
    its own. ``weights`` are the factors of this step's :math:`\nabla L_i`, without what the buffer adds:
    :math:`w_i = \max_j \|\hat g_j\| (1 - \beta_t) / (\|\hat g_i\| (L_i + \varepsilon))`.

    Args:
        tasks: names of the tasks.
        beta: :math:`\beta` in [0, 1). Default 0.9, as in LibMTL, the authors' library.
        sigma: :math:`\sigma`, 0 or more. Default 0, as there: no decay.
        at: see ``PerGradientWeighting``. At the features the buffer must be switched off (``beta=0``), as each batch
            has its own.
        parallel_chunk_size: see ``PerGradientWeighting``.

    Raises:
        WeightingError: at a step with a negative loss; otherwise as ``PerGradientWeighting`` says.

    Example:
        >>> import torch
        >>> _ = torch.manual_seed(0)
        >>> trunk, one, two = torch.nn.Linear(4, 8), torch.nn.Linear(8, 1), torch.nn.Linear(8, 1)
        >>> weighting = DBMTL(["a", "b"], beta=0.0)
        >>> shared = trunk(torch.rand(16, 4))
        >>> a, b = one(shared).square().mean(), two(shared).square().mean()
        >>> _ = weighting.backward({"a": a, "b": b}, features=shared)
        >>> trunk.weight.grad.shape
        torch.Size([8, 4])
    """

    buffer: Tensor
    steps: Tensor

    def __init__(
        self,
        tasks: Sequence[str],
        *,
        beta: float = 0.9,
        sigma: float = 0.0,
        at: Place = "parameters",
        parallel_chunk_size: int | None = 1,
    ) -> None:
        super().__init__(tasks, at=at, parallel_chunk_size=parallel_chunk_size)
        if not 0 <= beta < 1 or sigma < 0:
            raise WeightingError(f"`beta` must be in [0, 1) and `sigma` not negative; got {beta} and {sigma}.")
        if at == "features" and beta:
            raise WeightingError("DB-MTL cannot average gradients at the features of different images: set beta=0.")
        self.beta, self.sigma = beta, sigma
        self.register_buffer("buffer", torch.zeros(len(self.tasks), 0))
        self.register_buffer("steps", torch.zeros(len(self.tasks)))

    def _prepared(self, loss: Tensor) -> Tensor:
        if float(loss.detach()) < 0:
            raise WeightingError(
                f"DBMTL needs losses that are not negative, got {float(loss.detach())}: add a constant."
            )
        return torch.log(loss.to(torch.promote_types(loss.dtype, torch.float32)) + EPSILON)

    def _combine(self, jacobian: Tensor, levels: Tensor, present: Tensor) -> tuple[Tensor, Tensor | None]:
        decay = self._average(jacobian, present) if self.beta else torch.zeros(len(jacobian))
        means = self.buffer[present].to(jacobian) if self.beta else jacobian
        norms = torch.linalg.vector_norm(means, dim=1)
        factors = norms.max() / (norms + EPSILON)
        return factors @ means, factors * (1 - decay.to(factors)) / (levels.to(factors) + EPSILON)

    def _average(self, jacobian: Tensor, present: Tensor) -> Tensor:
        """Move the buffer; return the share of what was, ``(K,)``."""
        if self.buffer.shape[1] != jacobian.shape[1]:
            self.buffer = jacobian.new_zeros(len(self.tasks), jacobian.shape[1])
            self.steps.zero_()
        self.steps += present.to(self.steps)
        decay = self.beta * self.steps[present] ** -self.sigma
        self.buffer[present] = torch.lerp(jacobian, self.buffer[present].to(jacobian), decay.to(jacobian)[:, None])
        return decay

    def _load_from_state_dict(self, state_dict: dict[str, Tensor], prefix: str, *args: object) -> None:
        """Take a buffer of any size: it is that of the network's shared parameters."""
        self._require_own_state(state_dict, prefix)
        if (saved := state_dict.get(f"{prefix}buffer")) is not None:
            self.buffer = self.buffer.new_zeros(saved.shape)
        super()._load_from_state_dict(state_dict, prefix, *args)
