"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, TypeAlias

import typer

from mien.errors import RecipeError

ModelOption: TypeAlias = Annotated[
    str | None, typer.Option("--model", help="A model file, or a shipped model's name.", metavar="FILE|NAME")
]
ThreadsOption: TypeAlias = Annotated[
    int | None, typer.Option("--threads", min=1, help="Threads within an operation; all cores by default.")
]
ProvidersOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--provider",
        metavar="NAME",
        help="What ONNX Runtime computes on, see mien info --json; several by falling preference. The CPU by default.",
    ),
]
MinFaceOption: TypeAlias = Annotated[
    float | None,
    typer.Option(
        "--min-face",
        min=12,
        help="Smallest face to look for, in pixels of the photo, at any size of photo; larger is faster. By default "
        "40; in photos above 12 megapixels more, 80 at 48.",
    ),
]
DetectOption: TypeAlias = Annotated[
    bool, typer.Option("--detect/--no-detect", help="--no-detect: each image is one face crop already.")
]
JsonOption: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def parse_settings(texts: Sequence[str]) -> dict[str, object]:
    """Map keys to values, read as YAML, from ``KEY=VALUE`` texts.

    Raises:
        RecipeError: a text has another form.
    """
    import yaml

    settings: dict[str, object] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not (key and equals):
            raise RecipeError(f"--set {text} is not of the form KEY=VALUE")
        try:
            settings[key] = yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise RecipeError(f"--set {text}: the value cannot be read ({error})") from error
    return settings
