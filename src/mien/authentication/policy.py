"""What an authentication asks for, and how strictly."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from numbers import Integral, Real
from typing import Any

from mien.contract import Contract
from mien.errors import AuthenticationError, MissingOutputError
from mien.types import Expression

MAX_COUNT = 20
"""Most expressions asked in a row; nobody makes more, and each is drawn and stored."""

MAX_HOLD = 1000
"""Most frames for which an expression must be held: half a minute of a fast camera."""

MAX_ATTEMPTS = 1000
"""Most challenges that may begin before a lock-out."""

MAX_SECONDS = 3600.0
"""Longest time for an answer, and longest time for which a face may be lost in it."""

MAX_LOCKOUT = 30 * 86400.0
"""Longest lock-out: one that ends later than this from now was made by a clock that was wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The rules of an authentication by expression; times in seconds, distances Euclidean between embeddings.

    The defaults for what is asked follow the paper's authentication pairs (happiness and surprise, compared with a
    neutral reference); the others were chosen for a camera at 5 to 30 frames a second, and are no more than a start.

    Attributes:
        threshold: largest distance from the nearest reference, and from the face of the frame before.
        expressions: what may be asked; neutral is no expression to ask for.
        count: how many are asked in a row, drawn anew each time, never the same twice in succession; 20 at most.
        neutral_first: whether a neutral face comes before them. Without it a single smiling photo can pass.
        probability: least probability of the wanted expression in a counted frame, in [0, 1].
        margin: least distance of that probability from the next best, in [0, 1].
        hold: frames in succession in which the wanted expression must be seen.
        time_limit: how long a challenge can be answered; an hour at most.
        attempts: challenges that may begin in a person's name without success before the next ones are refused: of one
            client, see `mien.authentication.challenge_store` for all clients together.
        lockout: for how long, from the last of them on; 30 days at most.
        max_gap: longest time for which the face may be lost (none, several, another one) without starting over.
        overlap: least overlap (intersection over union) of the face's boxes in neighbouring frames, in [0, 1].

    Raises:
        AuthenticationError: a value is outside its range, or the expressions cannot make a challenge.
    """

    threshold: float
    expressions: tuple[Expression, ...] = (Expression.HAPPINESS, Expression.SURPRISE)
    count: int = 2
    neutral_first: bool = True
    probability: float = 0.5
    margin: float = 0.2
    hold: int = 3
    time_limit: float = 20.0
    attempts: int = 3
    lockout: float = 300.0
    max_gap: float = 1.0
    overlap: float = 0.3

    def __post_init__(self) -> None:
        def keep(name: str, number: float) -> None:
            object.__setattr__(self, name, number)  # NumPy's numbers become Python's, which JSON can hold

        for name in ("probability", "margin", "overlap"):
            keep(name, _checked(name, getattr(self, name), 0, 1))
        for name, most in (("threshold", inf), ("time_limit", MAX_SECONDS), ("max_gap", MAX_SECONDS)):
            keep(name, _checked(name, getattr(self, name), 0, most))
        keep("lockout", _checked("lockout", self.lockout, 0, MAX_LOCKOUT))
        for name, most in (("count", MAX_COUNT), ("hold", MAX_HOLD), ("attempts", MAX_ATTEMPTS)):
            value = getattr(self, name)
            if not isinstance(value, Integral) or isinstance(value, bool):
                raise AuthenticationError(f"{name} is {value!r}; give a whole number")
            keep(name, int(_checked(name, value, 1, most)))
        if self.time_limit == 0:
            raise AuthenticationError("time_limit is 0; give the seconds in which a challenge can be answered")
        if type(self.neutral_first) is not bool:
            raise AuthenticationError(f"neutral_first is {self.neutral_first!r}; give true or false")
        if not self.expressions or Expression.NEUTRAL in self.expressions:
            raise AuthenticationError(
                f"expressions {[str(name) for name in self.expressions]} cannot be asked; "
                "give at least one, without neutral"
            )
        if len(set(self.expressions)) < len(self.expressions):
            raise AuthenticationError(f"expressions {[str(name) for name in self.expressions]} repeat; give each once")
        if self.count > 1 and len(self.expressions) == 1:
            raise AuthenticationError(
                f"{self.count} expressions in a row cannot be drawn from {self.expressions[0]} alone; "
                "allow another, or ask one"
            )

    @classmethod
    def recommended(cls, contract: Contract, **given: Any) -> Policy:
        """The defaults, with the model's recommended threshold and those of the default expressions that it knows.

        Args:
            contract: the model's.
            given: fields that are to be so instead.

        Raises:
            AuthenticationError: the model does not answer both questions or what is asked, no threshold is recommended
                or given, or as of the class.
            TypeError: there is no such field, or it is of another type.
        """
        _check_answers(contract)
        known = tuple(name for name in (Expression.HAPPINESS, Expression.SURPRISE) if name in contract.expressions)
        names = given.get("expressions", known)
        values: dict[str, Any] = {"expressions": names, "count": max(1, min(2, len(names)))}
        if contract.threshold is not None:
            values["threshold"] = contract.threshold.distance
        values |= given
        if "threshold" not in values:
            raise AuthenticationError(
                f"model {contract.model_id} recommends no identity threshold; calibrate, or give a policy with one"
            )
        policy = cls(**values)
        policy.check(contract)
        return policy

    def check(self, contract: Contract) -> None:
        """Refuse a model that cannot answer what the policy asks.

        Raises:
            AuthenticationError: it has no identity, or does not know an expression.
        """
        _check_answers(contract)
        wanted = (*self.expressions, Expression.NEUTRAL) if self.neutral_first else self.expressions
        unknown = [str(name) for name in wanted if name not in contract.expressions]
        if unknown:
            raise AuthenticationError(
                f"model {contract.model_id} does not know {', '.join(unknown)}; "
                f"ask for some of {', '.join(contract.expressions)}"
            )


def _check_answers(contract: Contract) -> None:
    try:
        contract.require_identity()
        contract.require_expression()
    except MissingOutputError as error:
        raise AuthenticationError(str(error)) from error


def _checked(name: str, value: object, low: float, high: float) -> float:
    if not isinstance(value, Real) or isinstance(value, bool):
        raise AuthenticationError(f"{name} is {value!r}; give a number")
    try:
        number = float(value)
    except OverflowError:  # an integer of hundreds of digits
        number = inf
    if not low <= number <= high or number == inf:  # false for NaN too
        limits = f"between {low} and {high}" if high < inf else f"at least {low}, and finite"
        raise AuthenticationError(f"{name} is {number:g}; give a value {limits}")
    return number
