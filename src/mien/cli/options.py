"""Options that several commands share."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import typer

ModelOption: TypeAlias = Annotated[
    str | None, typer.Option("--model", help="A model file, or a shipped model's name.", metavar="FILE|NAME")
]
ThreadsOption: TypeAlias = Annotated[
    int | None, typer.Option("--threads", min=1, help="Threads within an operation; all cores by default.")
]
MinFaceOption: TypeAlias = Annotated[
    float | None,
    typer.Option("--min-face", min=12, help="Smallest face to look for, in pixels of the photo. Larger is faster."),
]
JsonOption: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON.")]
