"""Two overlaid digits, one task each: a small problem for everyone, with knobs that make a task hard or odd."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mien.comparison.experiment import Experiment, Figure, Part
from mien.errors import RecipeError

LEFT, RIGHT = "left", "right"
_SHIFT = 2
_CHANNELS = 16


class Pairs(NamedTuple):
    """Pictures ``(N, 1, 10, 10)`` and their labels ``(N,)`` by task."""

    pictures: Tensor
    labels: dict[str, Tensor]


class TwoDigitsNetwork(nn.Module):
    """Two shared convolutions, then a convolution and a linear layer a task."""

    def __init__(self, classes: Mapping[str, int]) -> None:
        super().__init__()
        self.trunk = nn.Sequential(
            nn.Conv2d(1, _CHANNELS, 3, padding=1), nn.ReLU(), nn.Conv2d(_CHANNELS, _CHANNELS, 3, stride=2), nn.ReLU()
        )
        self.branches = nn.ModuleDict(
            {
                task: nn.Sequential(
                    nn.Conv2d(_CHANNELS, 2 * _CHANNELS, 3, stride=2),
                    nn.ReLU(),
                    nn.Flatten(),
                    nn.Linear(2 * _CHANNELS, count),
                )
                for task, count in classes.items()
            }
        )


@dataclass(frozen=True)
class TwoDigits(Experiment):
    """Name the upper left and the lower right one of two digits of scikit-learn's bundled set that overlap.

    The 1,797 scanned digits (8x8 pixels) are divided into 60 % for training and 20 % each for validation and test
    before they are paired, so no test digit was ever trained on. A picture is the pixelwise larger of the two, shifted
    by 2 pixels against each other.

    Attributes:
        noise: share of the right digit's training labels that are replaced by random ones: a task that is hard
            because it is noisy. Validation and test labels stay clean.
        right_classes: how many classes the right task has: digit modulo this; 10 names the digit, 2 only odd or even.
        right_scale: factor on the right task's loss.
        right_speed: factor on the learning rate of the right task's branch.
        correlation: of the two digits in training, from -1 to 1: so often the right digit is the left one, or 9 minus
            it where this is negative, so that a network may read the wrong one. In validation and test they are
            independent.
        digits: share of the training digits that are used.
        pairs: training pairs an epoch, drawn anew in each.
        evaluated: validation and test pairs.
        batch_size: pairs a batch.
    """

    name: ClassVar[str] = "two-digits"
    tasks: ClassVar[Mapping[str, str | Figure]] = {LEFT: "accuracy", RIGHT: "accuracy"}
    neutral: ClassVar[Mapping[str, object]] = {
        "right_scale": 1.0,
        "right_speed": 1.0,
        "correlation": 0.0,
        "digits": 1.0,
    }

    epochs: int = 12
    learning_rates: tuple[float, ...] = (1e-3, 3e-3, 1e-2)
    noise: float = 0.0
    right_classes: int = 10
    right_scale: float = 1.0
    right_speed: float = 1.0
    correlation: float = 0.0
    digits: float = 1.0
    pairs: int = 2_000
    evaluated: int = 2_000
    batch_size: int = 50
    _fixed: dict[str, Pairs] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not (0 <= self.noise <= 1 and 2 <= self.right_classes <= 10):
            raise RecipeError(
                f"two-digits wants noise in [0, 1] and right_classes from 2 to 10, not {self.noise} and "
                f"{self.right_classes}"
            )
        if not (self.right_scale > 0 and self.right_speed > 0 and -1 <= self.correlation <= 1 and 0 < self.digits <= 1):
            raise RecipeError(
                "two-digits wants right_scale and right_speed above 0, correlation in [-1, 1] and digits in (0, 1], "
                f"not {self.right_scale}, {self.right_speed}, {self.correlation} and {self.digits}"
            )
        for name in ("pairs", "evaluated", "batch_size"):
            if getattr(self, name) < 1:
                raise RecipeError(f"{name} is {getattr(self, name)}; give at least 1")

    def prepare(self) -> None:
        """Pair the validation and the test digits, always the same way."""
        for part in ("validation", "test"):
            self._fixed[part] = self._pair(part, self.evaluated, torch.Generator().manual_seed(0))

    def network(self, seed: int) -> nn.Module:
        """See `Experiment.network`."""
        return TwoDigitsNetwork({LEFT: 10, RIGHT: self.right_classes})

    def features(self) -> Sequence[int]:
        """Shape of the shared features."""
        return _CHANNELS, 4, 4

    def shared_parameters(self, network: nn.Module) -> list[nn.Parameter]:
        """The second convolution's."""
        assert isinstance(network, TwoDigitsNetwork)  # noqa: S101 -- narrows what `network` made
        return list(network.trunk[2].parameters())

    def parameter_groups(self, network: nn.Module, rate: float) -> list[dict[str, Any]]:
        """The right branch apart where it learns at another speed."""
        if self.right_speed == 1:
            return super().parameter_groups(network, rate)
        assert isinstance(network, TwoDigitsNetwork)  # noqa: S101 -- narrows what `network` made
        rest = [*network.trunk.parameters(), *network.branches[LEFT].parameters()]
        right = {"params": list(network.branches[RIGHT].parameters()), "lr": rate * self.right_speed}
        return [{"params": rest, "lr": rate}, right]

    def batches(self, generator: torch.Generator) -> Iterator[Pairs]:
        """New pairs."""
        drawn = self._pair("train", self.pairs, generator)
        for start in range(0, self.pairs, self.batch_size):
            rows = slice(start, start + self.batch_size)
            yield Pairs(drawn.pictures[rows], {task: labels[rows] for task, labels in drawn.labels.items()})

    def losses(self, network: nn.Module, batch: Pairs, tasks: Collection[str]) -> tuple[dict[str, Tensor], Tensor]:
        """Cross-entropy of each task."""
        assert isinstance(network, TwoDigitsNetwork)  # noqa: S101 -- narrows what `network` made
        shared = network.trunk(batch.pictures)
        losses = {task: F.cross_entropy(network.branches[task](shared), batch.labels[task]) for task in tasks}
        if RIGHT in losses and self.right_scale != 1:
            losses[RIGHT] = losses[RIGHT] * self.right_scale
        return losses, shared

    def evaluate(self, network: nn.Module, part: Part, tasks: Collection[str]) -> dict[str, float]:
        """Accuracy of each task."""
        return {task: float(right.float().mean()) for task, right in self._right(network, part, tasks).items()}

    def sample_figures(self, network: nn.Module, tasks: Collection[str]) -> dict[str, list[float]]:
        """1 for each test pair whose digit is named, else 0."""
        return {task: right.int().tolist() for task, right in self._right(network, "test", tasks).items()}

    def _right(self, network: nn.Module, part: Part, tasks: Collection[str]) -> dict[str, Tensor]:
        assert isinstance(network, TwoDigitsNetwork)  # noqa: S101 -- narrows what `network` made
        pairs = self._fixed[part]
        shared = network.trunk(pairs.pictures)
        return {task: network.branches[task](shared).argmax(dim=1) == pairs.labels[task] for task in tasks}

    def _pair(self, part: str, count: int, generator: torch.Generator) -> Pairs:
        pictures, digits = digit_parts()[part]
        if part == "train":
            kept = round(self.digits * len(digits))
            pictures, digits = pictures[:kept], digits[:kept]
        left, right = torch.randint(len(digits), (2, count), generator=generator)
        if part == "train" and self.correlation:
            right = self._related(digits, left, right, generator)
        canvas = torch.maximum(
            F.pad(pictures[left], (0, _SHIFT, 0, _SHIFT)), F.pad(pictures[right], (_SHIFT, 0, _SHIFT, 0))
        )
        labels = digits[right] % self.right_classes
        random = torch.randint(self.right_classes, (count,), generator=generator)
        replaced = torch.rand(count, generator=generator) < (self.noise if part == "train" else 0.0)
        return Pairs(canvas[:, None], {LEFT: digits[left], RIGHT: torch.where(replaced, random, labels)})

    def _related(self, digits: Tensor, left: Tensor, right: Tensor, generator: torch.Generator) -> Tensor:
        """Rows of right pictures, of which a share shows the left digit, or 9 minus it."""
        wanted = digits[left] if self.correlation > 0 else 9 - digits[left]
        fitting = (digits == wanted[:, None]).float()
        found = fitting.any(dim=1)
        related = right.clone()
        related[found] = torch.multinomial(fitting[found], 1, generator=generator)[:, 0]
        chosen = torch.rand(len(right), generator=generator) < abs(self.correlation)
        return torch.where(chosen, related, right)


@cache
def digit_parts() -> dict[str, tuple[Tensor, Tensor]]:
    """Pictures ``(N, 8, 8)`` of 0 to 1 and digits ``(N,)`` of each part, always divided the same way."""
    from sklearn.datasets import load_digits

    bundled = load_digits()
    pictures, digits = torch.tensor(bundled.images, dtype=torch.float32) / 16, torch.tensor(bundled.target)
    order = torch.randperm(len(digits), generator=torch.Generator().manual_seed(0))
    cuts = [round(0.6 * len(order)), round(0.8 * len(order))]
    parts = torch.tensor_split(order, cuts)
    return {
        name: (pictures[rows], digits[rows]) for name, rows in zip(("train", "validation", "test"), parts, strict=True)
    }
