"""What operators and programs ask about the service itself."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.concurrency import run_in_threadpool

import mien
from mien.errors import MienError
from mien.server import examples
from mien.server.access import Analyser, identify_caller, is_open
from mien.server.bodies import MAX_PHOTOS
from mien.server.describe import call
from mien.server.problems import KINDS, Code, ProblemError
from mien.server.schemas import HealthAnswer, LimitsAnswer, ProblemKind, ServiceAnswer
from mien.server.service import Services

router = APIRouter(prefix="/v1", tags=["service"])
metrics_router = APIRouter(tags=["service"])


@router.get("/service", **call("/v1/service", examples.SERVICE, keyed=False))
async def describe_service(request: Request, service: Services) -> ServiceAnswer:
    """Tell the model, its expressions, the limits, and what the key that was sent allows."""
    caller = await identify_caller(request, service)
    limits = service.settings.limits
    return ServiceAnswer(
        version=mien.__version__,
        model=service.contract.model_id,
        expressions=list(service.contract.expressions),
        key_needed=not await run_in_threadpool(is_open, request, service),
        role=None if caller is None else caller.role,
        limits=LimitsAnswer(body=limits.body, pixels=limits.pixels, photos=MAX_PHOTOS, rate=limits.rate),
    )


@router.get("/health", **call("/v1/health", {"status": "ok"}, keyed=False))
async def health() -> HealthAnswer:
    """The process runs and answers."""
    return HealthAnswer(status="ok")


@router.get("/ready", **call("/v1/ready", {"status": "ready"}, keyed=False))
async def ready(service: Services) -> HealthAnswer:
    """The model is loaded, the files can be read, and photos can be taken."""

    def check() -> bool:
        try:
            service.keys.any()
            service.gallery.load()
        except MienError:
            return False
        return service.lanes.alive

    if not await run_in_threadpool(check):
        raise ProblemError(Code.STORAGE_UNAVAILABLE, "the service cannot take photos or read its files now", 1.0)
    return HealthAnswer(status="ready")


@router.get("/problems", **call("/v1/problems", [examples.PROBLEM_KIND], keyed=False))
async def list_problems() -> list[ProblemKind]:
    """All kinds of problems, with their codes."""
    return [_kind(code) for code in KINDS]


@router.get(
    "/problems/{code}", **call("/v1/problems/busy", examples.PROBLEM_KIND, problems=[Code.NOT_FOUND], keyed=False)
)
async def get_problem(code: str) -> ProblemKind:
    """A kind of problem, as the `type` of a problem names it."""
    if code not in set(Code):
        raise ProblemError(Code.NOT_FOUND, "there is no such kind of problem")
    return _kind(Code(code))


@metrics_router.get(
    "/metrics",
    response_class=PlainTextResponse,
    **call("/metrics", "mien_faces_total 42.0\n", media_type="text/plain"),
)
async def metrics(service: Services, _: Analyser) -> Response:
    """Counts and times in Prometheus' text form, without names."""
    return Response(await run_in_threadpool(service.metrics.text), media_type=CONTENT_TYPE_LATEST)


def _kind(code: Code) -> ProblemKind:
    kind = KINDS[code]
    return ProblemKind(code=code.value, status=kind.status, title=kind.title, remedy=kind.remedy)
