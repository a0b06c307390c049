"""How a weighting method's own parameters are trained beside the network's."""

from __future__ import annotations

from typing import Any, NamedTuple

from torch import Tensor, nn

from mien.weighting.contract import TaskWeighting


class GradientNorms(NamedTuple):
    """Gradient norms before clipping: scalars of the network and of the weighting method (0 without parameters)."""

    network: Tensor
    weighting: Tensor


def parameter_groups(
    network: nn.Module, weighting: TaskWeighting, *, lr: float, unit_lr: float | None = None, weight_decay: float = 0.0
) -> list[dict[str, Any]]:
    """Return optimiser groups: the network, and apart from it the weighting method's parameters without decay.

    Args:
        network: the network; may hold the weighting as a submodule.
        weighting: the method; one without parameters adds no group.
        lr: learning rate of the network.
        unit_lr: learning rate of the method. Default: the method's ``learning_rate``, which for the paper's unit is 0.1
            as in the official code, 1000 times the network's there; that of the network where it has none.
        weight_decay: of the network. Default 0: the official code declares one that has no effect.

    Example:
        >>> import torch
        >>> from mien.weighting import DynamicWeighting
        >>> network, weighting = nn.Linear(4, 8), DynamicWeighting(["a", "b"], features=8)
        >>> groups = parameter_groups(network, weighting, lr=1e-4, weight_decay=0.01)
        >>> [(group["lr"], group["weight_decay"]) for group in torch.optim.AdamW(groups, lr=1e-4).param_groups]
        [(0.0001, 0.01), (0.1, 0.0)]
    """
    own = list(weighting.parameters())
    groups: list[dict[str, Any]] = [{"params": _without(network, own), "lr": lr, "weight_decay": weight_decay}]
    if own:
        rate = weighting.learning_rate if unit_lr is None else unit_lr
        groups.append({"params": own, "lr": lr if rate is None else rate, "weight_decay": 0.0})
    return groups


def clip_gradients(network: nn.Module, weighting: TaskWeighting, max_norm: float = 5.0) -> GradientNorms:
    """Clip the network's gradients to ``max_norm``, and those of the weighting method apart from them.

    Clipped together, a steep unit (its gradient goes as 1/L) would shrink the step of the network.

    Args:
        network: the network; may hold the weighting as a submodule.
        weighting: the method.
        max_norm: largest global 2-norm of each of the two. Default 5, as in the official code.
    """
    own = list(weighting.parameters())
    return GradientNorms(
        nn.utils.clip_grad_norm_(_without(network, own), max_norm), nn.utils.clip_grad_norm_(own, max_norm)
    )


def _without(network: nn.Module, parameters: list[nn.Parameter]) -> list[nn.Parameter]:
    excluded = {id(parameter) for parameter in parameters}
    return [parameter for parameter in network.parameters() if id(parameter) not in excluded]
