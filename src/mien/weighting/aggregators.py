"""Aggregators and scalarizers of torchjd by name, with the defaults that the registry uses."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

import torch

from mien.errors import WeightingError

if TYPE_CHECKING:
    from torchjd.aggregation import Aggregator
    from torchjd.scalarization import Scalarizer

INSTALL = "Methods with one gradient per task need the library torchjd: pip install 'mien[gradients]'."

AggregatorName = Literal[
    "mgda",
    "pcgrad",
    "cagrad",
    "nash-mtl",
    "imtl-g",
    "aligned-mtl",
    "graddrop",
    "upgrad",
    "config",
    "gradvac",
    "fairgrad",
    "excess-mtl",
    "dualproj",
    "pcd",
    "cr-mogm",
]

ScalarizerName = Literal["stch", "cosmos", "pbi"]

CAGRAD_C = 0.4
"""Radius of CAGrad, which torchjd leaves open; the CAGrad paper's for NYUv2 and Cityscapes."""

FAIRGRAD_ALPHA = 1.0
"""Kind of fairness of FairGrad, which torchjd leaves open; LibMTL's default, proportional fairness."""

STCH_MU = 1.0
"""Smoothness of STCH, which torchjd leaves open; LibMTL's default."""

COSMOS_LAMBDA = 2.0
"""Penalty of COSMOS, which torchjd leaves open; our own choice within the range that its paper tries."""

PBI_THETA = 5.0
"""Penalty of PBI, which torchjd leaves open; that of the paper's experiments."""


def build_aggregator(name: AggregatorName, tasks: int) -> Aggregator:
    """Make an aggregator with torchjd's default settings.

    Args:
        name: the method's name in the registry.
        tasks: number of tasks, which Nash-MTL must know.

    Raises:
        WeightingError: torchjd, or a solver that the method needs, is missing.
    """
    try:
        from torchjd import aggregation
    except ImportError as error:
        raise WeightingError(INSTALL) from error
    makers: dict[AggregatorName, Callable[[], Aggregator]] = {
        "mgda": lambda: aggregation.MGDA(),
        "pcgrad": lambda: aggregation.PCGrad(),
        "cagrad": lambda: aggregation.CAGrad(c=CAGRAD_C),
        "nash-mtl": lambda: aggregation.NashMTL(n_tasks=tasks),
        "imtl-g": lambda: aggregation.IMTLG(),
        "aligned-mtl": lambda: aggregation.AlignedMTL(),
        "graddrop": lambda: aggregation.GradDrop(),
        "upgrad": lambda: aggregation.UPGrad(),
        "config": lambda: aggregation.ConFIG(),
        "gradvac": lambda: aggregation.GradVac(),
        "fairgrad": lambda: aggregation.FairGrad(alpha=FAIRGRAD_ALPHA),
        "excess-mtl": lambda: aggregation.ExcessMTL(),
        "dualproj": lambda: aggregation.DualProj(),
        "pcd": lambda: aggregation.PCD(),
        "cr-mogm": lambda: aggregation.GramianWeightedAggregator(
            aggregation.CRMOGMWeighting(aggregation.MGDAWeighting())
        ),
    }
    try:
        return makers[name]()
    except ImportError as error:
        raise WeightingError(f"{name} needs a solver that is not installed: pip install 'mien[gradients]'.") from error


def build_scalarizer(name: ScalarizerName, tasks: int) -> Scalarizer:
    """Make a scalarizer that prefers no task.

    Raises:
        WeightingError: torchjd is missing.
    """
    try:
        from torchjd import scalarization
    except ImportError as error:
        raise WeightingError(INSTALL) from error
    makers: dict[ScalarizerName, Callable[[], Scalarizer]] = {
        "stch": lambda: scalarization.STCH(mu=STCH_MU, weights=torch.full((tasks,), 1 / tasks)),
        "cosmos": lambda: scalarization.COSMOS(lambda_=COSMOS_LAMBDA, weights=torch.full((tasks,), 1 / tasks)),
        "pbi": lambda: scalarization.PBI(theta=PBI_THETA, weights=torch.ones(tasks)),
    }
    return makers[name]()
