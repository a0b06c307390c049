"""Few tries, then none for a while: the count that a service keeps per person and client."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from mien.authentication.challenge import make_challenge
from mien.authentication.policy import MAX_LOCKOUT, Policy
from mien.authentication.state import State
from mien.contract import Contract
from mien.errors import AuthenticationError, LockedError
from mien.types import Expression


@dataclass(frozen=True, slots=True)
class Attempts:
    """Challenges that somebody began in a person's name since the last success.

    An attempt is spent when a challenge begins, not when it fails: otherwise several could be tried at the same time.

    Attributes:
        begun: how many.
        locked_until: when the next one may begin, in seconds of the challenges' clock; None when not locked out.
        last: when the last one began; None before the first, and in records of before.
    """

    begun: int = 0
    locked_until: float | None = None
    last: float | None = None

    def locked(self, now: float) -> bool:
        """Whether no challenge may begin now.

        A lock that was made later than ``now``, or that lasts longer than any may, comes of a clock that was wrong: it
        is void, and the next attempt locks anew.
        """
        if self.locked_until is None or (self.last is not None and self.last > now):
            return False
        return now < self.locked_until <= now + MAX_LOCKOUT

    def spent(self, policy: Policy, now: float) -> Attempts:
        """One attempt more; the last one that is allowed locks. After a lock-out the count begins again at 1."""
        over = self.locked_until is not None and self.locked_until <= now
        begun = 1 if over else self.begun + 1
        if begun < policy.attempts:
            return Attempts(begun, self.locked_until if self.locked(now) else None, now)
        return Attempts(begun, max(now + policy.lockout, self.locked_until or now if self.locked(now) else now), now)

    def to_json(self) -> str:
        """Serialise."""
        return json.dumps(asdict(self), allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Attempts:
        """Restore.

        Raises:
            AuthenticationError: the text is no record of attempts.
        """
        try:
            return cls(**json.loads(text))
        except (ValueError, TypeError) as error:
            raise AuthenticationError(f"the stored attempts cannot be read ({error}); repair the store") from error


def begin(
    person: str,
    policy: Policy,
    contract: Contract,
    now: float,
    attempts: Attempts,
    *,
    asked: tuple[Expression, ...] | None = None,
) -> tuple[State, Attempts]:
    """Begin a challenge, and spend an attempt.

    Store the returned attempts before the challenge goes out. After `Outcome.ACCEPTED` store ``Attempts()``.

    Args:
        person: whom the client claims to be.
        policy: the rules.
        contract: of the model that will look at the frames.
        now: seconds of a clock that all frames will carry.
        attempts: what is stored for that person and client.
        asked: fixed expressions instead of random ones; for a trial or a clip that exists already.

    Raises:
        LockedError: the person is locked out.
        AuthenticationError: the model cannot answer what the policy asks, or ``asked`` is not allowed by the policy.
    """
    if attempts.locked(now) and attempts.locked_until is not None:
        raise LockedError("too many attempts without success; try again later", attempts.locked_until - now)
    policy.check(contract)
    if asked is not None and (not asked or not set(asked) <= set(policy.expressions)):
        raise AuthenticationError(
            f"{', '.join(asked) or 'nothing'} cannot be asked; the policy allows {', '.join(policy.expressions)}"
        )
    challenge = make_challenge(person, policy, contract.model_id, now, asked)
    return State(policy, challenge), attempts.spent(policy, now)
