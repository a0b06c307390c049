"""What the client may know: enough to follow the prompts, nothing to improve an attack with."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from mien.authentication.state import Outcome, State
from mien.types import Expression


class Status(StrEnum):
    """Where a challenge stands."""

    RUNNING = "running"
    ACCEPTED = "accepted"
    REFUSED = "refused"


class Reason(StrEnum):
    """Why a challenge was refused, as far as the client is told.

    Whether it was the person or the expression is not among them, nor is any distance or probability: an attacker
    could improve one at a time. The audit has them.
    """

    NO_SINGLE_FACE = "no single face was seen"
    NOT_COMPLETED = "the prompts were not completed in time"


@dataclass(frozen=True, slots=True)
class Result:
    """The client's view of a challenge.

    Attributes:
        status: where it stands.
        prompt: what to show now; None at the end.
        step: prompts done.
        steps: prompts in all.
        progress: how far the present prompt is held, in [0, 1].
        seconds_left: until the challenge expires; 0 at the end.
        reason: why it was refused, or None.
    """

    status: Status
    prompt: Expression | None
    step: int
    steps: int
    progress: float
    seconds_left: float
    reason: Reason | None


def result_of(state: State, now: float) -> Result:
    """What the client may know at a time."""
    running = state.outcome is None
    refused = state.outcome not in (None, Outcome.ACCEPTED)
    return Result(
        status=Status.RUNNING if running else Status.REFUSED if refused else Status.ACCEPTED,
        prompt=state.prompt,
        step=state.step,
        steps=len(state.challenge.prompts),
        progress=state.held / state.policy.hold,
        seconds_left=max(0.0, state.challenge.expires - now) if running else 0.0,
        reason=_reason(state) if refused else None,
    )


def _reason(state: State) -> Reason:
    return Reason.NO_SINGLE_FACE if state.farthest is None else Reason.NOT_COMPLETED
