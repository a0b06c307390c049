"""`mien info`: the installation and the model."""

from __future__ import annotations

import json
import platform
import sys
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Any

from rich.table import Table
from rich.text import Text

import mien
from mien.cli.console import stdout_console
from mien.cli.exits import ExitCode
from mien.cli.options import JsonOption, ModelOption
from mien.contract import Contract
from mien.outputs import EXPRESSION, IDENTITY
from mien.runtime import Model


def info(model: ModelOption = None, as_json: JsonOption = False) -> ExitCode:
    """Describe the installation and the model: contract, provenance, terms, runtime.

    --json prints one object: version, model (path and the fields of its contract; in short also embedding_size,
    expressions and threshold, the default one), runtime (versions, and providers available and used), heic (whether
    HEIC photos can be read).
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
        "model": {"path": str(model.path), **_contract_record(model.contract)},
        "runtime": {
            "python": platform.python_version(),
            **{name: _version(name) for name in ("onnxruntime", "numpy", "pillow")},
            "providers_available": onnxruntime.get_available_providers(),
            "providers_used": list(model.providers),
        },
        "heic": find_spec("pillow_heif") is not None,
    }


def _contract_record(contract: Contract) -> dict[str, Any]:
    """The contract as it is in the file, with the three fields that say the most of it in short."""
    default = contract.threshold
    return {
        **contract.to_record(),
        "embedding_size": contract.embedding_size,
        "expressions": list(contract.expressions),
        "threshold": None if default is None else asdict(default),
    }


def _print(record: dict[str, Any]) -> None:
    contract, runtime = record["model"], record["runtime"]
    rows = {
        "mien": record["version"],
        "model": f"{contract['model_id']} ({contract['path']})",
        "crops": f"{contract['crop_size']} x {contract['crop_size']} RGB, aligned by five landmarks",
        "identity": f"{contract['embedding_size']} numbers, {contract['metric']} distance"
        if contract["embedding_size"]
        else "none",
        "thresholds": "\n".join(_threshold_lines(contract)) or "none",
        "expressions": ", ".join(contract["expressions"]) or "none",
        **_other_outputs(contract),
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


def _threshold_lines(contract: dict[str, Any]) -> list[str]:
    table = contract["thresholds"]
    return [_threshold_line(row, table["default_far"]) for row in table["rows"]] if table else []


def _threshold_line(row: dict[str, Any], default_far: float) -> str:
    line = f"{row['distance']:g} at FAR {row['far']:g}"
    if row["far_interval"] is not None:
        low, high = row["far_interval"]
        line += f" (95 % {low:.2g} to {high:.2g})"
    return f"{line}{', the default' if row['far'] == default_far else ''}; {row['chosen_on']}"


def _other_outputs(contract: dict[str, Any]) -> dict[str, str]:
    """A row per output beside identity and expression."""
    own = [output for output in contract["outputs"] if output["name"] not in (IDENTITY, EXPRESSION)]
    return {output["name"]: _described(output) for output in own}


def _described(output: dict[str, Any]) -> str:
    if output["kind"] == "scalar":
        low, high = output["range"]
        return " ".join(filter(None, (f"a number from {low:g} to {high:g}", output["unit"])))
    return ", ".join(output["classes"]) if output["kind"] == "probabilities" else f"{output['width']} numbers"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:  # another build of it, such as onnxruntime-gpu
        return str(__import__(package).__version__)
