"""The forms of the answers; their fields are part of the public interface."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from mien.authentication import Reason, Status
from mien.gallery import MAX_NAME
from mien.server.keys import Role
from mien.types import Expression, FoundBy

Name = Annotated[
    str, Field(min_length=1, max_length=MAX_NAME, description="A person's name, as enrolled; without `/`.")
]
Distance = Annotated[float, Field(ge=0, description="Euclidean distance of embeddings; smaller is more alike.")]
Box = Annotated[
    list[float],
    Field(min_length=4, max_length=4, description="left, top, right, bottom in pixels of the upright photo."),
]
Probabilities = dict[Expression, float]


class Answer(BaseModel):
    """Base of all: unknown fields are an error."""

    model_config = ConfigDict(extra="forbid")


class FaceAnswer(Answer):
    """One face of a photo."""

    box: Box
    score: float = Field(description="The detector's confidence, 0 to 1.")
    landmarks: list[list[float]] | None = Field(
        description="Five [x, y]: the eyes from left to right, nose tip, corners of the mouth from left to right."
    )
    found_by: FoundBy = Field(
        description="How the face was found: in the photo as it is, with a repeated border, or turned clockwise."
    )
    expression: Expression | None = Field(description="The most probable expression.")
    probabilities: Probabilities | None
    embedding: list[float] | None = Field(description="Only when asked for: it is biometric data.")
    outputs: dict[str, float | dict[str, float] | list[float]] = Field(
        default_factory=dict,
        description="The model's other answers by name, such as an age: a number, probabilities by class, or, when "
        "embeddings are asked for, a vector. Empty for most models.",
    )


class AnalysisAnswer(Answer):
    """The faces of a photo, largest first."""

    model: str = Field(description="Embeddings of different models cannot be compared.")
    faces: list[FaceAnswer]


class VerificationAnswer(Answer):
    """Whether two photos show the same person."""

    same: bool
    distance: Distance
    threshold: Distance
    face_a: FaceAnswer = Field(description="The largest face of the first photo.")
    face_b: FaceAnswer
    faces_in_a: int
    faces_in_b: int


class MatchAnswer(Answer):
    """A person who may be the one on a photo."""

    name: Name
    distance: Distance
    sample: int = Field(description="The number of the nearest sample.")


class IdentifiedFace(FaceAnswer):
    """One face, and who it may be."""

    known: str | None = Field(description="The nearest person when near enough; null: nobody who is enrolled.")
    matches: list[MatchAnswer] = Field(
        description="The nearest people, near enough or not; for keys of the role analyse, only who is near enough."
    )


class IdentificationAnswer(Answer):
    """Who is on a photo."""

    model: str
    threshold: Distance
    faces: list[IdentifiedFace]


class PersonAnswer(Answer):
    """Somebody who is enrolled."""

    name: Name
    consent: str = Field(description="What the person agreed to, in words.")
    enrolled: datetime
    expires: datetime | None = Field(description="When the consent ends; the person is not identified any more then.")
    expired: bool
    samples: int


class PeopleAnswer(Answer):
    """A page of the list of people, by name."""

    people: list[PersonAnswer]
    total: int
    next: str | None = Field(description="Give it as `after` for the next page; null at the end.")


class SampleAnswer(Answer):
    """One embedding of a person, without the numbers."""

    number: int
    added: datetime
    source: str = Field(description="Where it comes from, in words; the photo itself is not kept.")


class SamplesAnswer(Answer):
    """A person's samples, oldest first."""

    name: Name
    samples: list[SampleAnswer]


class PhotoReportAnswer(Answer):
    """What became of a photo at enrolment."""

    photo: int = Field(description="Its position in the form, from 1.")
    enrolled: bool
    problems: list[str]
    warnings: list[str] = Field(description="What somebody should look at all the same.")


class EnrolmentAnswer(Answer):
    """A person as enrolled now, and what became of each photo."""

    person: PersonAnswer
    photos: list[PhotoReportAnswer]


class RemovalAnswer(Answer):
    """What was removed."""

    names: list[str]
    samples: int
    pending: bool = Field(
        description="True while another process reads the file, so that removed bytes are still in it."
    )


class ChallengeRequest(Answer):
    """Whom a client claims to be."""

    person: Name


class ChallengeAnswer(Answer):
    """What a client may know of a challenge."""

    id: str
    status: Status
    prompt: Expression | None = Field(description="What to show now; null at the end.")
    step: int = Field(description="Prompts done.")
    steps: int
    progress: float = Field(ge=0, le=1, description="How far the present prompt is held.")
    seconds_left: float
    reason: Reason | None = Field(description="Why it was refused.")


class ChallengeResult(ChallengeAnswer):
    """A challenge as the party that relies on it asks for it."""

    person: Name
    issued: datetime
    ended: datetime | None


class IntervalAnswer(Answer):
    """A 95 % interval."""

    low: float | None
    high: float | None


class ChoiceAnswer(Answer):
    """A threshold and its cost."""

    threshold: Distance
    threshold_interval: IntervalAnswer
    far: float
    far_interval: IntervalAnswer
    frr: float
    frr_interval: IntervalAnswer
    genuine: int
    impostors: int
    people: int


class CalibrationAnswer(Answer):
    """Thresholds for a wanted FAR."""

    model: str
    far_asked: float
    chosen_on: str
    verification: ChoiceAnswer
    identification: ChoiceAnswer | None
    warnings: list[str]
    saved: bool = Field(description="Whether the service decides by these thresholds now.")


class HealthAnswer(Answer):
    """The process runs."""

    status: str


class LimitsAnswer(Answer):
    """What a request may cost."""

    body: int = Field(description="Bytes.")
    pixels: int = Field(description="Pixels of a photo.")
    photos: int = Field(description="Photos in a form.")
    rate: float = Field(description="Requests and frames a second; the double may come at once.")


class ServiceAnswer(Answer):
    """What a page or a program must know first."""

    version: str
    model: str
    expressions: list[Expression]
    key_needed: bool = Field(description="False on a machine of one's own, as long as no key was made.")
    role: Role | None = Field(description="What the key that was sent allows; null without one.")
    limits: LimitsAnswer


class ProblemAnswer(BaseModel):
    """A problem (RFC 9457). Some have further members: `photos` of `no_photo_enrolled`."""

    type: str = Field(description="A path that tells about the kind of problem.")
    title: str
    status: int
    detail: str = Field(description="One sentence about this occurrence.")
    code: str = Field(description="Stable; decide by this.")
    request_id: str


class ProblemKind(Answer):
    """A kind of problem."""

    code: str
    status: int
    title: str
    remedy: str
