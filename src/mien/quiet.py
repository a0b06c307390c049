"""ONNX Runtime without its reports: from 1.29 on its builds tell their maker of sessions and models; mien is offline.

Everything here imports it from this module, since only what is set before it is loaded keeps it from all of that. An
application that loads it before mien, or sets the variable to something else, has decided for itself.
"""

from __future__ import annotations

import os

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import onnxruntime

__all__ = ["onnxruntime"]
