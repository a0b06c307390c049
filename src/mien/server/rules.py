"""The rules of challenges that the operator sets."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

from mien.authentication import Policy
from mien.contract import Contract
from mien.errors import AuthenticationError
from mien.types import Expression


@dataclass(frozen=True, slots=True)
class Rules:
    """A policy, and whether its identity threshold is the operator's own.

    Attributes:
        policy: the rules.
        own_threshold: False takes the gallery's threshold for verification, which a calibration may have chosen.
    """

    policy: Policy
    own_threshold: bool

    def with_threshold(self, threshold: float) -> Policy:
        """The rules of a new challenge; ``threshold`` is the gallery's."""
        return self.policy if self.own_threshold else replace(self.policy, threshold=threshold)


def read_rules(path: Path | None, contract: Contract) -> Rules:
    """Read a JSON object with fields of `Policy`; what it leaves out is as `Policy.recommended` has it.

    Raises:
        AuthenticationError: the file cannot be read or is no policy, or the model cannot answer what it asks.
    """
    policy = Policy.recommended(contract)
    if path is None:
        return Rules(policy, own_threshold=False)
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        names = {field.name for field in fields(Policy)}
        if unknown := sorted(set(record) - names):
            raise AuthenticationError(
                f"{path} has the unknown field {unknown[0]}; known are {', '.join(sorted(names))}"
            )
        if "expressions" in record:
            record["expressions"] = tuple(Expression(name) for name in record["expressions"])
        policy = Policy(**(asdict(policy) | record))
    except (OSError, ValueError, TypeError) as error:
        raise AuthenticationError(f"{path} is no policy ({error}); give a JSON object with fields of Policy") from error
    policy.check(contract)
    return Rules(policy, own_threshold="threshold" in record)
