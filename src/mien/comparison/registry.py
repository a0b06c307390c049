"""Experiments by name, or from a user's file."""

from __future__ import annotations

import difflib
import importlib.util
import inspect
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_type_hints

from pydantic import TypeAdapter, ValidationError

from mien.comparison.experiment import Experiment
from mien.comparison.experiments.faces import FacesExperiment
from mien.comparison.experiments.toy import Toy
from mien.comparison.experiments.two_digits import TwoDigits
from mien.comparison.experiments.unlike_tasks import UnlikeTasks
from mien.errors import RecipeError

EXPERIMENTS: dict[str, type[Experiment]] = {kind.name: kind for kind in (TwoDigits, UnlikeTasks, FacesExperiment, Toy)}
"""The experiments that come with mien, by name."""


def load_experiment(name: str, settings: Mapping[str, object]) -> Experiment:
    """Make an experiment by its name, or from a Python file that defines one.

    Args:
        name: a name from `EXPERIMENTS`, or the path of a ``.py`` file. The file is run, and may import its neighbours.
        settings: values for its fields.

    Raises:
        RecipeError: there is none, a module that the file imports is missing, or a setting is unknown or of the wrong
            kind.
    """
    kind = _from_file(Path(name)) if name.endswith(".py") else EXPERIMENTS.get(name)
    if kind is None:
        raise RecipeError(
            f"there is no experiment {name}; give a Python file that defines one, or one of: {', '.join(EXPERIMENTS)}"
        )
    known = list(inspect.signature(kind).parameters)
    for key in settings:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known are: {', '.join(known)}"
            raise RecipeError(f"experiment {kind.name} has no setting {key}; {hint}")
    checked: dict[str, Any] = {key: _checked(kind, key, value) for key, value in settings.items()}
    return kind(**checked)


def _checked(kind: type[Experiment], key: str, value: object) -> object:
    try:
        return TypeAdapter(get_type_hints(kind, include_extras=True)[key]).validate_python(value)
    except ValidationError as error:
        reason = error.errors()[0]["msg"]
        raise RecipeError(f"setting {key} of experiment {kind.name} cannot be {value!r}: {reason}") from error


def _from_file(path: Path) -> type[Experiment]:
    specification = importlib.util.spec_from_file_location(path.stem, path)
    if not path.is_file() or specification is None or specification.loader is None:
        raise RecipeError(f"there is no file {path} that could define an experiment")
    module = importlib.util.module_from_spec(specification)
    sys.modules[path.stem] = module  # dataclasses look their module up
    folder = str(path.resolve().parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)  # as when Python runs a file; it stays, as the experiment may import later
    try:
        specification.loader.exec_module(module)
    except ImportError as error:
        raise RecipeError(f"{path} cannot be run: {error}") from error
    found = [
        value
        for value in vars(module).values()
        if inspect.isclass(value) and issubclass(value, Experiment) and value.__module__ == path.stem
    ]
    if len(found) != 1:
        raise RecipeError(f"{path} must define exactly one subclass of mien.comparison.Experiment, not {len(found)}")
    return found[0]
