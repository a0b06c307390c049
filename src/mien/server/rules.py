"""The rules of challenges that the operator sets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mien.authentication import Policy, read_policy_fields
from mien.contract import Contract
from mien.errors import AuthenticationError


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
    """Read a file of the operator's; None for none.

    Raises:
        AuthenticationError: the file cannot be read or is no policy, or the model cannot answer what it asks.
    """
    if path is None:
        return Rules()
    record = read_policy_fields(path)
    if contract.expressions:
        Rules(record).policy(contract, 0.0)  # any threshold: the gallery may have one later
    elif "expressions" in record:
        raise AuthenticationError(
            f"{path} asks for expressions, and model {contract.model_id} has no expression output; leave them out, "
            "or serve a model with both answers"
        )
    return Rules(record)
