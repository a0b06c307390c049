"""`mien info`: the installation and the model."""

from __future__ import annotations

import json
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Any

from rich.table import Table
from rich.text import Text

import mien
from mien.cli.console import stdout_console
from mien.cli.exits import ExitCode
from mien.cli.options import JsonOption, ModelOption
from mien.runtime import Model


def info(model: ModelOption = None, as_json: JsonOption = False) -> ExitCode:
    """Describe the installation and the model: contract, provenance, terms, runtime.

    --json prints one object: version, model (path and the fields of its contract), runtime (versions, and providers
    available and used), heic (whether HEIC photos can be read).
    """
    record = _record(Model(model))
    if as_json:
        sys.stdout.write(json.dumps(record, indent=2) + "\n")
    else:
        _print(record)
    return ExitCode.DONE


def _record(model: Model) -> dict[str, Any]:
    from mien.quiet import onnxruntime

    return {
        "version": mien.__version__,
        "model": {"path": str(model.path), **json.loads(model.contract.to_json())},
        "runtime": {
            "python": platform.python_version(),
            **{name: _version(name) for name in ("onnxruntime", "numpy", "pillow")},
            "providers_available": onnxruntime.get_available_providers(),
            "providers_used": list(model.providers),
        },
        "heic": find_spec("pillow_heif") is not None,
    }


def _print(record: dict[str, Any]) -> None:
    contract, runtime = record["model"], record["runtime"]
    threshold = contract["threshold"]
    rows = {
        "mien": record["version"],
        "model": f"{contract['model_id']} ({contract['path']})",
        "crops": f"{contract['crop_size']} x {contract['crop_size']} RGB, aligned by five landmarks",
        "identity": f"{contract['embedding_size']} numbers, {contract['metric']} distance"
        if contract["embedding_size"]
        else "none",
        "threshold": f"{threshold['distance']:g} at FAR {threshold['far']:g}; {threshold['chosen_on']}"
        if threshold
        else "none",
        "expressions": ", ".join(contract["expressions"]) or "none",
        "provenance": contract["provenance"],
        "terms": contract["terms"],
        "runtime": f"ONNX Runtime {runtime['onnxruntime']} on {', '.join(runtime['providers_used'])}",
        "others": f"Python {runtime['python']}, numpy {runtime['numpy']}, Pillow {runtime['pillow']}",
        "HEIC photos": "yes" if record["heic"] else "no; pip install 'mien[heic]'",
    }
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows.items():
        table.add_row(Text(name, style="bold"), value)
    stdout_console().print(table)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:  # another build of it, such as onnxruntime-gpu
        return str(__import__(package).__version__)
