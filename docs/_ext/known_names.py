"""Decides which names that lead nowhere are mistakes.

A docstring may tell of a name that the reference does not list, as long as there is such a name. Names of other
projects are not looked up, so that a build needs no network.
"""

from __future__ import annotations

from importlib import import_module

from docutils import nodes
from sphinx.application import Sphinx

PACKAGE = "mien"


def exists(name: str) -> bool:
    """Whether a dotted name is a module of the package, or something inside one."""
    module, rest = name, ""
    while module:
        try:
            found = import_module(module)
        except ImportError:
            module, _, last = module.rpartition(".")
            rest = f"{last}.{rest}" if rest else last
        else:
            return _has(found, rest.split(".") if rest else [])
    return False


def _has(owner: object, path: list[str]) -> bool:
    if not path:
        return True
    first, *others = path
    if hasattr(owner, first):
        return _has(getattr(owner, first), others)
    return not others and first in getattr(owner, "__annotations__", {})  # a field without a default


def _is_known(app: Sphinx, domain: object, node: nodes.Element) -> bool | None:
    """True keeps Sphinx from warning; None lets it."""
    target = str(node.get("reftarget", ""))
    if node.get("refdomain") != "py":
        return None
    return True if target.split(".")[0] != PACKAGE or exists(target) else None


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("warn-missing-reference", _is_known)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
