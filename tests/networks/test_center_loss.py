from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from mien.networks import CenterLoss


def test_loss_by_hand() -> None:
    loss = CenterLoss(classes=2, size=2)
    loss.centers = torch.tensor([[1.0, 0.0], [0.0, 0.0]])
    embeddings = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    assert loss(embeddings, torch.tensor([0, 1])).item() == 0.5 * (4 + 25) / 2


def test_gradient_pulls_embeddings_to_their_centre() -> None:
    embeddings = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    CenterLoss(classes=1, size=2)(embeddings, torch.tensor([0, 0])).backward()
    torch.testing.assert_close(embeddings.grad, embeddings.detach() / 2)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=12), st.floats(0.0, 1.0))
def test_update_moves_each_centre_by_the_mean_difference(labels: list[int], alpha: float) -> None:
    torch.manual_seed(len(labels))
    loss = CenterLoss(classes=4, size=3, alpha=alpha)
    loss.centers = torch.randn(4, 3)
    embeddings, before = torch.randn(len(labels), 3), loss.centers.clone()
    loss.update(embeddings, torch.tensor(labels))
    for person in range(4):
        rows = [row for row, label in enumerate(labels) if label == person]
        moved = sum((before[person] - embeddings[row] for row in rows), torch.zeros(3)) / max(1, len(rows))
        torch.testing.assert_close(loss.centers[person], before[person] - (1 - alpha) * moved)
