"""A landscape of two losses over a plane, on which the methods' paths can be seen."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from mien.comparison.experiment import Experiment, Figure, Part

FIRST, SECOND = "first", "second"
STARTS = ((-8.5, 7.5), (-8.5, 5.0), (0.0, 0.0), (9.0, 9.0), (10.0, -8.0))
"""Where the paths start; the five points of CAGrad's toy example (Liu et al., NeurIPS 2021)."""

OFFSET = 21.0
"""Added to both losses, our own: most methods need losses above 0, and the originals go down to about -20."""

_FLOOR = 5e-6


def landscape(points: Tensor) -> Tensor:
    r"""Both losses ``(..., 2)`` at ``(..., 2)`` points of the plane, as in CAGrad, plus `OFFSET`.

    With :math:`c_1 = \max(\tanh(y/2), 0)` and :math:`c_2 = \max(\tanh(-y/2), 0)` the losses are
    :math:`c_1 f_i + c_2 g_i`: in the upper half two valleys of logarithms

    :math:`f_1 = \ln\max(|0.5(-x - 7) - \tanh(-y)|, \delta) + 6`,
    :math:`f_2 = \ln\max(|0.5(-x + 3) - \tanh(-y) + 2|, \delta) + 6`, :math:`\delta = 5 \cdot 10^{-6}`,

    which lead into the lower half with two bowls,
    :math:`g_{1,2} = ((-x \pm 7)^2 + 0.1 (-y - 8)^2) / 10 - 20`.
    """
    x, y = points.unbind(dim=-1)
    upper, lower = (y / 2).tanh().clamp_min(0), (-y / 2).tanh().clamp_min(0)
    f1 = (0.5 * (-x - 7) - (-y).tanh()).abs().clamp_min(_FLOOR).log() + 6
    f2 = (0.5 * (-x + 3) - (-y).tanh() + 2).abs().clamp_min(_FLOOR).log() + 6
    g1 = ((-x + 7).square() + 0.1 * (-y - 8).square()) / 10 - 20
    g2 = ((-x - 7).square() + 0.1 * (-y - 8).square()) / 10 - 20
    return torch.stack([upper * f1 + lower * g1, upper * f2 + lower * g2], dim=-1) + OFFSET


class Point(nn.Module):
    """A point of the plane."""

    def __init__(self, start: Sequence[float]) -> None:
        super().__init__()
        self.position = nn.Parameter(torch.tensor(start))


@dataclass(frozen=True)
class Toy(Experiment):
    """Two losses over a plane; a seed is one of five starting points.

    The best points of both lie on a line at the bottom of the lower half. Figures are the losses with their sign
    turned, as higher is better. There is one learning rate, and neither data nor single tasks.

    Attributes:
        steps: of each epoch.
    """

    name: ClassVar[str] = "toy"
    tasks: ClassVar[Mapping[str, str | Figure]] = {FIRST: "minus the loss", SECOND: "minus the loss"}
    unit: ClassVar[str] = ""
    starts: ClassVar[int] = len(STARTS)
    single_tasks: ClassVar[bool] = False

    epochs: int = 1
    learning_rates: tuple[float, ...] = (2e-2,)
    steps: int = 3_000

    def network(self, seed: int) -> nn.Module:
        """The seed's starting point."""
        return Point(STARTS[seed % len(STARTS)])

    def features(self) -> Sequence[int]:
        """The two coordinates."""
        return (2,)

    def shared_parameters(self, network: nn.Module) -> list[nn.Parameter]:
        """The coordinates."""
        return list(network.parameters())

    def batches(self, generator: torch.Generator) -> Iterator[None]:
        """As many empty batches as there are steps."""
        return iter([None] * self.steps)

    def losses(self, network: nn.Module, batch: None, tasks: Collection[str]) -> tuple[dict[str, Tensor], Tensor]:
        """Both losses at the point; the features are its coordinates."""
        assert isinstance(network, Point)  # noqa: S101 -- narrows what `network` made
        shared = network.position[None] * 1.0
        # Each from the features anew: per-gradient methods differentiate each task's own part of the graph.
        return {task: landscape(shared[0])[number] for number, task in enumerate(self.tasks) if task in tasks}, shared

    def evaluate(self, network: nn.Module, part: Part, tasks: Collection[str]) -> dict[str, float]:
        """Minus the losses."""
        return {task: -value.item() for task, value in self.losses(network, None, tasks)[0].items()}

    def trace(self, network: nn.Module) -> list[float]:
        """The coordinates."""
        assert isinstance(network, Point)  # noqa: S101 -- narrows what `network` made
        return network.position.tolist()
