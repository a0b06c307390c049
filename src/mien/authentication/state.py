"""How far the answer to a challenge has come; plain values that survive a restart as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from mien.authentication.challenge import Challenge
from mien.authentication.policy import Policy
from mien.errors import AuthenticationError
from mien.types import Box, Expression

VERSION = 1
"""Version of the JSON form."""


class Outcome(StrEnum):
    """How a challenge ended."""

    ACCEPTED = "accepted"
    EXPIRED = "expired"
    ABANDONED = "abandoned"


@dataclass(frozen=True, slots=True)
class Anchor:
    """The face that the next frame must continue: the last one that was alone and the right person.

    Attributes:
        time: when it was seen.
        box: where.
        embedding: its identity embedding; biometric data, which is why finished states hold none.
    """

    time: float
    box: Box
    embedding: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Counts:
    """Frames by what they were; for the audit.

    Attributes:
        counted: showed what was wanted.
        waiting: the right person, but not what was wanted.
        no_face: no face.
        several_faces: more than one face.
        other_person: one face, too far from all references.
        jumps: the right person, but no continuation of the frames before; these frames are among the first two too.
    """

    counted: int = 0
    waiting: int = 0
    no_face: int = 0
    several_faces: int = 0
    other_person: int = 0
    jumps: int = 0


@dataclass(frozen=True, slots=True)
class State:
    """A challenge and the progress of its answer; immutable, see `mien.authentication.advance`.

    Attributes:
        policy: the rules, kept with the challenge so that a change of them does not reach a running one.
        challenge: what is asked.
        step: how many prompts are done.
        held: frames in succession that showed the present prompt.
        anchor: the face to continue; None before the first, and at the end.
        time: of the last frame; None before the first.
        restarts: how often the answer began anew.
        counts: frames by what they were.
        nearest: smallest distance from a reference in a frame with one face; None before the first.
        farthest: largest one.
        outcome: how it ended; None while it runs. A state with an outcome never changes again.
        ended: when it ended, or None.
    """

    policy: Policy
    challenge: Challenge
    step: int = 0
    held: int = 0
    anchor: Anchor | None = None
    time: float | None = None
    restarts: int = 0
    counts: Counts = field(default_factory=Counts)
    nearest: float | None = None
    farthest: float | None = None
    outcome: Outcome | None = None
    ended: float | None = None

    @property
    def prompt(self) -> Expression | None:
        """What is wanted now; None at the end."""
        return self.challenge.prompts[self.step] if self.outcome is None else None

    def to_json(self) -> str:
        """Serialise, to be stored until the next frame; exact, so that a restart changes nothing."""
        return json.dumps({"version": VERSION, **asdict(self)}, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> State:
        """Restore a stored state.

        Raises:
            AuthenticationError: the text is no state of this version.
        """
        try:
            record = json.loads(text)
            if (version := record.pop("version")) != VERSION:
                raise AuthenticationError(
                    f"the stored challenge has version {version}, this mien reads {VERSION}; begin a new challenge"
                )
            return _state(record)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise AuthenticationError(f"the stored challenge cannot be read ({error!r}); begin a new one") from error


def _state(record: dict[str, Any]) -> State:
    policy, challenge, anchor = (record.pop(name) for name in ("policy", "challenge", "anchor"))
    policy["expressions"] = tuple(Expression(name) for name in policy["expressions"])
    challenge["prompts"] = tuple(Expression(name) for name in challenge["prompts"])
    if anchor is not None:
        anchor = Anchor(float(anchor["time"]), Box(**anchor["box"]), tuple(map(float, anchor["embedding"])))
    outcome = record.pop("outcome")
    return State(
        policy=Policy(**policy),
        challenge=Challenge(**challenge),
        anchor=anchor,
        counts=Counts(**record.pop("counts")),
        outcome=None if outcome is None else Outcome(outcome),
        **record,
    )
