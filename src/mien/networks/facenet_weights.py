"""Reader of facenet-pytorch's state dicts of Inception-ResNet-v1."""

from __future__ import annotations

import re
from pathlib import Path

from mien.networks.backbone import Backbone
from mien.networks.inception_resnet_v1 import (
    FULL,
    REDUCED,
    Blocks,
    inception_resnet_v1,
    inception_resnet_v1_reduced,
)
from mien.networks.state_dicts import fill

_CLASSIFIER = re.compile(r"logits\.")
_NOT_IN_REDUCED = re.compile(r"logits\.|last_linear\.|last_bn\.|repeat_\d\.[1-9]")


def read_facenet(path: Path) -> Backbone:
    """Build `inception_resnet_v1` with the weights of a file, for example of the published VGGFace2 one.

    Raises:
        ModelError: the file cannot be read, or is of another network.
    """
    backbone = inception_resnet_v1()
    fill(backbone, path, _Names(FULL), _CLASSIFIER)
    return backbone


def read_facenet_reduced(path: Path) -> Backbone:
    """Build `inception_resnet_v1_reduced` and fill it with the first block of each kind from a file.

    From a file of the full network this is a start for training and no more: the blocks that are kept were trained
    with others between them, on pixels that were normalised in another way.

    Raises:
        ModelError: the file cannot be read, or is of another network.
    """
    backbone = inception_resnet_v1_reduced()
    fill(backbone, path, _Names(REDUCED), _NOT_IN_REDUCED)
    return backbone


class _Names:
    """From a backbone's name of a tensor to facenet-pytorch's."""

    def __init__(self, blocks: Blocks) -> None:
        self._stages = ["", *(f"repeat_1.{i}." for i in range(blocks.block35)), "mixed_6a."]
        self._stages += [*(f"repeat_2.{i}." for i in range(blocks.block17)), "mixed_7a."]
        self._stages += [*(f"repeat_3.{i}." for i in range(blocks.block8)), "block8."]

    def __call__(self, name: str) -> str:
        part, _, rest = name.partition(".")
        if part == "stages":
            number, _, rest = rest.partition(".")
            rest = self._stages[int(number)] + rest
        return re.sub(r"branches\.(\d)", r"branch\1", rest)
