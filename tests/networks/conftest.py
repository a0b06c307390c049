"""Backbones, and the oracle of one of them, made once."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from torch import nn

from mien.networks import Backbone, find_dlib_resnet, read_dlib_resnet


@pytest.fixture(scope="session")
def pretrained() -> Backbone:
    """dlib's face ResNet in evaluation mode; copy it before changing it."""
    return read_dlib_resnet(find_dlib_resnet()).eval()


@pytest.fixture(scope="session")
def facenet() -> nn.Module:
    """facenet-pytorch's network with random weights and statistics, in evaluation mode."""
    path = Path(__file__).with_name("inception_oracle.py")
    spec = importlib.util.spec_from_file_location("inception_oracle", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with pytest.MonkeyPatch.context() as patch:
        return module.load(patch)
