"""The whole authentication on sequences of frames made from photos, by kind of attack."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np
from _looks import Look, answer, blend
from _report import Figure, Section
from numpy.typing import NDArray

from mien import Mien
from mien.authentication import Attempts, Observation, Outcome, Policy, SeenFace, State, advance, begin
from mien.evaluation import rate_over_people
from mien.types import Box, Expression, ExpressionScores

HOLD, FADE = 6, 4
FRAMES_PER_SECOND = 10
BOX = Box(0, 0, 100, 100)

GENUINE = "the right person, neutral, then smiling"
ATTACKS = {
    "still neutral": "still photo: the right person, neutral",
    "still smiling": "still photo: the right person, smiling",
    "smile clip": "replayed smile clip of the right person, never neutral",
    "swapped": "two photos of the right person, swapped at once in the same place",
    "wrong expression": "the right person, neutral, then another expression than asked",
    "wrong person": "another person, neutral, then smiling",
    "neutral then other": "photo of the right person, neutral; then another person's smile",
    "other then smiling": "another person, neutral; then a photo of the right person, smiling",
}

PROTOCOL = (
    "Challenge: neutral, then a smile; the policy's defaults, the model's threshold, 10 frames a second, the face in "
    f"one place. Frames are made from aligned crops: {HOLD} of each photo, {FADE} cross-faded between. Accepted is "
    "what the state machine accepts. Of genuine answers the value is 1 - FRR, of attacks the FAR."
)
ALWAYS = (
    "A replayed or synthetic video of the right person that is first neutral and then smiles is accepted like a "
    "genuine answer: nothing here tells it apart."
)

Frame = tuple[NDArray[np.float32], NDArray[np.float32]]


@dataclass(frozen=True, slots=True, eq=False)
class Person:
    """One person's material.

    Attributes:
        name: who.
        reference: ``(1, D)`` the embedding they are enrolled with.
        neutral: frames of a neutral photo.
        smiling: frames of a smiling photo.
        rising: frames from the first to the second.
        clip: frames of a smile that comes and goes by half.
        other: frames of another expression; empty when there is no such photo.
    """

    name: str
    reference: NDArray[np.float32]
    neutral: list[Frame]
    smiling: list[Frame]
    rising: list[Frame]
    clip: list[Frame]
    other: list[Frame]


def challenge_section(title: str, mien: Mien, looks: Sequence[Look], note: str) -> Section:
    """Rates of genuine answers and of each kind of attack."""
    people = [person for person in map(_Material(mien), _by_person(looks)) if person is not None]
    policy = replace(Policy.recommended(mien.contract), expressions=(Expression.HAPPINESS,), count=1)
    start, _ = begin("", policy, mien.contract, 0.0, Attempts(), asked=(Expression.HAPPINESS,))
    names = mien.contract.expressions
    numbers = {person.name: k for k, person in enumerate(people)}
    figures = []
    for kind, what in {"genuine": GENUINE, **ATTACKS}.items():
        trials = [(claimed, *shown) for claimed in people for shown in _trials(kind, claimed, people) if shown[1]]
        if not trials:
            continue
        accepted = np.array([_accepted(start, claimed, frames, names) for claimed, _, frames in trials])
        claims = np.array([numbers[claimed.name] for claimed, _, _ in trials])
        rate = rate_over_people(accepted, claims, np.array([numbers[actual.name] for _, actual, _ in trials]))
        n = f"{rate.accepted} of {rate.n} sequences, {rate.people} people"
        figures.append(Figure(what, rate.rate, "%", n, rate.interval.low, rate.interval.high))
    return Section(title, f"{PROTOCOL} {note}", "95 % interval", figures, [ALWAYS])


def _trials(kind: str, claimed: Person, people: Sequence[Person]) -> Iterable[tuple[Person, list[Frame]]]:
    """Who is shown, and the frames, for one kind."""
    own = {
        "genuine": claimed.rising,
        "still neutral": claimed.neutral * 4,
        "still smiling": claimed.smiling * 4,
        "smile clip": claimed.clip * 2,
        "swapped": claimed.neutral + claimed.smiling,
        "wrong expression": claimed.neutral + claimed.other if claimed.other else [],
    }
    if kind in own:
        return [(claimed, own[kind])]
    others = [person for person in people if person is not claimed]
    if kind == "wrong person":
        return [(other, other.rising) for other in others]
    if kind == "neutral then other":
        return [(other, claimed.neutral + other.smiling) for other in others]
    return [(other, other.neutral + claimed.smiling) for other in others]


def _accepted(start: State, claimed: Person, frames: Sequence[Frame], names: tuple[Expression, ...]) -> bool:
    observations = (
        Observation(k / FRAMES_PER_SECOND, (_seen(claimed, frame, names),)) for k, frame in enumerate(frames)
    )
    return reduce(advance, observations, start).outcome is Outcome.ACCEPTED


def _seen(claimed: Person, frame: Frame, names: tuple[Expression, ...]) -> SeenFace:
    embedding, scores = frame
    distance = float(np.linalg.norm(claimed.reference - embedding, axis=1).min())
    return SeenFace(BOX, tuple(embedding.tolist()), distance, ExpressionScores(names, tuple(scores.tolist())))


class _Material:
    """Makes the frames of a person, if they have the photos for it."""

    def __init__(self, mien: Mien) -> None:
        self._mien = mien

    def __call__(self, looks: Sequence[Look]) -> Person | None:
        neutral = [look for look in looks if look.sample.expression is Expression.NEUTRAL]
        smiling = [look for look in looks if look.sample.expression is Expression.HAPPINESS]
        another = [look for look in looks if look not in neutral and look not in smiling]
        if not neutral or not smiling:
            return None
        still, smile = neutral[-1], smiling[0]
        steps = [(k + 1) / (FADE + 1) for k in range(FADE)]
        between = answer(self._mien, [blend(still.crop, smile.crop, share) for share in steps])
        half = answer(self._mien, [blend(still.crop, smile.crop, share) for share in (0.5, 0.75)])
        first, last = [(still.embedding, still.scores)] * HOLD, [(smile.embedding, smile.scores)] * HOLD
        return Person(
            name=str(still.sample.identity),
            reference=neutral[0].embedding[None],
            neutral=first,
            smiling=last,
            rising=[*first, *between, *last],
            clip=[*half, *last, *reversed(half)],
            other=[(another[0].embedding, another[0].scores)] * HOLD if another else [],
        )


def _by_person(looks: Sequence[Look]) -> list[list[Look]]:
    groups: dict[str, list[Look]] = {}
    for look in looks:
        groups.setdefault(str(look.sample.identity), []).append(look)
    return [groups[name] for name in sorted(groups)]
