"""What can go wrong in a request, with stable codes, as problems of RFC 9457."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from starlette.responses import JSONResponse

from mien.errors import (
    ChallengeNotFoundError,
    DataError,
    GalleryError,
    ImageError,
    LockedError,
    MienError,
    NoFaceError,
    PersonExistsError,
    PersonNotFoundError,
    StorageError,
    StorageReplacedError,
)

MEDIA_TYPE = "application/problem+json"


class Code(StrEnum):
    """What clients may rely on; a code's meaning never changes."""

    FRAMING_AMBIGUOUS = "framing_ambiguous"
    REQUEST_INVALID = "request_invalid"
    KEY_REQUIRED = "key_required"
    ROLE_INSUFFICIENT = "role_insufficient"
    ORIGIN_REFUSED = "origin_refused"
    NOT_FOUND = "not_found"
    PERSON_NOT_FOUND = "person_not_found"
    SAMPLE_NOT_FOUND = "sample_not_found"
    CHALLENGE_NOT_FOUND = "challenge_not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    BODY_TOO_SLOW = "body_too_slow"
    PERSON_EXISTS = "person_exists"
    MODEL_DIFFERS = "model_differs"
    CHALLENGE_IMPOSSIBLE = "challenge_impossible"
    BODY_TOO_LARGE = "body_too_large"
    MEDIA_TYPE_UNKNOWN = "media_type_unknown"
    PHOTO_UNUSABLE = "photo_unusable"
    NO_FACE = "no_face"
    NO_PHOTO_ENROLLED = "no_photo_enrolled"
    CALIBRATION_IMPOSSIBLE = "calibration_impossible"
    RATE_EXCEEDED = "rate_exceeded"
    PERSON_LOCKED = "person_locked"
    INTERNAL = "internal"
    BUSY = "busy"
    STORAGE_UNAVAILABLE = "storage_unavailable"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of problem: its HTTP status, a title, and what a client can do about it."""

    status: int
    title: str
    remedy: str


KINDS = {
    Code.FRAMING_AMBIGUOUS: Kind(
        400, "The request's length is ambiguous", "Send `Content-Length` or `Transfer-Encoding`, not both."
    ),
    Code.REQUEST_INVALID: Kind(
        422, "The request is invalid", "Correct what `detail` names; the OpenAPI tells the form."
    ),
    Code.KEY_REQUIRED: Kind(401, "An API key is needed", "Send a valid key: `Authorization: Bearer mien_...`."),
    Code.ROLE_INSUFFICIENT: Kind(403, "The key's role does not allow this", "Use a key of the role that is named."),
    Code.ORIGIN_REFUSED: Kind(
        403, "Another site's page may not do this", "Call the service from its own page or by a program."
    ),
    Code.NOT_FOUND: Kind(404, "There is nothing at this path", "Check the path against the OpenAPI."),
    Code.PERSON_NOT_FOUND: Kind(404, "Nobody of this name is enrolled", "Check the name; `GET /v1/people` lists them."),
    Code.SAMPLE_NOT_FOUND: Kind(404, "The person has no such sample", "`GET /v1/people/{name}` lists the samples."),
    Code.CHALLENGE_NOT_FOUND: Kind(404, "There is no such challenge", "It may be too old; create a new one."),
    Code.METHOD_NOT_ALLOWED: Kind(405, "The path has no such method", "Use one of those in the `Allow` header."),
    Code.BODY_TOO_SLOW: Kind(408, "The body did not arrive in time", "Send the body faster, or a smaller one."),
    Code.PERSON_EXISTS: Kind(409, "The person is enrolled already", "Add samples to the person instead."),
    Code.MODEL_DIFFERS: Kind(409, "This belongs to another model", "Create a new challenge."),
    Code.CHALLENGE_IMPOSSIBLE: Kind(
        409, "This service cannot make challenges", "Tell the operator what `detail` says of the model or a threshold."
    ),
    Code.BODY_TOO_LARGE: Kind(413, "The body is too large", "Send smaller or fewer photos."),
    Code.MEDIA_TYPE_UNKNOWN: Kind(
        415, "The body is of another media type", "Send what the OpenAPI names for this call."
    ),
    Code.PHOTO_UNUSABLE: Kind(422, "A photo cannot be used", "Send an intact photo; `detail` tells what is wrong."),
    Code.NO_FACE: Kind(422, "No face was found", "Send a photo that shows a face."),
    Code.NO_PHOTO_ENROLLED: Kind(422, "No photo passed the checks", "`photos` tells what is wrong with each."),
    Code.CALIBRATION_IMPOSSIBLE: Kind(
        422, "These photos cannot be calibrated on", "Give several people, with several photos."
    ),
    Code.RATE_EXCEEDED: Kind(429, "Too many requests", "Wait as long as `Retry-After` says."),
    Code.PERSON_LOCKED: Kind(429, "Too many attempts without success", "Wait as long as `Retry-After` says."),
    Code.INTERNAL: Kind(500, "The service failed", "Tell the operator the request id; the log has the reason."),
    Code.BUSY: Kind(503, "The service has too much to do", "Wait as long as `Retry-After` says."),
    Code.STORAGE_UNAVAILABLE: Kind(
        503, "The storage cannot be used now", "Try again; tell the operator if it goes on."
    ),
}


@dataclass(slots=True)
class ProblemError(Exception):
    """Ends a request with a problem.

    Attributes:
        code: the kind.
        detail: one sentence about this occurrence.
        retry_after: seconds after which to try again, or None.
        extra: further members of the answer.
    """

    code: Code
    detail: str
    retry_after: float | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.detail


def problem_of(error: MienError) -> ProblemError:
    """The problem that an error of the library is to a client."""
    if isinstance(error, StorageReplacedError):  # its own sentence names a path
        detail = "a file of the service was removed or replaced while it ran; put it back, or start the service anew"
        return ProblemError(Code.STORAGE_UNAVAILABLE, detail, 60.0)
    if isinstance(error, StorageError):
        return ProblemError(Code.STORAGE_UNAVAILABLE, "a file of the service cannot be used now; try again", 1.0)
    if isinstance(error, LockedError):
        return ProblemError(Code.PERSON_LOCKED, str(error), error.seconds)
    for kind, code in _CODES.items():
        if isinstance(error, kind):
            return ProblemError(code, str(error))
    return ProblemError(Code.INTERNAL, "the service failed; tell the operator the request id")


_CODES: dict[type[MienError], Code] = {
    ImageError: Code.PHOTO_UNUSABLE,
    NoFaceError: Code.NO_FACE,
    ChallengeNotFoundError: Code.CHALLENGE_NOT_FOUND,
    DataError: Code.CALIBRATION_IMPOSSIBLE,
    PersonExistsError: Code.PERSON_EXISTS,
    PersonNotFoundError: Code.PERSON_NOT_FOUND,
    GalleryError: Code.REQUEST_INVALID,
}


def record(error: ProblemError, request_id: str) -> dict[str, Any]:
    """The problem as the members of a JSON object."""
    kind = KINDS[error.code]
    return {
        "type": f"/v1/problems/{error.code}",
        "title": kind.title,
        "status": kind.status,
        "detail": error.detail,
        "code": error.code.value,
        "request_id": request_id,
        **error.extra,
    }


def response(error: ProblemError, request_id: str) -> JSONResponse:
    """The problem as an answer."""
    headers = {}
    if error.retry_after is not None:
        headers["Retry-After"] = str(max(1, math.ceil(error.retry_after)))
    if error.code is Code.KEY_REQUIRED:
        headers["WWW-Authenticate"] = "Bearer"
    if error.code is Code.FRAMING_AMBIGUOUS:
        headers["Connection"] = "close"  # what follows on it may be anything
    status = KINDS[error.code].status
    return JSONResponse(record(error, request_id), status_code=status, headers=headers, media_type=MEDIA_TYPE)
