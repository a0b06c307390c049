"""Two-task face networks: trunks, branches, weight readers, losses and the export to ONNX."""

from __future__ import annotations

from mien.networks.backbone import Backbone
from mien.networks.batch_norm import restore_batch_norm
from mien.networks.center_loss import CenterLoss
from mien.networks.dlib_weights import find_dlib_resnet, read_dlib_resnet
from mien.networks.face_network import EXPRESSION, IDENTITY, Branch, FaceNetwork
from mien.networks.onnx_export import export_onnx
from mien.networks.resnet29 import resnet29

__all__ = [
    "EXPRESSION",
    "IDENTITY",
    "Backbone",
    "Branch",
    "CenterLoss",
    "FaceNetwork",
    "export_onnx",
    "find_dlib_resnet",
    "read_dlib_resnet",
    "resnet29",
    "restore_batch_norm",
]
