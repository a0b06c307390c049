"""Reader of ArcFace's state dicts (``backbone.pth``, ``model.pt``) of the iresnet networks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from mien.networks.backbone import Backbone
from mien.networks.iresnet import iresnet
from mien.networks.state_dicts import fill

_NOTHING = re.compile(r"(?!)")


def read_arcface(path: Path, depth: Sequence[int]) -> Backbone:
    """Build `iresnet` with the weights of a file.

    Args:
        path: the file.
        depth: blocks of each group, see `mien.networks.iresnet.DEPTHS`.

    Raises:
        ModelError: the file cannot be read, or is of another network.
    """
    backbone = iresnet(depth)
    prefixes = ["", *(f"layer{group}.{i}." for group, count in enumerate(depth, 1) for i in range(count))]

    def rename(name: str) -> str:
        part, _, rest = name.partition(".")
        if part == "embedding":
            return rest
        number, _, rest = rest.partition(".")
        if rest.startswith("bn2.") and int(number) == len(prefixes) - 1:  # the network's, behind its last block
            return rest
        return prefixes[int(number)] + rest.removeprefix("block.")

    fill(backbone, path, rename, _NOTHING)
    return backbone
