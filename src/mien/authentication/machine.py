"""One frame after the other towards acceptance; pure functions, whose only clock is the frames' own."""

from __future__ import annotations

from dataclasses import replace
from math import dist

from mien.authentication.observation import Observation, SeenFace
from mien.authentication.policy import Policy
from mien.authentication.state import Anchor, Counts, Outcome, State
from mien.types import Expression, ExpressionScores


def advance(state: State, seen: Observation) -> State:
    """Take one frame into account.

    A frame counts when it shows exactly one face, the right person, as the continuation of the frames before, with the
    wanted expression. ``policy.hold`` counted frames in succession finish a prompt, the last prompt's acceptance ends
    the challenge. Where the face is lost for longer than ``policy.max_gap``, or another takes its place, the answer
    begins anew with the first prompt.

    A frame that is not later than the one before, or was taken before the challenge was made, changes nothing; so does
    any frame after the end.

    Args:
        state: what came before.
        seen: the frame.
    """
    if state.outcome is not None or not seen.time >= state.challenge.issued:
        return state
    if state.time is not None and not seen.time > state.time:
        return state
    if seen.time > state.challenge.expires:
        return _ended(state, Outcome.EXPIRED, seen.time)
    state = replace(state, time=seen.time)
    if len(seen.faces) != 1:
        return _lost(state, "several_faces" if seen.faces else "no_face")
    (face,) = seen.faces
    state = _measured(state, face.distance)
    if not face.distance <= state.policy.threshold:
        return _lost(state, "other_person")
    return _found(state, face, seen.time)


def end(state: State, now: float) -> State:
    """End a challenge for which no more frames will come, or whose time is over; one that has ended stays as it is."""
    if state.outcome is not None:
        return state
    return _ended(state, Outcome.EXPIRED if now > state.challenge.expires else Outcome.ABANDONED, now)


def shows(scores: ExpressionScores, wanted: Expression, policy: Policy) -> bool:
    """Whether an expression is seen clearly enough: probable, and by a margin more so than any other."""
    probability = scores.get(wanted, 0.0)
    others = (value for name, value in scores.items() if name is not wanted)
    return probability >= policy.probability and probability - max(others, default=0.0) >= policy.margin


def _found(state: State, face: SeenFace, time: float) -> State:
    """A frame with the right person alone."""
    if state.anchor is not None and not _continues(state.anchor, face, time, state.policy):
        state = _restarted(_tallied(state, "jumps"))
    state = replace(state, anchor=Anchor(time, face.box, face.embedding))
    if not shows(face.expression, state.challenge.prompts[state.step], state.policy):
        return replace(_tallied(state, "waiting"), held=0)
    state = replace(_tallied(state, "counted"), held=state.held + 1)
    if state.held < state.policy.hold:
        return state
    state = replace(state, step=state.step + 1, held=0)
    return _ended(state, Outcome.ACCEPTED, time) if state.step == len(state.challenge.prompts) else state


def _lost(state: State, cause: str) -> State:
    """A frame without the right person alone: what was held is gone, and after a while what was done as well."""
    state = replace(_tallied(state, cause), held=0)
    if state.anchor is None or state.time is None or state.time - state.anchor.time <= state.policy.max_gap:
        return state
    return _restarted(state)


def _continues(anchor: Anchor, face: SeenFace, time: float, policy: Policy) -> bool:
    return (
        time - anchor.time <= policy.max_gap
        and anchor.box.overlap(face.box) >= policy.overlap
        and dist(anchor.embedding, face.embedding) <= policy.threshold
    )


def _restarted(state: State) -> State:
    return replace(state, step=0, held=0, anchor=None, restarts=state.restarts + 1)


def _ended(state: State, outcome: Outcome, time: float) -> State:
    return replace(state, held=0, anchor=None, outcome=outcome, ended=time)


def _measured(state: State, distance: float) -> State:
    if not distance < float("inf"):  # NaN and infinity cannot be stored, and never count
        return state
    nearest = distance if state.nearest is None else min(state.nearest, distance)
    farthest = distance if state.farthest is None else max(state.farthest, distance)
    return replace(state, nearest=nearest, farthest=farthest)


def _tallied(state: State, cause: str) -> State:
    counts: Counts = replace(state.counts, **{cause: getattr(state.counts, cause) + 1})
    return replace(state, counts=counts)
