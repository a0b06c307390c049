"""Methods of losses against torchjd's own, with the same constants, over 100 random steps."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor
from torchjd import scalarization

from mien.weighting import (
    FAMO,
    DynamicWeightAverage,
    GeometricMeanWeighting,
    IMTLLWeighting,
    TaskWeighting,
    UncertaintyWeighting,
)

TASKS = ["a", "b", "c"]
STEPS = 100
CLOSE = {"rtol": 1e-6, "atol": 1e-6}


def levels() -> Iterator[Tensor]:
    """Falling losses of different sizes, with noise."""
    noise = torch.Generator().manual_seed(7)
    for step in range(STEPS):
        fall = torch.tensor([3.0, 0.5, 40.0]) / (1 + step * torch.tensor([0.1, 0.01, 1.0]))
        yield (fall * torch.exp(0.3 * torch.randn(3, generator=noise))).double()


def ours(weighting: TaskWeighting, values: Tensor) -> tuple[Tensor, Tensor]:
    """Return the total and the gradient of each loss."""
    parts = [value.clone().requires_grad_() for value in values]
    total = weighting.backward(dict(zip(TASKS, parts, strict=True)))
    return total, torch.stack([part.grad for part in parts])


def theirs(scalarizer: torch.nn.Module, values: Tensor) -> tuple[Tensor, Tensor]:
    leaf = values.clone().requires_grad_()
    value = scalarizer(leaf)
    value.backward()
    return value.detach(), leaf.grad


def test_geometric_mean() -> None:
    for values in levels():
        for one, other in zip(
            ours(GeometricMeanWeighting(TASKS), values), theirs(scalarization.GeometricMean(), values), strict=True
        ):
            torch.testing.assert_close(one, other, **CLOSE)


@pytest.mark.parametrize("kind", ["uncertainty", "imtl-l"])
def test_learned_scales(kind: str) -> None:
    if kind == "uncertainty":
        weighting, scalarizer = UncertaintyWeighting(TASKS).double(), scalarization.UW(3).double()
        (own,), (their,) = weighting.parameters(), scalarizer.parameters()
        regularizer = 0.5
    else:
        weighting, scalarizer = IMTLLWeighting(TASKS).double(), scalarization.IMTLL(3).double()
        (own,), (their,) = weighting.parameters(), scalarizer.parameters()
        regularizer = -1.0
    optimizers = torch.optim.Adam([own], lr=0.05), torch.optim.Adam([their], lr=0.05)
    for values in levels():
        for optimizer in optimizers:
            optimizer.zero_grad()
        total, gradients = ours(weighting, values)
        value, expected = theirs(scalarizer, values)
        torch.testing.assert_close(gradients, expected, **CLOSE)
        torch.testing.assert_close(total + regularizer * own.detach().sum(), value, **CLOSE)
        torch.testing.assert_close(own.grad, their.grad, **CLOSE)
        for optimizer in optimizers:
            optimizer.step()
        torch.testing.assert_close(own, their, **CLOSE)
    assert float(own.detach().abs().max()) > 0.5


def test_dynamic_weight_average() -> None:
    weighting, scalarizer = DynamicWeightAverage(TASKS), scalarization.DWA()
    for step, values in enumerate(levels(), 1):
        for one, other in zip(ours(weighting, values), theirs(scalarizer, values), strict=True):
            torch.testing.assert_close(one, other, **CLOSE)
        if step % 10 == 0:
            weighting.end_epoch()
            scalarizer.step()
    assert sum(weighting.weights.values()) == pytest.approx(3)
    assert max(weighting.weights.values()) > 1.01


@pytest.mark.parametrize("decay", [1e-3, 1e-5])
def test_famo(decay: float) -> None:
    weighting = FAMO(TASKS, decay=decay).double()
    scalarizer = scalarization.FAMO(3, weight_decay=decay).double()
    again = torch.Generator().manual_seed(8)
    for values in levels():
        total, gradients = ours(weighting, values)
        _, expected = theirs(scalarizer, values)
        torch.testing.assert_close(gradients, expected, **CLOSE)
        torch.testing.assert_close(total, (expected * values).sum(), **CLOSE)
        measured = values * (0.8 + 0.3 * torch.rand(3, generator=again))
        weighting.after_step(dict(zip(TASKS, measured, strict=True)))
        scalarizer.update(measured)
        torch.testing.assert_close(weighting.logits, scalarizer._w.detach(), **CLOSE)
    assert float(weighting.logits.abs().max()) > 0.05
