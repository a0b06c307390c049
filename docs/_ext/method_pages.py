"""A page for each weighting method, written from the registry before the documentation is built."""

from __future__ import annotations

from pathlib import Path

from sphinx.application import Sphinx

from mien.weighting import REGISTRY, Method, ScalarizerWeighting
from mien.weighting.registry import Request

FOLDER = Path("weighting", "methods")

_FAMILIES = {
    "unit": "The weight unit and its kin",
    "control": "Controls: what the unit is judged by",
    "loss-based": "Of the losses alone",
    "gradient norms": "Of the gradients' norms",
    "per-gradient": "Of one gradient for each task",
}

_STEP = """\
import torch
from torch import nn

from mien.weighting import build_weighting, parameter_groups

inputs, tasks = torch.randn(32, 10), ["identity", "expression"]
trunk = nn.Sequential(nn.Linear(10, 16), nn.Tanh())
heads = nn.ModuleDict({{task: nn.Linear(16, 1) for task in tasks}})
network = nn.ModuleList([trunk, heads])


def forward():
    shared = trunk(inputs)
    return {{task: (heads[task](shared) - 1).square().mean() for task in tasks}}, shared


weighting = build_weighting({arguments})
optimizer = torch.optim.AdamW(parameter_groups(network, weighting, lr=1e-3))

losses, shared = forward()
optimizer.zero_grad()
weighting.backward(losses, features=shared)
optimizer.step()
{after}print(weighting.weights)
"""


def write_pages(folder: Path) -> list[str]:
    """Write the pages and their index into a folder, and remove those of methods that are gone; return their names."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = {name: page(name, method) for name, method in REGISTRY.items()} | {"index": index()}
    for path in folder.glob("*.md"):
        if path.stem not in texts:
            path.unlink()
    for name, text in texts.items():
        path = folder / f"{name}.md"
        if not path.exists() or path.read_text(encoding="utf-8") != text:  # an untouched page is not built again
            path.write_text(text, encoding="utf-8")
    return list(texts)


def page(name: str, method: Method) -> str:
    """The page of a method."""
    if method.aggregator is not None:
        body = ["## What it does", _adapted(method)]
    else:
        body = ["## Formula, arguments and defaults", _class(name, method)]
    step = _STEP.format(**_step(name, method))
    return "\n\n".join([f"# {name}", method.summary, _needs(method), *body, "## A whole step", _block(step)]) + "\n"


def index() -> str:
    """The page that lists them."""
    parts = ["# Methods", _INTRODUCTION]
    for family, title in _FAMILIES.items():
        members = {name: method for name, method in REGISTRY.items() if method.family == family}
        rows = [f"| [{name}]({name}.md) | {method.summary} |" for name, method in members.items()]
        parts += [f"## {title}", "\n".join(["| method | what it is |", "| --- | --- |", *rows])]
    entries = "\n".join(REGISTRY)
    return "\n\n".join([*parts, f"```{{toctree}}\n:hidden:\n\n{entries}\n```"]) + "\n"


_INTRODUCTION = (
    "Every method keeps the same [contract](../../reference/weighting.md): one line makes it, one line takes the step. "
    'The names are those of `build_weighting` and of `mien compare --methods`. "Choosing" tells '
    "[which one to try](../choosing.md)."
)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("builder-inited", _write_all)
    app.connect("autodoc-skip-member", _skip_methods)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _write_all(app: Sphinx) -> None:
    write_pages(Path(app.srcdir) / FOLDER)


def _skip_methods(app: Sphinx, what: str, name: str, item: object, skip: bool, options: object) -> bool | None:
    """Leave out of the reference what has a page of its own; None is no opinion."""
    own = [method.kind for method in REGISTRY.values() if method.aggregator is None]
    return True if item in own else None


def _needs(method: Method) -> str:
    needs = "nothing but the losses" if not method.needs else ", ".join(method.needs)
    family = _FAMILIES[method.family]
    return f"Family: {family[0].lower()}{family[1:]}. It needs {needs}."


def _step(name: str, method: Method) -> dict[str, str]:
    arguments = [f'"{name}"', "tasks", "features=16"]
    if method.needs_weights:
        arguments.append('weights={"identity": 0.8, "expression": 0.2}')
    if method.kind.needs_shared_parameters:
        arguments.append("shared_parameters=[trunk[0].weight]")
    after = ""
    if method.kind.needs_losses_after_step:
        after += "with torch.no_grad():\n    weighting.after_step(forward()[0])  # a second forward pass\n"
    if method.kind.needs_epoch_ends:
        after += "weighting.end_epoch()  # after each epoch\n"
    return {"arguments": ", ".join(arguments), "after": after}


def _block(code: str) -> str:
    return f"```python\n{code}```"


def _class(name: str, method: Method) -> str:
    """Its class; one that several methods share is listed in the index of names once, on the page of the first."""
    first = next(other for other, entry in REGISTRY.items() if entry.kind is method.kind)
    again = "" if first == name else "   :no-index:\n"
    return f"```{{eval-rst}}\n.. autoclass:: mien.weighting.{method.kind.__name__}\n   :show-inheritance:\n{again}```"


def _adapted(method: Method) -> str:
    made = method.make(Request(["identity", "expression"], 16, {}, ()))
    limits = "" if isinstance(made, ScalarizerWeighting) else " Distributed runs are refused."
    what = made.scalarizer if isinstance(made, ScalarizerWeighting) else getattr(made, "aggregator", None)
    behind = method.kind.__name__
    return (
        f"For two tasks this is torchjd's `{what!r}`, behind {{py:class}}`mien.weighting.{behind}`, where shapes, "
        "limits and what is written to the gradients are told. The formula and its defaults are "
        "[torchjd's](https://torchjd.org). With other settings, make it yourself and give it to "
        f"`{behind}`.{limits}"
    )
