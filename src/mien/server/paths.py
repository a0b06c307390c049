"""Which paths are the page's, and which methods a path has."""

from __future__ import annotations

from pathlib import Path

from fastapi import Request
from fastapi.staticfiles import StaticFiles
from starlette.routing import Match, Mount
from starlette.types import Scope

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
"""Methods that are known; any other is answered as one that a path does not have."""

INTERFACE = ("/v1/", "/metrics")
"""Where the interface's paths begin."""

OPEN = ("/v1/service", "/v1/health", "/v1/ready", "/v1/problems", "/v1/openapi.json")
"""Paths of the interface that need no key, with all below them."""

_PAGE_METHODS = ("GET", "HEAD")


def needs_key(path: str) -> bool:
    """Whether calls at a path need a key, whether or not there is something at it.

    >>> needs_key("/v1/people"), needs_key("/v1/problems/busy"), needs_key("/index.html")
    (True, False, False)
    """
    return path.startswith(INTERFACE) and not any(path == open_ or path.startswith(f"{open_}/") for open_ in OPEN)


class Page(Mount):
    """The page's files, at all paths but those of the interface.

    A mount answers everything below it by itself, so that a wrong method would be answered for a file.

    Args:
        folder: with an index.html.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__("/", StaticFiles(directory=folder, html=True), name="page")

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Leave the interface's paths to others."""
        if scope["type"] != "http" or scope["path"].startswith(INTERFACE):
            return Match.NONE, {}
        return super().matches(scope)


def methods_at(request: Request) -> list[str]:
    """The methods that the path of a request has."""
    return [method for method in METHODS if _has(request, method)]


def _has(request: Request, method: str) -> bool:
    scope = {**{key: request.scope[key] for key in ("type", "path", "root_path", "headers")}, "method": method}
    for route in request.app.router.routes:
        if route.matches(scope)[0] is Match.FULL:
            return not isinstance(route, Page) or method in _PAGE_METHODS
    return False
