"""Who may call: keys and their roles, and what protects a service that is open on one's own machine."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Security
from fastapi.security import HTTPBearer
from fastapi.security.http import HTTPAuthorizationCredentials
from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection

from mien.server.keys import Role
from mien.server.paths import needs_key
from mien.server.problems import Code, ProblemError
from mien.server.service import Service, get_service
from mien.server.settings import is_local

PROXY_HEADERS = ("forwarded", "via", "x-real-ip")
"""With all that begin with ``x-forwarded-``: what proxies add."""

bearer = HTTPBearer(auto_error=False, description="An API key, made with `mien serve keys add`.", scheme_name="key")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls.

    Attributes:
        id: the key's id, or the address of a caller without a key.
        role: what is allowed.
    """

    id: str
    role: Role


async def admit(connection: HTTPConnection) -> Caller | None:
    """Let a connection pass, before anything of its body is read; None where no key is needed.

    Raises:
        ProblemError: a key is needed and none that is valid was sent; and as of `identify_caller`.
    """
    if not needs_key(connection.scope["path"]):
        return None
    caller = await identify_caller(connection, get_service(connection))
    if caller is None:
        raise ProblemError(Code.KEY_REQUIRED, "the request has no valid API key; send one as Authorization: Bearer")
    connection.state.caller = caller
    return caller


async def identify_caller(connection: HTTPConnection, service: Service) -> Caller | None:
    """Who calls, after the checks of `check_origin`; None: a key is needed, and none that is valid was sent.

    Until its first key is made a service is open on loopback, and there alone.

    Raises:
        ProblemError: the origin is refused, or requests come too fast.
    """
    check_origin(connection)
    address = connection.client.host if connection.client else "unknown"
    text = _key_of(connection)
    key = None if text is None else await run_in_threadpool(service.keys.find, text)
    caller = None if key is None else Caller(key.id, key.role)
    if caller is None and await run_in_threadpool(is_open, connection, service):
        check_local(connection)
        caller = Caller(address, Role.ADMIN)
    service.rate.check(address if caller is None else caller.id)
    return caller


def is_open(connection: HTTPConnection, service: Service) -> bool:
    """Whether a request needs no key; one that a proxy passed on may come from anywhere."""
    return service.settings.local and not _passed_on(connection) and not service.keys.needed()


def check_origin(connection: HTTPConnection) -> None:
    """Refuse what the page of another site sends from a visitor's browser.

    A browser sends forms and opens WebSockets to any address, this machine's too, without asking it first.

    Raises:
        ProblemError: the request has an origin that is not this service's.
    """
    origin = connection.headers.get("origin")
    if origin is not None and _place(origin) != connection.headers.get("host", "").lower():
        raise ProblemError(Code.ORIGIN_REFUSED, "the request comes from the page of another site")


def check_local(connection: HTTPConnection) -> None:
    """Refuse names that were made to point at this machine (DNS rebinding).

    Raises:
        ProblemError: the request was not made for a loopback address.
    """
    try:
        host = urlsplit(f"//{connection.headers.get('host', '')}").hostname or ""
    except ValueError:
        host = ""
    if not is_local(host):
        raise ProblemError(Code.ORIGIN_REFUSED, "without keys the service answers to localhost alone; make a key")


def require(role: Role) -> Callable[..., Awaitable[Caller]]:
    """A dependency that lets callers of a role pass."""

    async def caller(
        connection: HTTPConnection,
        _: Annotated[HTTPAuthorizationCredentials | None, Security(bearer)],  # documents the scheme
    ) -> Caller:
        return admitted(connection, role)

    return caller


def admitted(connection: HTTPConnection, role: Role) -> Caller:
    """The caller that `admit` let pass, who must have a role.

    Raises:
        ProblemError: there is none, or the role does not suffice.
    """
    caller: Caller | None = getattr(connection.state, "caller", None)
    if caller is None:
        raise ProblemError(Code.KEY_REQUIRED, "the request has no valid API key; send one as Authorization: Bearer")
    if not caller.role.includes(role):
        raise ProblemError(Code.ROLE_INSUFFICIENT, f"the key's role is {caller.role}; this needs {role}")
    return caller


Analyser = Annotated[Caller, Depends(require(Role.ANALYSE))]
Enroller = Annotated[Caller, Depends(require(Role.ENROL))]
Administrator = Annotated[Caller, Depends(require(Role.ADMIN))]


def _place(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:  # as of "http://["
        return None


def _passed_on(connection: HTTPConnection) -> bool:
    """Whether a proxy says that it passed the request on; not all do."""
    return any(name in PROXY_HEADERS or name.startswith("x-forwarded-") for name in connection.headers)


def _key_of(connection: HTTPConnection) -> str | None:
    scheme, _, text = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return text.strip()
    if connection.scope["type"] == "websocket":
        offered = connection.scope.get("subprotocols", ())
        return next((name.removeprefix("key.") for name in offered if name.startswith("key.")), None)
    return None
