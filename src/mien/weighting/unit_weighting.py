"""What the two update rules of the weight unit share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

from torch import Tensor
from torch.func import functional_call

from mien.weighting.contract import ScalarWeighting, valueless
from mien.weighting.features import Features
from mien.weighting.losses import TaskLosses
from mien.weighting.ranks import mean_over_ranks
from mien.weighting.unit import FeatureShape, WeightUnit, check_features


class UnitWeighting(ScalarWeighting):
    r"""Weights from a ``WeightUnit`` that is trained, by a rule of its own, in the network's one backward pass.

    The objective is :math:`\sum_i \mathrm{sg}(w_i) L_i + (U - \mathrm{sg}(U))`, where sg stops gradients and U is the
    loss that trains the unit; the unit's input is detached, and the losses in U are constants. So the network gets the
    gradient of the first sum, the unit that of U, and the value is the total loss alone.

    Args:
        tasks: names of the tasks.
        features: size of one image's features: ``C*H*W``, or the shape ``(C, H, W)``.
        normalize_logits: see ``WeightUnit``.
        scale: see ``WeightUnit``.
        leak: also give the features the gradient of :math:`\sum_i \mathrm{sg}(L_i) w_i` through the unit's input (the
            unit's parameters do not get it). The official code does so; default False.
    """

    needs_features = True
    learning_rate = 0.1

    def __init__(
        self,
        tasks: Sequence[str],
        features: FeatureShape,
        *,
        normalize_logits: bool = True,
        scale: float = 1.0,
        leak: bool = False,
    ) -> None:
        super().__init__(tasks)
        self.leak = leak
        self.unit = WeightUnit(features, len(self.tasks), normalize_logits=normalize_logits, scale=scale)

    @abstractmethod
    def _unit_loss(self, weights: Tensor, losses: TaskLosses) -> Tensor:
        """Return the scalar that trains the unit, from its weights ``(T,)`` and constant losses."""

    def _limit(self, weights: Tensor, present: Tensor) -> Tensor:  # noqa: ARG002 - for the rules that have limits
        """Return the weights ``(T,)`` that are used."""
        return weights

    def _objective(self, losses: TaskLosses, features: Features | None) -> Tensor:
        features = check_features(type(self).__name__, features, self.unit.linear.weight)
        weights = self._limit(self.unit(features, losses.mask), losses.present)
        objective = self._total(losses, mean_over_ranks(weights)) + valueless(self._unit_loss(weights, losses))
        if self.leak:
            objective = objective + valueless(self._leak(losses, features))
        return objective

    def _leak(self, losses: TaskLosses, features: Tensor) -> Tensor:
        constants = {name: parameter.detach() for name, parameter in self.unit.named_parameters()}
        weights: Tensor = functional_call(self.unit, constants, (features, losses.mask), {"attached": True})
        return (self._limit(weights, losses.present) * losses.levels).sum()

    def extra_repr(self) -> str:
        """Tell the settings when the module is printed."""
        return f"{super().extra_repr()}, leak={self.leak}"
