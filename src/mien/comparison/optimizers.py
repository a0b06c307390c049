"""The optimizers of a run."""

from __future__ import annotations

from typing import Any

import torch

from mien.weighting import TaskWeighting, UnitWeighting


def make_optimizers(groups: list[dict[str, Any]], weighting: TaskWeighting, rate: float) -> list[torch.optim.Optimizer]:
    """Adam for the network; for the method's own parameters the official code's RMSProp if it is a unit, or Adam.

    Args:
        groups: of the network.
        weighting: the method. One that names no rate of its own learns as the network's new layers do, and not as its
            pretrained ones, whose rate may be a thirtieth of it.
        rate: of the network.
    """
    own, own_rate = list(weighting.parameters()), weighting.learning_rate or max(group["lr"] for group in groups)
    optimizers: list[torch.optim.Optimizer] = [torch.optim.Adam(groups, lr=rate)]
    if own and isinstance(weighting, UnitWeighting):  # as in the official code
        optimizers.append(torch.optim.RMSprop(own, lr=own_rate, alpha=0.9, momentum=0.9, eps=1.0))
    elif own:
        optimizers.append(torch.optim.Adam(own, lr=own_rate))
    return optimizers
