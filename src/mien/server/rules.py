"""The rules of challenges that the operator sets."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from mien.authentication import Policy
from mien.contract import Contract
from mien.errors import AuthenticationError
from mien.types import Expression


@dataclass(frozen=True, slots=True)
class Rules:
    """What the operator has set; a model that cannot be asked for expressions is served without challenges.

    Attributes:
        given: fields of `Policy`.
    """

    given: Mapping[str, Any] = field(default_factory=dict)

    @property
    def lockout(self) -> float:
        """For how long the operator locks out, in seconds; 0 for the default, which is short."""
        return float(self.given.get("lockout", 0))

    def policy(self, contract: Contract, threshold: float | None) -> Policy:
        """The rules of a new challenge; what the operator has not set is as `Policy.recommended` has it.

        Args:
            contract: the model's.
            threshold: the gallery's, which a calibration may have chosen; None where it has none. The operator's own
                comes before it.

        Raises:
            AuthenticationError: the model cannot answer what is asked, or there is no threshold.
        """
        chosen = {} if threshold is None else {"threshold": threshold}
        return Policy.recommended(contract, **{**chosen, **self.given})


def read_rules(path: Path | None, contract: Contract) -> Rules:
    """Read a JSON object with fields of `Policy`.

    Raises:
        AuthenticationError: the file cannot be read or is no policy, or the model cannot answer what it asks.
    """
    if path is None:
        return Rules()
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        names = {field.name for field in fields(Policy)}
        if unknown := sorted(set(record) - names):
            raise AuthenticationError(
                f"{path} has the unknown field {unknown[0]}; known are {', '.join(sorted(names))}"
            )
        if "expressions" in record:
            record["expressions"] = tuple(Expression(name) for name in record["expressions"])
        if contract.expressions:
            Rules(record).policy(contract, 0.0)  # any threshold: the gallery may have one later
        elif "expressions" not in record:
            Policy(**{"threshold": 0.0, **record})
        else:
            raise AuthenticationError(
                f"{path} asks for expressions, and model {contract.model_id} has no expression output; leave them out, "
                "or serve a model with both answers"
            )
    except (OSError, ValueError, TypeError) as error:
        raise AuthenticationError(f"{path} is no policy ({error}); give a JSON object with fields of Policy") from error
    return Rules(record)
