"""What every request passes: its id, its limits, its line in the log, its metrics, and headers for browsers."""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from mien.errors import MienError
from mien.server.access import admit
from mien.server.connections import Connections
from mien.server.limits import Slots
from mien.server.metrics import Metrics
from mien.server.paths import METHODS
from mien.server.problems import Code, ProblemError, problem_of, response
from mien.server.settings import Limits
from mien.server.sockets import refuse

BODY_SECONDS = 30.0
"""Within which a body must have arrived: a slow sender holds memory and a place."""

UNCOUNTED = ("/v1/health", "/v1/ready", "/metrics")
"""Paths that must answer when all places are taken."""

_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_LOG = logging.getLogger("mien.requests")

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "media-src 'self' blob:; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Gate:
    """The outermost ASGI application.

    Args:
        app: what is behind it.
        limits: of bodies and of requests at the same time.
        metrics: where to count.
        connections: where to tell which of them are at work.
    """

    def __init__(self, app: ASGIApp, *, limits: Limits, metrics: Metrics, connections: Connections) -> None:
        self._app, self._limits, self._metrics, self._connections = app, limits, metrics, connections
        self._slots, self._sockets = Slots(limits.concurrency), Slots(limits.concurrency)
        self._open_slots = Slots(limits.concurrency)  # for who has no key, and takes nobody's place who has one

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a connection."""
        if scope["type"] not in ("http", "websocket"):
            return await self._app(scope, receive, send)
        request_id = _request_id(Headers(scope=scope))
        scope.setdefault("state", {})["request_id"] = request_id
        client = scope.get("client")
        send = _watched(send, partial(self._connections.sending, client))
        with self._connections.answering(client):
            if scope["type"] == "websocket":
                return await self._websocket(scope, receive, send)
            with self._counted(scope) as answer:
                return await self._http(scope, receive, _Sender(send, answer, request_id, scope["path"]))

    async def _http(self, scope: Scope, receive: Receive, send: _Sender) -> None:
        try:
            _check_framing(scope)
            caller = await admit(HTTPConnection(scope))
            if scope["path"] in UNCOUNTED:
                return await self._app(scope, receive, send)
            with (self._open_slots if caller is None else self._slots).one():
                return await self._app(scope, _Body(scope, receive, self._limits.body), send)
        except MienError as error:
            await response(problem_of(error), send.request_id)(scope, receive, send)
        except ProblemError as problem:
            await response(problem, send.request_id)(scope, receive, send)
        except Exception:
            _LOG.exception("request %s failed", send.request_id)
            if send.answer.status:
                raise  # half an answer is out
            failure = ProblemError(Code.INTERNAL, "the service failed; tell the operator the request id")
            await response(failure, send.request_id)(scope, receive, send)

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        with ExitStack() as held:
            try:
                await admit(HTTPConnection(scope))
                held.enter_context(self._sockets.one())
            except (MienError, ProblemError) as error:
                problem = error if isinstance(error, ProblemError) else problem_of(error)
                await refuse(WebSocket(scope, receive, send), problem)
                return self._connections.end(scope.get("client"))  # or it could still send what nobody asked for
            return await self._app(scope, receive, send)

    @contextmanager
    def _counted(self, scope: Scope) -> Iterator[_Answer]:
        answer, start = _Answer(), time.perf_counter()
        self._metrics.working.inc()
        try:
            yield answer
        finally:
            self._metrics.working.dec()
            seconds, route, method = time.perf_counter() - start, _route(scope), _method(scope)
            self._metrics.requests.labels(method, route, answer.status).inc()
            self._metrics.seconds.labels(route).observe(seconds)
            request_id = scope["state"]["request_id"]
            _LOG.info("%s %s %s %d %.0f ms", request_id, method, route, answer.status, 1000 * seconds)


def _watched(send: Send, sending: Callable[[], AbstractContextManager[None]]) -> Send:
    async def watched(message: Message) -> None:
        with sending():
            await send(message)

    return watched


class _Answer:
    """What has gone out so far; the status is 0 before the answer's head."""

    status = 0


class _Sender:
    """Adds headers to the answer."""

    def __init__(self, send: Send, answer: _Answer, request_id: str, path: str) -> None:
        self._send, self.answer, self.request_id, self._path = send, answer, request_id, path

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.answer.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers["x-request-id"] = self.request_id
            for name, value in _HEADERS.items():
                headers[name] = value
            headers.setdefault("Cache-Control", "no-store" if self._path.startswith("/v1") else "no-cache")
        await self._send(message)


class _Body:
    """Receives a body up to a size and a time.

    The framework wraps what is raised while it reads a body, so the problem is in the scope's state too: ``problem``.

    Raises:
        ProblemError: it is too large or too slow.
    """

    def __init__(self, scope: Scope, receive: Receive, most: int) -> None:
        self._receive, self._left, self._most, self._state = receive, most, most, scope["state"]
        self._end = time.monotonic() + BODY_SECONDS
        self._complete = False
        length = Headers(scope=scope).get("content-length", "")
        if length.isdecimal() and int(length[:20]) > most:
            raise self._too_large()

    async def __call__(self) -> Message:
        if self._complete:
            return await self._receive()  # waits for the client to go away
        try:
            message = await asyncio.wait_for(self._receive(), self._end - time.monotonic())
        except TimeoutError as error:
            detail = f"the body did not arrive within {BODY_SECONDS:g} s"
            raise self._noted(ProblemError(Code.BODY_TOO_SLOW, detail)) from error
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise self._too_large()
        self._complete = not message.get("more_body", False)
        return message

    def _too_large(self) -> ProblemError:
        return self._noted(ProblemError(Code.BODY_TOO_LARGE, f"the body is larger than {self._most} bytes"))

    def _noted(self, problem: ProblemError) -> ProblemError:
        self._state["problem"] = problem
        return problem


def _check_framing(scope: Scope) -> None:
    """Refuse what two servers could understand as bodies of different lengths (RFC 9112, section 6.1)."""
    names = {name for name, _ in scope["headers"]}
    if b"transfer-encoding" in names and (b"content-length" in names or scope["http_version"] == "1.0"):
        detail = "the request tells its length in two ways; send either Content-Length or Transfer-Encoding"
        raise ProblemError(Code.FRAMING_AMBIGUOUS, detail)


def _request_id(headers: Headers) -> str:
    given = headers.get("x-request-id", "")
    return given if _ID.fullmatch(given) else secrets.token_hex(16)


def _route(scope: Scope) -> str:
    """The route's template: paths hold names."""
    path = getattr(scope.get("route"), "path", None)
    return path if isinstance(path, str) and path else "other"


def _method(scope: Scope) -> str:
    """The method, of those that there are: it becomes a label."""
    method: str = scope["method"]
    return method if method in METHODS else "other"
