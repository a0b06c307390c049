"""The table of backbones: how each is built, and where its weights come from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from torch import nn

from mien.errors import ModelError
from mien.networks.arcface_weights import read_arcface
from mien.networks.backbone import Backbone, GlobalAverage
from mien.networks.dlib_weights import find_dlib_resnet, read_dlib_resnet
from mien.networks.downloads import FACENET, find_facenet
from mien.networks.facenet_weights import read_facenet, read_facenet_reduced
from mien.networks.heads import hidden_head, linear_head
from mien.networks.inception_resnet_v1 import inception_resnet_v1, inception_resnet_v1_reduced
from mien.networks.iresnet import DEPTHS, iresnet
from mien.networks.resnet29 import resnet29
from mien.networks.sface import sface
from mien.networks.sface_weights import find_sface, read_sface

RANDOM = "random"
"""In place of weights: start from random ones."""


@dataclass(frozen=True, slots=True)
class BackboneKind:
    """A backbone.

    Attributes:
        build: makes it with random weights.
        read: makes it with the weights of a file.
        published: finds the file of published weights, by their name; downloads nothing.
        expression_head: makes the last layers of its expression branch from the pooled size, the number of classes and
            the dropout.
        expression_pool: makes the pooling of its expression branch; None for the backbone's own.
    """

    build: Callable[[], Backbone]
    read: Callable[[Path], Backbone]
    published: Mapping[str, Callable[[], Path]] = field(default_factory=dict)
    expression_head: Callable[[int, int, float], nn.Module] = linear_head
    expression_pool: Callable[[], nn.Module] | None = None


_FACENET_FILES = {name: partial(find_facenet, name) for name in FACENET}

BACKBONES: Mapping[str, BackboneKind] = {
    "resnet29": BackboneKind(resnet29, read_dlib_resnet, {"dlib": find_dlib_resnet}),
    "inception_resnet_v1": BackboneKind(inception_resnet_v1, read_facenet, _FACENET_FILES),
    "inception_resnet_v1_reduced": BackboneKind(
        inception_resnet_v1_reduced, read_facenet_reduced, _FACENET_FILES, hidden_head
    ),
    **{
        f"iresnet{number}": BackboneKind(partial(iresnet, depth), partial(read_arcface, depth=depth))
        for number, depth in DEPTHS.items()
    },
    "sface": BackboneKind(sface, read_sface, {"opencv": find_sface}, expression_pool=GlobalAverage),
}
"""All backbones by name."""


def load_backbone(name: str, weights: str) -> Backbone:
    """Build a backbone with weights.

    Args:
        name: a key of `BACKBONES`.
        weights: the name of published ones, the path of a file, or `RANDOM`.

    Raises:
        ModelError: there is no such backbone, or its weights are not there or of another network.
    """
    if name not in BACKBONES:
        raise ModelError(f"backbone {name} is unknown; choose one of: {', '.join(BACKBONES)}")
    kind = BACKBONES[name]
    if weights == RANDOM:
        return kind.build()
    if weights in kind.published:
        return kind.read(kind.published[weights]())
    if not Path(weights).is_file():
        known = ", ".join([*kind.published, RANDOM])
        raise ModelError(f"backbone {name} has no weights {weights}; give the path of a file, or one of: {known}")
    return kind.read(Path(weights))


def expression_layers(
    name: str, backbone: Backbone, stages: Sequence[int], classes: int, dropout: float
) -> tuple[nn.Module, nn.Module]:
    """Make the pooling and the last layers of an expression branch.

    Args:
        name: the backbone's key in `BACKBONES`.
        backbone: the backbone itself.
        stages: numbers of the branch's stages.
        classes: number of expressions.
        dropout: probability of dropping a pooled feature.

    Raises:
        ValueError: a stage does not exist, or none of them has a convolution.
    """
    kind = BACKBONES[name]
    if kind.expression_pool is None:
        return backbone.pool, kind.expression_head(backbone.pooled_size, classes, dropout)
    known = range(len(backbone.stages))
    if not set(stages) <= set(known):
        raise ValueError(f"the expression branch needs stages from {known[0]} to {known[-1]}, not {list(stages)}")
    last = [
        module for number in stages for module in backbone.stages[number].modules() if isinstance(module, nn.Conv2d)
    ]
    if not last:
        raise ValueError(f"an expression branch of the stages {list(stages)} has no convolution")
    return kind.expression_pool(), kind.expression_head(last[-1].out_channels, classes, dropout)
