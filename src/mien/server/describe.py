"""What the OpenAPI tells of a call beyond its types: bodies, an example, the problems it can end with."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from mien.server.problems import KINDS, MEDIA_TYPE, Code
from mien.server.schemas import ProblemAnswer

Json = dict[str, Any]

_EXAMPLE = "x-example"
"""Carries an example, as text, through the framework: it would leave out what is null, which the schemas require."""

COMMON = (Code.REQUEST_INVALID, Code.RATE_EXCEEDED, Code.BUSY, Code.STORAGE_UNAVAILABLE, Code.INTERNAL)
KEYED = (Code.KEY_REQUIRED, Code.ROLE_INSUFFICIENT, Code.ORIGIN_REFUSED)
BODY = (Code.BODY_TOO_LARGE, Code.BODY_TOO_SLOW, Code.MEDIA_TYPE_UNKNOWN)

FILE: Json = {"type": "string", "format": "binary"}
FILES: Json = {"type": "array", "items": FILE, "minItems": 1}


def photo_body() -> Json:
    """A body of one photo: itself, or in a form."""
    images = {kind: {"schema": FILE} for kind in ("image/jpeg", "image/png", "image/webp", "application/octet-stream")}
    return {**images, **form_body({"photo": FILE}, ["photo"])}


def form_body(fields: Mapping[str, Json], required: Sequence[str]) -> Json:
    """A form with files."""
    schema = {"type": "object", "properties": dict(fields), "required": list(required)}
    return {"multipart/form-data": {"schema": schema}}


def call(
    curl: str,
    example: object,
    *,
    problems: Sequence[Code] = (),
    body: Json | None = None,
    keyed: bool = True,
    status: int = 200,
    media_type: str = "application/json",
) -> Json:
    """Arguments of a route.

    Args:
        curl: how to make the call, after ``curl http://localhost:8000``.
        example: an answer.
        problems: what it can end with, beside what every call can.
        body: its content by media type, when the types of the function do not tell it.
        keyed: whether it needs a key.
        status: of the answer.
        media_type: of the answer.
    """
    codes = [*COMMON, *(KEYED if keyed else ()), *(BODY if body else ()), *problems]
    extra: Json = {
        "x-codeSamples": [{"lang": "shell", "source": f"curl http://localhost:8000{curl}"}],
        _EXAMPLE: json.dumps({"status": status, "media_type": media_type, "example": example}),
    }
    if body:
        extra["requestBody"] = {"required": True, "content": body}
    answer = {"description": "Done", "content": {media_type: {}}}
    return {"status_code": status, "responses": {status: answer} | _problems(codes), "openapi_extra": extra}


def install(app: FastAPI) -> None:
    """Let an application describe itself with the schema of problems, and without that of its framework's errors."""

    def openapi() -> Json:
        if app.openapi_schema is None:
            document = get_openapi(
                title=app.title,
                version=app.version,
                summary=app.summary,
                description=app.description,
                routes=app.routes,
            )
            schemas = document.setdefault("components", {}).setdefault("schemas", {})
            schemas["ProblemAnswer"] = ProblemAnswer.model_json_schema()
            for name in ("HTTPValidationError", "ValidationError"):
                schemas.pop(name, None)
            for path in document["paths"].values():
                for operation in path.values():
                    _put_example(operation)
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _put_example(operation: Json) -> None:
    given = json.loads(operation.pop(_EXAMPLE))
    operation["responses"][str(given["status"])]["content"][given["media_type"]]["example"] = given["example"]


def _problems(codes: Sequence[Code]) -> dict[int, Json]:
    by_status: dict[int, list[Code]] = {}
    for code in codes:
        by_status.setdefault(KINDS[code].status, []).append(code)
    return {status: _problem(group) for status, group in sorted(by_status.items())}


def _problem(codes: Sequence[Code]) -> Json:
    description = "; ".join(f"`{code}`: {KINDS[code].title}" for code in codes)
    schema = {"$ref": "#/components/schemas/ProblemAnswer"}
    return {"description": description, "content": {MEDIA_TYPE: {"schema": schema}}}
