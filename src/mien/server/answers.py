"""The library's records as answers."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import numpy as np

from mien.authentication import State, result_of
from mien.calibration import Calibration, Choice
from mien.evaluation import Interval
from mien.gallery import Identification, Person, PhotoReport, Sample
from mien.outputs import plain
from mien.server.schemas import (
    CalibrationAnswer,
    ChallengeAnswer,
    ChallengeResult,
    ChoiceAnswer,
    FaceAnswer,
    IdentifiedFace,
    IntervalAnswer,
    MatchAnswer,
    PersonAnswer,
    PhotoReportAnswer,
    SampleAnswer,
)
from mien.types import Face


def face_answer(face: Face, embeddings: bool = False) -> FaceAnswer:
    """A face; its embedding only if wanted."""
    scores, box = face.expression, face.box
    return FaceAnswer(
        box=[round(edge, 2) for edge in (box.left, box.top, box.right, box.bottom)],
        score=round(face.score, 4),
        landmarks=None
        if face.landmarks is None
        else [[round(float(value), 2) for value in point] for point in face.landmarks],
        found_by=face.found_by,
        expression=None if scores is None else scores.top,
        probabilities=None if scores is None else {name: round(scores[name], 6) for name in scores},
        embedding=[float(str(value)) for value in face.identity] if embeddings else None,
        outputs={
            name: plain(value)
            for name, value in face.outputs.items()
            if embeddings or not isinstance(value, np.ndarray)
        },
    )


def identified_face(face: Face, found: Identification) -> IdentifiedFace:
    """A face, and who it may be."""
    return IdentifiedFace(
        **face_answer(face).model_dump(),
        known=None if found.known is None else found.known.name,
        matches=[
            MatchAnswer(name=match.name, distance=round(match.distance, 6), sample=match.sample)
            for match in found.matches
        ],
    )


def distance(a: Face, b: Face) -> float:
    """Euclidean distance of two faces' embeddings."""
    return float(np.linalg.norm(a.identity.astype(np.float64) - b.identity))


def person_answer(person: Person) -> PersonAnswer:
    """A person."""
    return PersonAnswer(
        name=person.name,
        consent=person.consent,
        enrolled=person.enrolled,
        expires=person.expires,
        expired=person.expired(datetime.now(UTC)),
        samples=person.samples,
    )


def sample_answer(sample: Sample) -> SampleAnswer:
    """A sample."""
    return SampleAnswer(number=sample.number, added=sample.added, source=sample.source)


def report_answers(reports: list[PhotoReport]) -> list[PhotoReportAnswer]:
    """What became of each photo."""
    return [
        PhotoReportAnswer(
            photo=position, enrolled=report.enrolled, problems=list(report.problems), warnings=list(report.warnings)
        )
        for position, report in enumerate(reports, start=1)
    ]


def challenge_answer(state: State, now: float) -> ChallengeAnswer:
    """What a client may know of a challenge."""
    result = result_of(state, now)
    return ChallengeAnswer(
        id=state.challenge.id,
        status=result.status,
        prompt=result.prompt,
        step=result.step,
        steps=result.steps,
        progress=min(1.0, result.progress),
        seconds_left=round(result.seconds_left, 3),
        reason=result.reason,
    )


def challenge_result(state: State, now: float) -> ChallengeResult:
    """A challenge with its person and times."""
    return ChallengeResult(
        **challenge_answer(state, now).model_dump(),
        person=state.challenge.person,
        issued=datetime.fromtimestamp(state.challenge.issued, UTC),
        ended=None if state.ended is None else datetime.fromtimestamp(state.ended, UTC),
    )


def calibration_answer(found: Calibration, saved: bool) -> CalibrationAnswer:
    """A calibration."""
    return CalibrationAnswer(
        model=found.model_id,
        far_asked=found.far_asked,
        chosen_on=found.chosen_on,
        verification=_choice(found.verification),
        identification=None if found.identification is None else _choice(found.identification),
        warnings=list(found.warnings),
        saved=saved,
    )


def _choice(choice: Choice) -> ChoiceAnswer:
    return ChoiceAnswer(
        threshold=choice.threshold,
        threshold_interval=_interval(choice.threshold_interval),
        far=choice.far,
        far_interval=_interval(choice.far_interval),
        frr=choice.frr,
        frr_interval=_interval(choice.frr_interval),
        genuine=choice.genuine,
        impostors=choice.impostors,
        people=choice.people,
    )


def _interval(interval: Interval) -> IntervalAnswer:
    """Ends that no draw gave have no number in JSON."""
    low, high = (end if math.isfinite(end) else None for end in (interval.low, interval.high))
    return IntervalAnswer(low=low, high=high)
