"""Centre loss (Wen et al., ECCV 2016), with the official code's update that is safe for repeated classes."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class CenterLoss(nn.Module):
    """Half the mean squared distance of each embedding to the centre of its class.

    loss = mean_n 1/2 ||e_n - c_{y_n}||^2

    The centres are no parameters: they start at 0 and, with each `update`, move by (1 - alpha) times the mean
    difference to the embeddings of their class in the batch. Dividing by the number of samples of the class keeps a
    class that fills a batch from overshooting.

    Args:
        classes: number of classes.
        size: size of the embedding, D.
        alpha: 0.5, the default of the official code (``center_loss_alfa``).
    """

    centers: Tensor

    def __init__(self, classes: int, size: int, alpha: float = 0.5) -> None:
        super().__init__()
        self.alpha = alpha
        self.register_buffer("centers", torch.zeros(classes, size))

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Loss of ``(N, D)`` embeddings and ``(N,)`` int64 labels in [0, classes); moves no centre."""
        return 0.5 * (embeddings - self.centers[labels]).square().sum(dim=1).mean()

    @torch.no_grad()
    def update(self, embeddings: Tensor, labels: Tensor) -> None:
        """Move the centres of the classes in the batch."""
        classes, index, counts = torch.unique(labels, return_inverse=True, return_counts=True)
        sums = self.centers.new_zeros(len(classes), embeddings.shape[1])
        sums.index_add_(0, index, embeddings.detach().to(sums.dtype))
        mean = sums / counts[:, None]
        self.centers[classes] -= (1 - self.alpha) * (self.centers[classes] - mean)
