"""Three unlike tasks on one scanned digit: a class, a number and a picture."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mien.comparison.experiment import Experiment, Figure, Part
from mien.comparison.experiments.two_digits import digit_parts
from mien.errors import RecipeError

NAME, SLANT, PICTURE = "digit", "slant", "picture"
_SIDE = 8
_CHANNELS = 16


class Scans(NamedTuple):
    """Noisy pictures ``(N, 1, 8, 8)``, and what is to be told of the clean ones: digit, slant in degrees, pixels."""

    noisy: Tensor
    digits: Tensor
    slants: Tensor
    clean: Tensor


class UnlikeNetwork(nn.Module):
    """Two shared convolutions, then a branch of two layers for each task."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = nn.Sequential(
            nn.Conv2d(1, _CHANNELS, 3, padding=1), nn.ReLU(), nn.Conv2d(_CHANNELS, _CHANNELS, 3, stride=2), nn.ReLU()
        )
        outputs = {NAME: 10, SLANT: 1, PICTURE: _SIDE * _SIDE}
        self.branches = nn.ModuleDict(
            {
                task: nn.Sequential(nn.Flatten(), nn.Linear(_CHANNELS * 9, 32), nn.ReLU(), nn.Linear(32, count))
                for task, count in outputs.items()
            }
        )


@dataclass(frozen=True)
class UnlikeTasks(Experiment):
    """Name a digit, measure its slant and restore its picture, from a noisy scan of scikit-learn's bundled set.

    Classification by cross-entropy, regression by squared error in degrees, reconstruction by squared error of pixels:
    the losses differ by four orders of magnitude. The 1,797 digits are divided as in ``two-digits``. The slant is the
    angle of the ink's main axis against the vertical.

    Attributes:
        noise: standard deviation of what is added to the pixels, which go from 0 to 1.
        batch_size: scans a batch.
    """

    name: ClassVar[str] = "unlike-tasks"
    tasks: ClassVar[Mapping[str, str | Figure]] = {
        NAME: Figure("accuracy"),
        SLANT: Figure("mean absolute error", "degrees", higher_is_better=False),
        PICTURE: Figure("mean absolute error of a pixel", "gray levels", higher_is_better=False),
    }

    epochs: int = 12
    learning_rates: tuple[float, ...] = (1e-3, 3e-3, 1e-2)
    noise: float = 0.3
    batch_size: int = 50
    _fixed: dict[str, Scans] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.noise < 0 or self.batch_size < 1:
            raise RecipeError(
                "unlike-tasks wants noise of 0 or more and a batch_size of 1 or more, "
                f"not {self.noise} and {self.batch_size}"
            )

    def prepare(self) -> None:
        """Add noise to the validation and the test digits, always the same."""
        for part in ("validation", "test"):
            self._fixed[part] = self._scan(part, torch.Generator().manual_seed(0))

    def network(self, seed: int) -> nn.Module:
        """See `Experiment.network`."""
        return UnlikeNetwork()

    def features(self) -> Sequence[int]:
        """Shape of the shared features."""
        return _CHANNELS, 3, 3

    def shared_parameters(self, network: nn.Module) -> list[nn.Parameter]:
        """The second convolution's."""
        return list(_unlike(network).trunk[2].parameters())

    def batches(self, generator: torch.Generator) -> Iterator[Scans]:
        """Every training digit once, with new noise."""
        scans = self._scan("train", generator)
        for rows in torch.split(torch.randperm(len(scans.digits), generator=generator), self.batch_size):
            yield Scans(*(values[rows] for values in scans))

    def losses(self, network: nn.Module, batch: Scans, tasks: Collection[str]) -> tuple[dict[str, Tensor], Tensor]:
        """Cross-entropy, squared degrees, squared pixels."""
        shared = _unlike(network).trunk(batch.noisy)
        outputs = {task: _unlike(network).branches[task](shared) for task in tasks}
        losses: dict[str, Callable[[Tensor], Tensor]] = {
            NAME: lambda logits: F.cross_entropy(logits, batch.digits),
            SLANT: lambda degrees: F.mse_loss(degrees[:, 0], batch.slants),
            PICTURE: lambda pixels: F.mse_loss(pixels, batch.clean),
        }
        return {task: losses[task](output) for task, output in outputs.items()}, shared

    def evaluate(self, network: nn.Module, part: Part, tasks: Collection[str]) -> dict[str, float]:
        """Accuracy and two mean absolute errors."""
        return {task: float(each.mean()) for task, each in self._each(network, part, tasks).items()}

    def sample_figures(self, network: nn.Module, tasks: Collection[str]) -> dict[str, list[float]]:
        """The same for each test digit."""
        return {
            task: [float(f"{value:.5g}") for value in each.tolist()]
            for task, each in self._each(network, "test", tasks).items()
        }

    def _each(self, network: nn.Module, part: Part, tasks: Collection[str]) -> dict[str, Tensor]:
        scans = self._fixed[part]
        shared = _unlike(network).trunk(scans.noisy)
        outputs = {task: _unlike(network).branches[task](shared) for task in tasks}
        told: dict[str, Callable[[Tensor], Tensor]] = {
            NAME: lambda logits: (logits.argmax(dim=1) == scans.digits).float(),
            SLANT: lambda degrees: (degrees[:, 0] - scans.slants).abs(),
            PICTURE: lambda pixels: 255 * (pixels.clamp(0, 1) - scans.clean).abs().mean(dim=1),
        }
        return {task: told[task](output) for task, output in outputs.items()}

    def _scan(self, part: str, generator: torch.Generator) -> Scans:
        pictures, digits = digit_parts()[part]
        noisy = pictures + self.noise * torch.randn(pictures.shape, generator=generator)
        return Scans(noisy[:, None], digits, slants(pictures), pictures.flatten(1))


def slants(pictures: Tensor) -> Tensor:
    """Angle ``(N,)`` of the ink's main axis against the vertical, in degrees, of pictures ``(N, H, W)``."""
    mass = pictures / pictures.sum(dim=(1, 2), keepdim=True)
    rows, columns = (torch.arange(size, dtype=pictures.dtype) for size in pictures.shape[1:])
    y = rows[:, None] - (mass.sum(dim=2) @ rows)[:, None, None]
    x = columns - (mass.sum(dim=1) @ columns)[:, None, None]
    xx, yy, xy = ((mass * product).sum(dim=(1, 2)) for product in (x * x, y * y, x * y))
    return torch.rad2deg(0.5 * torch.atan2(2 * xy, yy - xx))


def _unlike(network: nn.Module) -> UnlikeNetwork:
    assert isinstance(network, UnlikeNetwork)  # noqa: S101 -- narrows what `network` made
    return network
