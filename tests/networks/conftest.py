"""The pretrained backbone, read once."""

from __future__ import annotations

import pytest

from mien.networks import Backbone, find_dlib_resnet, read_dlib_resnet


@pytest.fixture(scope="session")
def pretrained() -> Backbone:
    """dlib's face ResNet in evaluation mode; copy it before changing it."""
    return read_dlib_resnet(find_dlib_resnet()).eval()
