"""The ASGI application: the routes behind the gate, errors as problems, the page at the root."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware

import mien
from mien.errors import MienError
from mien.server import describe
from mien.server.connections import Connections
from mien.server.gate import Gate
from mien.server.metrics import Metrics
from mien.server.paths import Page, methods_at
from mien.server.problems import Code, ProblemError, problem_of, response
from mien.server.routes import analysis, calibration, challenges, operations, people
from mien.server.service import opened
from mien.server.settings import Settings
from mien.server.upkeep import swept, watched

PAGE = Path(__file__).parent / "page"
"""The page's files; served when there is an index.html."""

_LOG = logging.getLogger("mien.server")

_DESCRIPTION = (
    "Photos in, identity and expression out. Photos are kept nowhere: neither on disk nor in logs. Embeddings are "
    "biometric data: people are enrolled with their consent, and removal leaves nothing behind."
)

_STATUS_CODES = {
    404: Code.NOT_FOUND,
    405: Code.METHOD_NOT_ALLOWED,
}


def create_app(settings: Settings, connections: Connections | None = None) -> FastAPI:
    """Make the application; the model is loaded and the files are opened when it starts.

    Args:
        settings: what it works with.
        connections: those that the server's socket counts, see `mien.server.connections`. Without, whatever server runs
            the application limits them, and closes those on which nothing happens.
    """
    metrics = Metrics()
    connections = Connections(settings.limits.connections, 0) if connections is None else connections

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        service_files = opened(settings, metrics)
        app.state.service = await run_in_threadpool(service_files.__enter__)
        try:
            async with swept(app.state.service), watched(connections):
                yield
        finally:
            await run_in_threadpool(service_files.__exit__, None, None, None)

    app = FastAPI(
        title="mien",
        version=mien.__version__,
        summary="One look at a face, two answers: who it is and what its expression is.",
        description=_DESCRIPTION,
        lifespan=lifespan,
        openapi_url="/v1/openapi.json",
        docs_url=None,  # the usual pages load scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,  # it would send clients to whatever host they named
        generate_unique_id_function=lambda route: route.name,
        middleware=[Middleware(Gate, limits=settings.limits, metrics=metrics, connections=connections)],
    )
    _add_routes(app)
    _add_handlers(app)
    describe.install(app)
    return app


def _add_routes(app: FastAPI) -> None:
    for module in (analysis, people, challenges, calibration, operations):
        app.include_router(module.router)
    app.include_router(operations.metrics_router)
    if (PAGE / "index.html").is_file():
        app.router.routes.append(Page(PAGE))


def _add_handlers(app: FastAPI) -> None:
    @app.exception_handler(ProblemError)
    async def problem(request: Request, error: ProblemError) -> Response:
        return response(error, request.state.request_id)

    @app.exception_handler(MienError)
    async def own(request: Request, error: MienError) -> Response:
        problem = problem_of(error)
        if problem.code in (Code.INTERNAL, Code.STORAGE_UNAVAILABLE):
            _LOG.error("request %s failed: %s", request.state.request_id, error)
        return response(problem, request.state.request_id)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        return response(ProblemError(Code.REQUEST_INVALID, _sentence(error)), request.state.request_id)

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        problem: ProblemError | None = getattr(request.state, "problem", None)  # of the body
        if problem is not None:
            return response(problem, request.state.request_id)
        code = _STATUS_CODES.get(error.status_code, Code.REQUEST_INVALID)
        answer = response(
            ProblemError(code, f"{error.detail}: {request.method} at this path"), request.state.request_id
        )
        answer.headers.update(error.headers or {})
        if error.status_code == 405:  # the framework names the methods of one route, and a path may have several
            answer.headers["Allow"] = ", ".join(methods_at(request))
        return answer


def _sentence(error: RequestValidationError) -> str:
    """The first thing that is wrong; without the value, which may be personal."""
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    return f"{place}: {first['msg']}"
