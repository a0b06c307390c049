"""What is kept of a challenge for the operator: figures and times, no image and no embedding."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from mien.authentication.policy import Policy
from mien.authentication.state import Counts, Outcome, State
from mien.types import Expression


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """One line of the log. Not for the client: its figures tell what an attack lacked.

    Attributes:
        challenge: its id.
        person: who was claimed.
        model_id: the model.
        asked: the prompts, in order.
        done: how many of them were done in the last run.
        outcome: how it ended; None while it runs.
        issued: when it began.
        ended: when it ended, or None.
        restarts: how often it began anew.
        counts: frames by what they were.
        nearest: smallest distance from a reference in a frame with one face, or None.
        farthest: largest one, or None.
        policy: the rules that decided.
    """

    challenge: str
    person: str
    model_id: str
    asked: tuple[Expression, ...]
    done: int
    outcome: Outcome | None
    issued: float
    ended: float | None
    restarts: int
    counts: Counts
    nearest: float | None
    farthest: float | None
    policy: Policy

    def to_json(self) -> str:
        """One line of JSON."""
        return json.dumps(asdict(self), allow_nan=False)


def audit_of(state: State) -> AuditRecord:
    """The record of a challenge."""
    return AuditRecord(
        challenge=state.challenge.id,
        person=state.challenge.person,
        model_id=state.challenge.model_id,
        asked=state.challenge.prompts,
        done=state.step,
        outcome=state.outcome,
        issued=state.challenge.issued,
        ended=state.ended,
        restarts=state.restarts,
        counts=state.counts,
        nearest=state.nearest,
        farthest=state.farthest,
        policy=state.policy,
    )
