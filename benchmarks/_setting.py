"""Where and with what something was measured."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("mien", "onnxruntime", "numpy", "pillow", "dlib-bin", "torch")
EXAMPLES = Path(__file__).parent.parent / "examples"


def require(*modules: str) -> None:
    """End with one sentence when a module of the development environment is missing."""
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    if missing:
        sys.exit(f'{", ".join(missing)} cannot be imported; install the development extra: pip install -e ".[dev]"')


def usable_cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def limited_to(threads: int) -> Iterator[None]:
    """Keep this process, whatever pools of threads its libraries have, on so many cores, where the system can do that.

    Sessions of ONNX Runtime get the number of threads as well.
    """
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(before)[:threads])
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def describe(model: str | None) -> dict[str, str]:
    """The machine, the versions of what was run, and the model.

    Raises:
        ModelError: the model cannot be loaded.
    """
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        **{name: _version(name) for name in PACKAGES},
        **_load(),
        "model": _model(model),
    }


def _processor() -> str:
    table = Path("/proc/cpuinfo")
    if table.is_file():
        for line in table.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _model(source: str | None) -> str:
    """A model's id, and what tells its file from others."""
    from mien.runtime import Model  # not above: a missing package is to end in a sentence first

    model = Model(source)
    digest = hashlib.sha256(model.path.read_bytes()).hexdigest()[:12]
    return f"{model.contract.model_id} (SHA-256 {digest})"


def _load() -> dict[str, str]:
    """How busy the machine was at the start: figures from a busy one say less."""
    return {"load at the start": f"{os.getloadavg()[0]:.1f}"} if hasattr(os, "getloadavg") else {}
