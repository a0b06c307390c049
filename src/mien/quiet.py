"""ONNX Runtime without its reports: from 1.29 on its builds tell their maker of sessions and models; mien is offline.

Everything here imports it from this module, since only what is set before it is loaded keeps it from all of that. An
application that loads it before mien, or sets the variable to something else, has decided for itself.
"""

from __future__ import annotations

import os
from typing import Any

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import onnxruntime

__all__ = ["load_quantization", "onnxruntime"]


def load_quantization() -> Any:
    """ONNX Runtime's tools for quantisation, ``onnxruntime.quantization``; they need the extra ``train``."""
    from onnxruntime import quantization
    from onnxruntime.quantization import shape_inference  # noqa: F401  a module of it that is used by its name

    return quantization
