"""Weighting methods by name, for recipes, command lines and comparisons."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from mien.weighting.aggregation import GradientWeighting
from mien.weighting.aggregators import AggregatorName, ScalarizerName, build_aggregator, build_scalarizer
from mien.weighting.autoscale import AutoScaleWeighting
from mien.weighting.constant_input import ConstantInputWeighting
from mien.weighting.contract import TaskWeighting
from mien.weighting.cov import CoVWeighting
from mien.weighting.db_mtl import DBMTL
from mien.weighting.dwa import DynamicWeightAverage
from mien.weighting.dynamic import DynamicWeighting
from mien.weighting.entropy import EntropyWeighting
from mien.weighting.equal import EqualWeighting
from mien.weighting.famo import FAMO
from mien.weighting.fixed import FixedWeighting
from mien.weighting.geometric_mean import GeometricMeanWeighting
from mien.weighting.gradnorm import GradNorm
from mien.weighting.imtl_l import IMTLLWeighting
from mien.weighting.logarithm import LogarithmWeighting
from mien.weighting.naive import NaiveWeighting
from mien.weighting.prioritization import DynamicTaskPrioritization
from mien.weighting.progress import ProgressWeighting
from mien.weighting.random_weighting import RandomWeighting
from mien.weighting.scalarization import ScalarizerWeighting
from mien.weighting.sign_switch import SignSwitchWeighting
from mien.weighting.uncertainty import UncertaintyWeighting
from mien.weighting.unit import FeatureShape
from mien.weighting.uw_so import UWSOWeighting

Family = Literal["unit", "control", "loss-based", "gradient norms", "per-gradient", "own"]
"""``unit``: the weight unit and its kin; ``control``: what the unit is judged by; ``own``: a user's; the others by what
they look at."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a method may be made from.

    Attributes:
        tasks: names of the tasks.
        features: size or shape of one image's shared features.
        weights: a weight for each task, for the method that wants them.
        shared_parameters: parameters that all tasks share.
    """

    tasks: Sequence[str]
    features: FeatureShape
    weights: Mapping[str, float]
    shared_parameters: Sequence[Tensor]


@dataclass(frozen=True, slots=True)
class Method:
    """A weighting method with its default settings.

    Attributes:
        family: what it looks at.
        summary: what it is, in one sentence.
        kind: its class, which says what it needs at a step.
        make: makes it.
        needs_weights: whether it is made with a weight for each task.
        aggregator: the aggregator or scalarizer of torchjd that it adapts; None where it is mien's own.
    """

    family: Family
    summary: str
    kind: type[TaskWeighting]
    make: Callable[[Request], TaskWeighting]
    needs_weights: bool = False
    aggregator: AggregatorName | ScalarizerName | None = None

    @property
    def needs(self) -> tuple[str, ...]:
        """What it needs besides tasks and losses, in words."""
        wanted = {
            "a weight for each task": self.needs_weights,
            "shared features": self.kind.needs_features,
            "shared parameters": self.kind.needs_shared_parameters,
            "losses measured again after each step": self.kind.needs_losses_after_step,
            "the ends of epochs": self.kind.needs_epoch_ends,
            "the extra mien[gradients]": self.aggregator is not None,
        }
        return tuple(need for need, is_wanted in wanted.items() if is_wanted)


def _per_gradient(name: AggregatorName, summary: str) -> Method:
    def make(request: Request) -> TaskWeighting:
        return GradientWeighting(request.tasks, build_aggregator(name, len(request.tasks)))

    return Method("per-gradient", summary, GradientWeighting, make, aggregator=name)


def _scalarizer(name: ScalarizerName, summary: str) -> Method:
    def make(request: Request) -> TaskWeighting:
        return ScalarizerWeighting(request.tasks, build_scalarizer(name, len(request.tasks)))

    return Method("loss-based", summary, ScalarizerWeighting, make, aggregator=name)


REGISTRY: Mapping[str, Method] = {
    "dynamic": Method(
        "unit",
        "The paper's weight unit as in its published curves: the largest loss gets the most weight, within bounds.",
        DynamicWeighting,
        lambda given: DynamicWeighting(given.tasks, given.features),
    ),
    "dynamic-raw": Method(
        "unit",
        "The paper's weight unit as in its official code's last state: raw logits, without bounds.",
        DynamicWeighting,
        lambda given: DynamicWeighting(given.tasks, given.features, normalize_logits=False),
    ),
    "naive": Method(
        "unit",
        "The paper's counter-example: the unit is trained on the total loss, so that the easiest task gets the weight.",
        NaiveWeighting,
        lambda given: NaiveWeighting(given.tasks, given.features),
    ),
    "progress": Method(
        "unit",
        "Our own unit: the task that makes the least relative progress gets the most weight, within the same bounds.",
        ProgressWeighting,
        lambda given: ProgressWeighting(given.tasks, given.features),
    ),
    "constant-input": Method(
        "control",
        "The paper's unit that sees a constant in place of the features.",
        ConstantInputWeighting,
        lambda given: ConstantInputWeighting(given.tasks),
    ),
    "sign-switch": Method(
        "control",
        "The unit's upper bound to the largest loss at once, without any network.",
        SignSwitchWeighting,
        lambda given: SignSwitchWeighting(given.tasks),
    ),
    "entropy": Method(
        "control",
        "The minimum of the unit's loss with an entropy term: a softmax of -1/L.",
        EntropyWeighting,
        lambda given: EntropyWeighting(given.tasks),
    ),
    "favour-first": Method(
        "control",
        "Fixed weights at the unit's bounds: the first task at the upper one.",
        FixedWeighting,
        lambda given: FixedWeighting.favouring(given.tasks[0], given.tasks),
    ),
    "favour-last": Method(
        "control",
        "Fixed weights at the unit's bounds: the last task at the upper one.",
        FixedWeighting,
        lambda given: FixedWeighting.favouring(given.tasks[-1], given.tasks),
    ),
    "equal": Method("loss-based", "The mean of the losses.", EqualWeighting, lambda given: EqualWeighting(given.tasks)),
    "fixed": Method(
        "loss-based",
        "Weights given by hand.",
        FixedWeighting,
        lambda given: FixedWeighting({task: given.weights[task] for task in given.tasks}),
        needs_weights=True,
    ),
    "random": Method(
        "loss-based", "New random weights at every step.", RandomWeighting, lambda given: RandomWeighting(given.tasks)
    ),
    "uncertainty": Method(
        "loss-based",
        "Weights are learned precisions, with a term that keeps them from 0.",
        UncertaintyWeighting,
        lambda given: UncertaintyWeighting(given.tasks),
    ),
    "uw-so": Method(
        "loss-based",
        "The closed form of learned precisions as a softmax of 1/L: the smallest loss gets the most weight.",
        UWSOWeighting,
        lambda given: UWSOWeighting(given.tasks),
    ),
    "imtl-l": Method(
        "loss-based",
        "Learned weights that bring every weighted loss to 1.",
        IMTLLWeighting,
        lambda given: IMTLLWeighting(given.tasks),
    ),
    "dwa": Method(
        "loss-based",
        "The slower a loss fell over the last two epochs, the more weight.",
        DynamicWeightAverage,
        lambda given: DynamicWeightAverage(given.tasks),
    ),
    "famo": Method(
        "loss-based",
        "Weights that make all losses fall at one rate, learned from a second forward pass.",
        FAMO,
        lambda given: FAMO(given.tasks),
    ),
    "geometric-mean": Method(
        "loss-based",
        "The geometric mean of the losses.",
        GeometricMeanWeighting,
        lambda given: GeometricMeanWeighting(given.tasks),
    ),
    "logarithm": Method(
        "loss-based",
        "The mean of the logarithms of the losses: the loss half of DB-MTL.",
        LogarithmWeighting,
        lambda given: LogarithmWeighting(given.tasks),
    ),
    "prioritization": Method(
        "loss-based",
        "Dynamic task prioritisation: a focal term of each task's performance.",
        DynamicTaskPrioritization,
        lambda given: DynamicTaskPrioritization(given.tasks),
    ),
    "cov": Method(
        "loss-based",
        "The more a loss varied against its mean, the more weight.",
        CoVWeighting,
        lambda given: CoVWeighting(given.tasks),
    ),
    "stch": _scalarizer("stch", "STCH: a smooth maximum of the losses."),
    "cosmos": _scalarizer("cosmos", "COSMOS: the mean of the losses, and a penalty on losses far from equal."),
    "pbi": _scalarizer("pbi", "PBI: the losses along the diagonal, and a penalty on their distance to it."),
    "gradnorm": Method(
        "gradient norms",
        "Learned weights that bring the tasks' gradients to one norm, more for tasks that are behind.",
        GradNorm,
        lambda given: GradNorm(given.tasks, given.shared_parameters),
    ),
    "autoscale": Method(
        "gradient norms",
        "Fixed weights that bring the tasks' gradients to one norm, found in the first steps.",
        AutoScaleWeighting,
        lambda given: AutoScaleWeighting(given.tasks, given.shared_parameters),
    ),
    "db-mtl": Method(
        "per-gradient",
        "DB-MTL: logarithms of the losses, and averaged gradients brought to the largest norm.",
        DBMTL,
        lambda given: DBMTL(given.tasks),
    ),
    "mgda": _per_gradient("mgda", "MGDA: the shortest convex combination of the gradients."),
    "pcgrad": _per_gradient("pcgrad", "PCGrad: what conflicts is projected out of each gradient, in random order."),
    "cagrad": _per_gradient("cagrad", "CAGrad: the best worst task within a ball around the mean gradient."),
    "nash-mtl": _per_gradient("nash-mtl", "Nash-MTL: the solution of a bargain between the tasks."),
    "imtl-g": _per_gradient("imtl-g", "IMTL-G: a sum with equal projections onto all gradients."),
    "aligned-mtl": _per_gradient("aligned-mtl", "Aligned-MTL: principal components of the gradients at one scale."),
    "graddrop": _per_gradient("graddrop", "GradDrop: one sign is kept at random in each coordinate."),
    "upgrad": _per_gradient("upgrad", "UPGrad: each gradient is projected onto the cone that conflicts with none."),
    "config": _per_gradient("config", "ConFIG: the direction with equal positive share of all gradients."),
    "gradvac": _per_gradient(
        "gradvac", "GradVac: gradients are turned until they conflict no more than they did on average."
    ),
    "fairgrad": _per_gradient("fairgrad", "FairGrad: a fair share of the progress for each task."),
    "excess-mtl": _per_gradient("excess-mtl", "ExcessMTL: the further a task is from its best loss, the more weight."),
    "dualproj": _per_gradient(
        "dualproj", "DualProj: the mean gradient is projected onto the cone that conflicts with none."
    ),
    "pcd": _per_gradient("pcd", "PCD: the first task's gradient, as far as the others still progress."),
    "cr-mogm": _per_gradient("cr-mogm", "CR-MOGM: the weights of MGDA, averaged over the steps."),
}
"""Every method that ``build_weighting`` knows, by name."""

METHODS: tuple[str, ...] = tuple(REGISTRY)
"""Every name that ``build_weighting`` knows."""
