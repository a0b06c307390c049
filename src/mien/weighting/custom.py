"""Methods of a user's own, from a Python file: ``path/to/file.py:Class``."""

from __future__ import annotations

import importlib.util
import inspect
import sys
from pathlib import Path
from types import ModuleType

from mien.errors import WeightingError
from mien.weighting.contract import TaskWeighting
from mien.weighting.registry import METHODS, REGISTRY, Method, Request

_GIVEN = ("tasks", "features", "weights", "shared_parameters")
"""What a class may ask for by the names of its arguments; all others need defaults."""


def is_custom(method: str) -> bool:
    """Return whether a method's name is that of a class in a file.

    >>> is_custom("my_methods.py:Mine"), is_custom("dynamic")
    (True, False)
    """
    return ".py:" in method


def source_of(method: str) -> str:
    """Return the text of the file that a method comes from; empty for those of the registry.

    Raises:
        WeightingError: there is no such file.
    """
    return _file_of(method).read_text(encoding="utf-8") if is_custom(method) else ""


def find_method(method: str) -> Method:
    """Return a method of the registry, or make one of a class in a file.

    Args:
        method: one of ``METHODS``, or ``path/to/file.py:Class``. The file is run, and may import its neighbours. The
            class is a ``TaskWeighting``; of ``tasks``, ``features``, ``weights`` and ``shared_parameters`` it gets what
            its ``__init__`` has arguments for.

    Raises:
        WeightingError: there is no such method, file or class, or the class wants something else.
    """
    if not is_custom(method):
        if method not in REGISTRY:
            raise WeightingError(
                f"There is no weighting method {method!r}; the methods are {', '.join(METHODS)}, or give a class of "
                "your own as path/to/file.py:Class."
            )
        return REGISTRY[method]
    name = method.rpartition(":")[2]
    kind = getattr(_load(_file_of(method)), name, None)
    if not (inspect.isclass(kind) and issubclass(kind, TaskWeighting)):
        raise WeightingError(f"{method} names no subclass of mien.weighting.TaskWeighting.")
    arguments = inspect.signature(kind).parameters
    unknown = [key for key, value in arguments.items() if key not in _GIVEN and value.default is value.empty]
    if unknown:
        raise WeightingError(f"{method} wants {', '.join(unknown)}; only {', '.join(_GIVEN)} can be given.")
    wanted = [key for key in _GIVEN if key in arguments]

    def make(request: Request) -> TaskWeighting:
        made: TaskWeighting = kind(**{key: getattr(request, key) for key in wanted})
        return made

    summary = (inspect.getdoc(kind) or f"{name}.").splitlines()[0]
    return Method("own", summary, kind, make, needs_weights="weights" in wanted)


def _file_of(method: str) -> Path:
    path = Path(method.rpartition(":")[0])
    if not path.is_file():
        raise WeightingError(f"There is no file {path} that could hold the method {method!r}.")
    return path


def _load(path: Path) -> ModuleType:
    name = f"{path.stem}_{abs(hash(path.resolve()))}"
    if name in sys.modules:
        return sys.modules[name]
    specification = importlib.util.spec_from_file_location(name, path)
    if specification is None or specification.loader is None:
        raise WeightingError(f"{path} is no Python file.")
    module = importlib.util.module_from_spec(specification)
    sys.modules[name] = module  # so that a second method of the file is of the same classes
    folder = str(path.resolve().parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)  # as when Python runs a file
    try:
        specification.loader.exec_module(module)
    except Exception as error:  # whatever a user's file raises
        del sys.modules[name]
        raise WeightingError(f"{path} cannot be run: {type(error).__name__}: {error}") from error
    return module
