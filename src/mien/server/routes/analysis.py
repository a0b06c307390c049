"""Look at photos: analyze, verify, identify."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool

from mien.errors import GalleryError, NoFaceError
from mien.gallery import Identification
from mien.server import examples
from mien.server.access import Analyser
from mien.server.answers import distance, face_answer, identified_face
from mien.server.bodies import read_form, read_photo
from mien.server.describe import FILE, call, form_body, photo_body
from mien.server.keys import Role
from mien.server.problems import Code
from mien.server.schemas import AnalysisAnswer, IdentificationAnswer, VerificationAnswer
from mien.server.service import Service, Services

router = APIRouter(prefix="/v1", tags=["photos"])

Threshold = Annotated[
    float | None,
    Query(ge=0, allow_inf_nan=False, description="Distance to decide by; by default the gallery's."),
]


@router.post(
    "/analyze",
    **call(
        "/v1/analyze -H 'Content-Type: image/jpeg' --data-binary @photo.jpg",
        examples.ANALYSIS,
        body=photo_body(),
        problems=[Code.PHOTO_UNUSABLE],
    ),
)
async def analyze(
    request: Request,
    service: Services,
    _: Analyser,
    embeddings: Annotated[bool, Query(description="Tell the embeddings too; they are biometric data.")] = False,
) -> AnalysisAnswer:
    """Find the faces of a photo and tell their expressions."""
    faces = await service.lanes.faces(await read_photo(request))
    return AnalysisAnswer(model=service.contract.model_id, faces=[face_answer(face, embeddings) for face in faces])


@router.post(
    "/verify",
    **call(
        "/v1/verify -F a=@one.jpg -F b=@other.jpg",
        examples.VERIFICATION,
        body=form_body({"a": FILE, "b": FILE}, ["a", "b"]),
        problems=[Code.PHOTO_UNUSABLE, Code.NO_FACE],
    ),
)
async def verify(request: Request, service: Services, _: Analyser, threshold: Threshold = None) -> VerificationAnswer:
    """Tell whether the largest faces of two photos show the same person."""
    form = await read_form(request)
    photos = [form.photo("a"), form.photo("b")]
    found = await asyncio.gather(*(service.lanes.faces(photo) for photo in photos))
    for name, faces in zip("ab", found, strict=True):
        if not faces:
            raise NoFaceError(f"no face was found in photo {name}; send a photo with a face")
    if threshold is None:
        threshold = (await run_in_threadpool(lambda: service.gallery.thresholds)).verification
    a, b = (faces[0] for faces in found)
    between = distance(a, b)
    return VerificationAnswer(
        same=between <= threshold,
        distance=round(between, 6),
        threshold=threshold,
        face_a=face_answer(a),
        face_b=face_answer(b),
        faces_in_a=len(found[0]),
        faces_in_b=len(found[1]),
    )


@router.post(
    "/identify",
    **call(
        "/v1/identify -H 'Content-Type: image/jpeg' --data-binary @photo.jpg",
        examples.IDENTIFICATION,
        body=photo_body(),
        problems=[Code.PHOTO_UNUSABLE],
    ),
)
async def identify(
    request: Request,
    service: Services,
    caller: Analyser,
    k: Annotated[int, Query(ge=1, le=100, description="How many people to name at most.")] = 5,
    threshold: Threshold = None,
) -> IdentificationAnswer:
    """Tell who is on a photo, among the people enrolled, and with which expressions; others are unknown.

    Who is on no photo is not named to an `analyse` key: it gets matches up to the gallery's threshold only. Keys that
    may list people get the nearest, near enough or not.
    """
    faces = await service.lanes.faces(await read_photo(request))

    def search() -> IdentificationAnswer:
        limit = service.gallery.thresholds.identification if threshold is None else threshold
        if not caller.role.includes(Role.ENROL):
            limit = min(limit, _own_limit(service, limit))
        found = [service.gallery.identify(face.identity, k, threshold=limit) for face in faces]
        if not caller.role.includes(Role.ENROL):
            found = [Identification(one.near, limit) for one in found]
        return IdentificationAnswer(
            model=service.contract.model_id,
            threshold=limit,
            faces=[identified_face(face, one) for face, one in zip(faces, found, strict=True)],
        )

    return await run_in_threadpool(search)


def _own_limit(service: Service, otherwise: float) -> float:
    try:
        return service.gallery.thresholds.identification
    except GalleryError:  # there is none, so that nobody said yet who counts as known
        return otherwise
