"""A policy in a file: a JSON object with some or all fields of `Policy`."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

from mien.authentication.policy import Policy
from mien.errors import AuthenticationError
from mien.types import Expression


def read_policy_fields(path: Path) -> dict[str, Any]:
    """Read the fields that a file sets, each of its type and in its range; for `Policy.recommended`.

    Raises:
        AuthenticationError: the file cannot be read or is no policy.
    """
    try:
        record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        names = {field.name for field in fields(Policy)}
        if unknown := sorted(set(record) - names):
            raise AuthenticationError(
                f"{path} has the unknown field {unknown[0]}; known are {', '.join(sorted(names))}"
            )
        if "expressions" in record:
            record["expressions"] = tuple(Expression(name) for name in record["expressions"])
        try:
            Policy(**{"threshold": 0.0, "count": 1, **record})  # these may come from elsewhere
        except AuthenticationError as error:
            raise AuthenticationError(f"{path}: {error}") from error
    except (OSError, ValueError, TypeError) as error:
        raise AuthenticationError(f"{path} is no policy ({error}); give a JSON object with fields of Policy") from error
    return record
