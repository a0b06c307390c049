"""Probabilities of expressions that mean what they say: logits scaled on the photos kept for validation."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from enum import StrEnum

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mien.datasets import UNLABELLED, FacePixels
from mien.errors import DataError
from mien.evaluation import calibration_error
from mien.networks import EXPRESSION, Branch, FaceNetwork
from mien.training.data import Source
from mien.training.recipe import Recipe
from mien.training.validation import predict


class Calibration(StrEnum):
    """How the probabilities of expressions are calibrated."""

    NONE = "none"
    TEMPERATURE = "temperature"
    BIAS = "bias"


class LogitScaling(nn.Module):
    """Logits divided by a temperature, plus a bias of each class (temperature scaling of Guo et al., ICML 2017).

    Their vector scaling has a factor for each class too; one temperature for all is less easily fitted to chance.
    """

    temperature: Tensor
    bias: Tensor

    def __init__(self, temperature: float, bias: Sequence[float]) -> None:
        super().__init__()
        self.register_buffer("temperature", torch.tensor(float(temperature)))
        self.register_buffer("bias", torch.tensor([float(value) for value in bias]))

    def forward(self, logits: Tensor) -> Tensor:
        """Map logits ``(N, K)`` to logits ``(N, K)``."""
        return logits / self.temperature + self.bias


@dataclass(frozen=True, slots=True)
class CalibrationReport:
    """What a calibration was fitted on, and what it did there.

    Attributes:
        temperature: by which the logits are divided; above 1 where the network was too sure.
        bias: added to each class's logit afterwards; zeros where none was fitted.
        photos: how many were fitted on.
        before: expected calibration error of each source with photos of one clear expression, by its name.
        after: the same with the calibration. It was measured on the photos that it was fitted on.
    """

    temperature: float
    bias: tuple[float, ...]
    photos: int
    before: dict[str, float]
    after: dict[str, float]

    def __str__(self) -> str:
        """One line for people."""
        errors = ", ".join(f"{name} {self.before[name]:.4f} -> {self.after[name]:.4f}" for name in self.before)
        bias = f", bias {' '.join(f'{value:+.2f}' for value in self.bias)}" if any(self.bias) else ""
        return f"temperature {self.temperature:.3f}{bias}; fitted on {self.photos} photos; calibration error {errors}"


def can_calibrate(sources: Sequence[Source]) -> bool:
    """Whether any source that teaches expressions keeps labelled photos for validation."""
    return any(bool((photos.unique_expression != UNLABELLED).any()) for photos in _kept(sources).values())


def calibrate(
    recipe: Recipe, network: FaceNetwork, sources: Sequence[Source], method: Calibration = Calibration.TEMPERATURE
) -> tuple[FaceNetwork, CalibrationReport]:
    """A copy of a trained network whose expression probabilities are calibrated, and how well.

    A probability then means: the chance that this is what most people see. So photos count whose label, or the majority
    of whose votes, is one expression; fitted to the shares of votes, a face on which seven of ten agree would never be
    called certain.

    Args:
        recipe: what was trained.
        network: the trained network; left as it is.
        sources: its data. All that teach expressions count with the photos that they keep for validation.
        method: a temperature keeps the order of the expressions; with a bias of each their balance also becomes that of
            the validation photos.

    Raises:
        DataError: no source keeps labelled photos for validation, or the network's answers are at odds with them.
    """
    if not can_calibrate(sources):
        raise DataError("no source keeps labelled photos for validation, so expressions cannot be calibrated on any")
    kept = _kept(sources)
    answers = {
        name: predict(network, photos, recipe.crop_size, tasks=(EXPRESSION,))[EXPRESSION]
        for name, photos in kept.items()
    }
    clear = {name: photos.unique_expression for name, photos in kept.items()}
    labels = torch.cat(list(clear.values()))
    logits, labels = torch.cat(list(answers.values()))[labels != UNLABELLED], labels[labels != UNLABELLED]
    scaling = fit_scaling(logits, F.one_hot(labels, logits.shape[1]), method)
    before = {name: _error(answers[name], labels) for name, labels in clear.items() if (labels != UNLABELLED).any()}
    after = {name: _error(scaling(answers[name]), clear[name]) for name in before}
    report = CalibrationReport(float(scaling.temperature), tuple(scaling.bias.tolist()), len(logits), before, after)
    return with_scaling(network, scaling), report


def fit_scaling(logits: Tensor, shares: Tensor, method: Calibration = Calibration.TEMPERATURE) -> LogitScaling:
    """The scaling with the least cross-entropy to the shares: a convex problem, solved by L-BFGS.

    Each bias has a normal prior of deviation 1 around 0, which counts as much as a photo or two and keeps that of a
    class without votes finite.

    Args:
        logits: ``(N, K)``.
        shares: ``(N, K)`` of each photo's votes; rows sum to 1.
        method: see `calibrate`.

    Raises:
        DataError: the larger a logit, the fewer the votes: no temperature helps.
    """
    x, y = logits.double(), shares.double()
    factor = torch.ones((), dtype=torch.float64, requires_grad=True)
    bias = torch.zeros(x.shape[1], dtype=torch.float64, requires_grad=method is Calibration.BIAS)
    optimizer = torch.optim.LBFGS(
        [factor, bias] if method is Calibration.BIAS else [factor],
        max_iter=500,
        tolerance_grad=1e-9,
        tolerance_change=1e-12,
        line_search_fn="strong_wolfe",
    )

    def loss() -> Tensor:
        optimizer.zero_grad()
        value = F.cross_entropy(x * factor + bias, y) + bias.square().sum() / (2 * len(x))
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimizer.step(loss)  # type: ignore[no-untyped-call]
    found = float(factor.detach())
    if found <= 0:
        raise DataError("the network's expressions are at odds with the validation photos; it cannot be calibrated")
    return LogitScaling(1 / found, bias.detach().tolist())


def with_scaling(network: FaceNetwork, scaling: LogitScaling) -> FaceNetwork:
    """A copy of a network whose expression logits are scaled."""
    scaled = deepcopy(network)
    branch = scaled.branches[EXPRESSION]
    assert isinstance(branch, Branch)  # noqa: S101 -- nn.ModuleDict forgets the type
    branch.head = nn.Sequential(branch.head, scaling)
    return scaled.train(network.training)


def _kept(sources: Sequence[Source]) -> dict[str, FacePixels]:
    """The photos to calibrate on, by their source's name."""
    return {
        source.recipe.data: source.validation
        for source in sources
        if source.validation is not None and "expression" in source.recipe.learn
    }


def _error(logits: Tensor, labels: Tensor) -> float:
    return calibration_error(logits.softmax(dim=1).numpy(), labels.numpy())
