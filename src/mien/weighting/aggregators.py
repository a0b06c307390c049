"""Aggregators of torchjd by name, with the defaults that the registry uses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, assert_never

from mien.errors import WeightingError

if TYPE_CHECKING:
    from torchjd.aggregation import Aggregator

INSTALL = "Methods with one gradient per task need the library torchjd: pip install 'mien[gradients]'."

AggregatorName = Literal[
    "mgda", "pcgrad", "cagrad", "nash-mtl", "imtl-g", "aligned-mtl", "graddrop", "upgrad", "config"
]

CAGRAD_C = 0.4
"""Radius of CAGrad, which torchjd leaves open; the CAGrad paper's for NYUv2 and Cityscapes."""


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
    try:
        match name:
            case "mgda":
                return aggregation.MGDA()
            case "pcgrad":
                return aggregation.PCGrad()
            case "cagrad":
                return aggregation.CAGrad(c=CAGRAD_C)
            case "nash-mtl":
                return aggregation.NashMTL(n_tasks=tasks)
            case "imtl-g":
                return aggregation.IMTLG()
            case "aligned-mtl":
                return aggregation.AlignedMTL()
            case "graddrop":
                return aggregation.GradDrop()
            case "upgrad":
                return aggregation.UPGrad()
            case "config":
                return aggregation.ConFIG()
            case _:
                assert_never(name)
    except ImportError as error:
        raise WeightingError(f"{name} needs a solver that is not installed: pip install 'mien[gradients]'.") from error
