"""Two-task face networks: trunks, branches, weight readers, losses and the export to ONNX."""

from __future__ import annotations

from mien.networks.arcface_weights import read_arcface
from mien.networks.backbone import Backbone
from mien.networks.batch_norm import estimate_statistics, restore_batch_norm
from mien.networks.center_loss import CenterLoss
from mien.networks.digest import weights_digest
from mien.networks.dlib_weights import find_dlib_resnet, read_dlib_resnet
from mien.networks.downloads import fetch_facenet, find_facenet
from mien.networks.face_network import EXPRESSION, IDENTITY, Branch, FaceNetwork
from mien.networks.facenet_weights import read_facenet, read_facenet_reduced
from mien.networks.fast_prelu import split_prelus
from mien.networks.folding import fold_affines
from mien.networks.heads import hidden_head, linear_head
from mien.networks.inception_resnet_v1 import inception_resnet_v1, inception_resnet_v1_reduced
from mien.networks.iresnet import iresnet
from mien.networks.margin_losses import ArcFaceLoss, CosFaceLoss, MarginLoss
from mien.networks.onnx_export import export_onnx, restate
from mien.networks.quantization import QuantizationSettings, differences, quantize
from mien.networks.registry import BACKBONES, RANDOM, expression_layers, load_backbone
from mien.networks.resnet29 import resnet29
from mien.networks.sface import sface
from mien.networks.sface_weights import find_sface, read_sface

__all__ = [
    "BACKBONES",
    "EXPRESSION",
    "IDENTITY",
    "RANDOM",
    "ArcFaceLoss",
    "Backbone",
    "Branch",
    "CenterLoss",
    "CosFaceLoss",
    "FaceNetwork",
    "MarginLoss",
    "QuantizationSettings",
    "differences",
    "estimate_statistics",
    "export_onnx",
    "expression_layers",
    "fetch_facenet",
    "find_dlib_resnet",
    "find_facenet",
    "find_sface",
    "fold_affines",
    "hidden_head",
    "inception_resnet_v1",
    "inception_resnet_v1_reduced",
    "iresnet",
    "linear_head",
    "load_backbone",
    "quantize",
    "read_arcface",
    "read_dlib_resnet",
    "read_facenet",
    "read_facenet_reduced",
    "read_sface",
    "resnet29",
    "restate",
    "restore_batch_norm",
    "sface",
    "split_prelus",
    "weights_digest",
]
