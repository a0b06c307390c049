"""Give a branch of fused affines its batch normalisation back, without changing what it computes."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from mien.networks.resnet29 import Affine


class _Moments:
    """Running sums of a layer's input a channel."""

    def __init__(self) -> None:
        self.count = 0
        self.total: Tensor | float = 0.0
        self.squares: Tensor | float = 0.0

    def __call__(self, _module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        x = inputs[0].double()
        self.count += x.numel() // x.shape[1]
        self.total = self.total + x.sum(dim=(0, 2, 3))
        self.squares = self.squares + x.square().sum(dim=(0, 2, 3))

    def mean_and_variance(self) -> tuple[Tensor, Tensor]:
        mean = torch.as_tensor(self.total) / self.count
        return mean, (torch.as_tensor(self.squares) / self.count - mean.square()).clamp_min(0)


@torch.no_grad()
def restore_batch_norm(module: nn.Module, batches: Iterable[Tensor]) -> None:
    """Replace every `Affine` inside ``module`` by a batch normalisation that computes the same in evaluation mode.

    With gamma and beta of the affine and the mean and variance of its input over ``batches``, the batch normalisation
    gets weight gamma * sqrt(variance + eps) and bias beta + gamma * mean. Branches with batch statistics train faster
    than fused ones; the statistics fold away again when the model is exported. A module without an `Affine` is left
    alone.

    Args:
        module: changed in place.
        batches: inputs of ``module``, ``(N, C, H, W)`` each.
    """
    moments = {name: _Moments() for name, child in module.named_modules() if isinstance(child, Affine)}
    if not moments:  # running it would move the statistics that it has
        return
    hooks = [module.get_submodule(name).register_forward_pre_hook(hook) for name, hook in moments.items()]
    for batch in batches:
        module(batch)
    for handle in hooks:
        handle.remove()
    for name, statistics in moments.items():
        parent = module.get_submodule(name.rpartition(".")[0])
        norm = _batch_norm(module.get_submodule(name), *statistics.mean_and_variance())
        setattr(parent, name.rpartition(".")[2], norm)


def _batch_norm(affine: nn.Module, mean: Tensor, variance: Tensor) -> nn.BatchNorm2d:
    assert isinstance(affine, Affine)  # noqa: S101 -- narrows the type of a submodule that was found by it
    norm = nn.BatchNorm2d(len(mean))
    norm.running_mean = mean.float()
    norm.running_var = variance.float()
    norm.weight.copy_(affine.weight * (variance + norm.eps).sqrt())
    norm.bias.copy_(affine.bias + affine.weight * mean)
    return norm


@torch.no_grad()
def estimate_statistics(module: nn.Module, batches: Iterable[Tensor]) -> None:
    """Set the statistics of every batch normalisation inside ``module`` to those of some batches.

    Random weights come without statistics, and layers whose statistics stay fixed would not be normalised at all.

    Args:
        module: changed in place; left in evaluation mode.
        batches: inputs of ``module``; the statistics are the mean of each batch's.
    """
    norms = [child for child in module.modules() if isinstance(child, (nn.BatchNorm1d, nn.BatchNorm2d))]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the plain mean of all batches
    module.train()
    for batch in batches:
        module(batch)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    module.eval()
