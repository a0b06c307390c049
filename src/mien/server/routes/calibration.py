"""Thresholds for a wanted FAR from the operator's own photos."""

from __future__ import annotations

import numpy as np
from fastapi import APIRouter, Request

from mien.calibration import Calibration, calibrate_people
from mien.server import examples
from mien.server.access import Administrator
from mien.server.answers import calibration_answer
from mien.server.bodies import read_form
from mien.server.describe import FILES, call, form_body
from mien.server.problems import Code, ProblemError
from mien.server.schemas import CalibrationAnswer
from mien.server.service import Services

router = APIRouter(prefix="/v1", tags=["calibration"])

BOOTSTRAP = 200
"""Draws for the intervals: enough for two digits."""

SMALLEST_FAR, LARGEST_FAR = 1e-6, 0.5

_FIELDS = {
    "photo": FILES,
    "identity": {
        "type": "array",
        "items": {"type": "string", "maxLength": 200},
        "description": "Who is on each photo: as many as photos, in their order.",
    },
    "far": {"type": "number", "minimum": SMALLEST_FAR, "maximum": LARGEST_FAR, "default": 1e-3},
    "save": {"type": "string", "enum": ["true", "false"], "description": "Decide by these thresholds from now on."},
}


@router.post(
    "/calibrate",
    **call(
        "/v1/calibrate -F far=0.01 -F photo=@a1.jpg -F identity=ada -F photo=@a2.jpg -F identity=ada "
        "-F photo=@b1.jpg -F identity=ben",
        examples.CALIBRATION,
        body=form_body(_FIELDS, ["photo", "identity"]),
        problems=[Code.PHOTO_UNUSABLE, Code.NO_FACE, Code.CALIBRATION_IMPOSSIBLE],
    ),
)
async def calibrate(request: Request, service: Services, _: Administrator) -> CalibrationAnswer:
    """Choose thresholds from photos of known people, several each, with several expressions.

    As many photos as a body may hold; for more use `mien calibrate FOLDER --gallery FILE`, which this service follows.
    """
    form = await read_form(request)
    photos, identities, far = form.photos("photo"), form.texts("identity"), _far(form.text("far"))
    if len(photos) != len(identities):
        raise ProblemError(
            Code.REQUEST_INVALID, f"{len(photos)} photos have {len(identities)} identities; send one for each, in order"
        )
    faces = []
    for position, photo in enumerate(photos, start=1):  # one at a time, so that others get their turn
        found = await service.lanes.faces(photo)
        if not found:
            raise ProblemError(Code.NO_FACE, f"no face was found in photo {position}; leave it out")
        faces.append(found[0])
    save = form.flag("save")

    def choose() -> Calibration:
        found = calibrate_people(
            np.stack([face.identity for face in faces]),
            identities,
            model_id=service.contract.model_id,
            far=far,
            expressions=[None if face.expression is None else face.expression.top for face in faces],
            name="photos sent to the service",
            bootstrap=BOOTSTRAP,
        )
        if save:
            service.gallery.thresholds = found.thresholds
        return found

    return calibration_answer(await service.lanes.run(choose), save)


def _far(text: str | None) -> float:
    try:
        far = float(text or "1e-3")
    except ValueError:
        far = 0.0
    if not SMALLEST_FAR <= far <= LARGEST_FAR:
        raise ProblemError(
            Code.REQUEST_INVALID, f"far is not between {SMALLEST_FAR:g} and {LARGEST_FAR:g}; send a share"
        )
    return far
