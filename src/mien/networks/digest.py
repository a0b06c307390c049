"""Identify the weights of a network."""

from __future__ import annotations

import hashlib

from torch import nn


def weights_digest(module: nn.Module) -> str:
    """The SHA-256 of the names and values of a module's parameters and buffers, in hexadecimal digits."""
    content = hashlib.sha256()
    for name, tensor in module.state_dict().items():
        content.update(name.encode() + tensor.detach().cpu().contiguous().numpy().tobytes())
    return content.hexdigest()
