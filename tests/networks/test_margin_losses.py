from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from mien.networks import ArcFaceLoss, CosFaceLoss
from mien.networks.margin_losses import MarginLoss

BOTH = pytest.mark.parametrize("kind", [ArcFaceLoss, CosFaceLoss])


def example(kind: type[MarginLoss], dtype: torch.dtype = torch.float64, **settings: float) -> tuple[MarginLoss, Tensor]:
    torch.manual_seed(3)
    return kind(5, 4, **settings).to(dtype), torch.randn(6, 4, dtype=dtype)


LABELS = torch.tensor([0, 4, 2, 2, 1, 3])


def by_hand(kind: type[MarginLoss], embeddings: Tensor, weight: Tensor, margin: float, scale: float) -> float:
    e, w = embeddings.numpy(), weight.detach().numpy()
    losses = []
    for row, label in zip(e, LABELS.tolist(), strict=True):
        angles = [math.acos(row @ center / np.linalg.norm(row) / np.linalg.norm(center)) for center in w]
        cosines = [math.cos(angle) for angle in angles]
        if kind is CosFaceLoss:
            cosines[label] -= margin
        elif angles[label] + margin <= math.pi:
            cosines[label] = math.cos(angles[label] + margin)
        else:
            cosines[label] -= margin * math.sin(margin)
        logits = scale * np.array(cosines)
        losses.append(np.log(np.exp(logits - logits[label]).sum()))
    return float(np.mean(losses))


@BOTH
@pytest.mark.parametrize(("margin", "scale"), [(0.5, 64.0), (0.2, 8.0), (1.5, 4.0)])
def test_loss_by_hand(kind: type[MarginLoss], margin: float, scale: float) -> None:
    loss, embeddings = example(kind, margin=margin, scale=scale)
    expected = by_hand(kind, embeddings, loss.weight, margin, scale)
    assert loss(embeddings, LABELS).item() == pytest.approx(expected, rel=1e-9)


@BOTH
def test_without_margin_it_is_the_softmax_of_scaled_cosines(kind: type[MarginLoss]) -> None:
    loss, embeddings = example(kind, margin=0.0)
    cosines = F.cosine_similarity(embeddings[:, None], loss.weight[None], dim=2)
    torch.testing.assert_close(loss(embeddings, LABELS), F.cross_entropy(64 * cosines, LABELS))


@BOTH
def test_defaults_are_the_papers(kind: type[MarginLoss]) -> None:
    loss = kind(3, 2)
    assert (loss.margin, loss.scale) == ({ArcFaceLoss: 0.5, CosFaceLoss: 0.35}[kind], 64)


@BOTH
def test_gradients(kind: type[MarginLoss]) -> None:
    loss, embeddings = example(kind, scale=4.0)
    weight = loss.weight.detach().clone().requires_grad_()

    def function(embeddings: Tensor, weight: Tensor) -> Tensor:
        return torch.func.functional_call(loss, {"weight": weight}, (embeddings, LABELS))

    assert torch.autograd.gradcheck(function, (embeddings.requires_grad_(), weight))


@BOTH
@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("off", [0.0, 1e-12, 1e-8, 1e-4])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_embeddings_on_or_opposite_their_centre(
    kind: type[MarginLoss], sign: float, off: float, dtype: torch.dtype
) -> None:
    loss, _ = example(kind, dtype)
    embeddings = (sign * loss.weight[LABELS].detach() * 50 + off * torch.randn(6, 4, dtype=dtype)).requires_grad_()
    value = loss(embeddings, LABELS)
    value.backward()
    assert value.isfinite()
    assert embeddings.grad is not None
    assert embeddings.grad.isfinite().all()
    assert loss.weight.grad.isfinite().all()
    assert (embeddings.grad.norm(dim=1) < 1e3 / embeddings.detach().norm(dim=1)).all()


@pytest.mark.parametrize("margin", [0.0, 0.3, 0.5, 1.0, math.pi / 2])
def test_a_larger_angle_never_counts_as_nearer(margin: float) -> None:
    angles = torch.linspace(0, math.pi, 20001, dtype=torch.float64)
    reduced = ArcFaceLoss(2, 2, margin).reduced(angles.cos())
    assert (reduced.diff() <= 1e-9).all()
    before = angles < math.pi - margin - 1e-3
    torch.testing.assert_close(reduced[before], (angles[before] + margin).cos(), rtol=0, atol=2e-6)
    steps = reduced.diff().abs().max()
    assert steps <= math.cos(margin) + margin * math.sin(margin) - 1 + 1e-3


@BOTH
def test_half_precision_is_computed_in_single(kind: type[MarginLoss]) -> None:
    loss, embeddings = example(kind, torch.float32)
    halves = embeddings.bfloat16()
    with torch.autocast("cpu", torch.bfloat16):
        value = loss(halves, LABELS)
    assert value.dtype == torch.float32
    torch.testing.assert_close(value, loss(halves.float(), LABELS))


@BOTH
def test_lengths_do_not_matter(kind: type[MarginLoss]) -> None:
    loss, embeddings = example(kind)
    torch.testing.assert_close(loss(embeddings, LABELS), loss(embeddings * torch.rand(6, 1) * 9, LABELS))


@pytest.mark.parametrize("margin", [-0.1, 1.6])
def test_an_impossible_angle_is_refused(margin: float) -> None:
    with pytest.raises(ValueError, match="give one from 0 to pi/2"):
        ArcFaceLoss(2, 2, margin)
