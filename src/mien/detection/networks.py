"""The three shipped networks of the detector as functions from pixels to arrays."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.errors import ModelError
from mien.quiet import onnxruntime

BATCH = 64
"""Most images in one call: bounds the memory of the intermediate layers."""


class Network:
    """A network of `mien.pretrained`, from ``uint8 (N, H, W, 3)`` images to its output arrays.

    Args:
        name: the file's name.
        threads: threads within an operation; None leaves it to ONNX Runtime.
        providers: execution providers; None means the CPU.

    Raises:
        ModelError: the file is missing or cannot be loaded.
    """

    def __init__(self, name: str, threads: int | None, providers: Sequence[str] | None) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or 0
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # Threads that wait by spinning steal the cores from each other: with another job on the machine, detection then
        # takes four times as long; without one, spinning gains little on networks this small.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            data = (resources.files("mien") / "pretrained" / name).read_bytes()
            self._session = onnxruntime.InferenceSession(
                data, options, providers=list(providers or ("CPUExecutionProvider",))
            )
        except Exception as error:
            raise ModelError(f"the detector's network {name} cannot be loaded ({error}); install mien again") from error

    def __call__(self, images: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        """Run the network in batches; all images have one size."""
        if len(images) <= BATCH:
            return self._run(images)
        parts = [self._run(images[start : start + BATCH]) for start in range(0, len(images), BATCH)]
        return [np.concatenate(outputs) for outputs in zip(*parts, strict=True)]

    def _run(self, images: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        outputs: list[Any] = self._session.run(None, {"images": images})
        return outputs
