from __future__ import annotations

import subprocess
import sys

import pytest

import mien


def modules_after(statement):
    program = f"import sys; {statement}; print(*sorted(sys.modules))"
    return set(
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    )


def test_importing_mien_imports_nothing_heavy():
    assert not modules_after("import mien") & {"torch", "onnxruntime", "numpy", "PIL", "typer", "rich"}


def test_the_use_half_runs_without_torch_and_onnx():
    loaded = modules_after("import mien; m = mien.Mien(); m.analyze('examples/obama.jpg'); import mien.evaluation")
    assert "onnxruntime" in loaded
    assert not loaded & {"torch", "onnx", "pydantic", "yaml", "typer"}


def test_every_public_name_is_there():
    for name in mien.__all__:
        assert getattr(mien, name) is not None
    assert set(mien.__all__) <= set(dir(mien))
    with pytest.raises(AttributeError, match="no attribute 'Mine'"):
        _ = mien.Mine
