"""What one person is asked to show, once, and by when."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from mien.authentication.policy import Policy
from mien.types import Expression


@dataclass(frozen=True, slots=True)
class Challenge:
    """A request for expressions, to be used once.

    Attributes:
        id: 128 random bits, as text; what a client names the challenge by.
        person: whom the client claims to be.
        model_id: the model that the references come from, and that must look at the frames.
        prompts: what to show, in order: neutral, if the policy wants it first, and the expressions drawn.
        issued: when it was made, in seconds of any clock that all frames share.
        expires: until when frames count.
    """

    id: str
    person: str
    model_id: str
    prompts: tuple[Expression, ...]
    issued: float
    expires: float


def make_challenge(
    person: str, policy: Policy, model_id: str, now: float, asked: tuple[Expression, ...] | None = None
) -> Challenge:
    """Make a challenge.

    Args:
        person: whom the client claims to be.
        policy: the rules.
        model_id: the model in use.
        now: seconds of the clock that the frames will carry.
        asked: what to ask, for a trial or a recorded clip; None draws it at random, as any real use must.
    """
    prompts = draw(policy) if asked is None else asked
    if policy.neutral_first:
        prompts = (Expression.NEUTRAL, *prompts)
    return Challenge(secrets.token_urlsafe(16), person, model_id, prompts, now, now + policy.time_limit)


def draw(policy: Policy) -> tuple[Expression, ...]:
    """Draw the expressions to ask from the system's random source: evenly, never the same twice in succession."""
    drawn: list[Expression] = []
    while len(drawn) < policy.count:
        drawn.append(secrets.choice([name for name in policy.expressions if drawn[-1:] != [name]]))
    return tuple(drawn)
