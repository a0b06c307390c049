"""Photos and fields out of a request's body."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.requests import Request

from mien.server.multipart import Part, boundary_of, parse
from mien.server.problems import Code, ProblemError

MAX_PHOTOS = 50
"""Most photos in one form."""

_RAW = ("image/", "application/octet-stream")


@dataclass(frozen=True, slots=True)
class Form:
    """A form with files."""

    parts: Sequence[Part]

    def photos(self, name: str) -> list[bytes]:
        """The values of a field; one at least.

        Raises:
            ProblemError: there is none, or there are too many.
        """
        found = [part.data for part in self.parts if part.name == name]
        if not found or len(found) > MAX_PHOTOS:
            raise ProblemError(
                Code.REQUEST_INVALID, f"the form has {len(found)} fields called {name}; send 1 to {MAX_PHOTOS} photos"
            )
        return found

    def photo(self, name: str) -> bytes:
        """The value of a field that occurs once; errors as of `photos`."""
        found = self.photos(name)
        if len(found) > 1:
            raise ProblemError(Code.REQUEST_INVALID, f"the form has {len(found)} fields called {name}; send one")
        return found[0]

    def texts(self, name: str) -> list[str]:
        """The texts of a field.

        Raises:
            ProblemError: one is not UTF-8.
        """
        try:
            return [part.data.decode("utf-8") for part in self.parts if part.name == name]
        except UnicodeDecodeError as error:
            raise ProblemError(Code.REQUEST_INVALID, f"the field {name} is not UTF-8; send text") from error

    def text(self, name: str) -> str | None:
        """The text of a field that occurs once at most; None when it does not."""
        found = self.texts(name)
        if len(found) > 1:
            raise ProblemError(Code.REQUEST_INVALID, f"the form has {len(found)} fields called {name}; send one")
        return found[0] if found else None

    def flag(self, name: str) -> bool:
        """Whether a field is ``true``; false without it.

        Raises:
            ProblemError: it is neither ``true`` nor ``false``.
        """
        text = self.text(name) or "false"
        if text not in ("true", "false"):
            raise ProblemError(Code.REQUEST_INVALID, f"{name} is {text[:20]!r}; send true or false")
        return text == "true"


async def read_form(request: Request) -> Form:
    """Read a form.

    Raises:
        ProblemError: the body is something else.
    """
    boundary = boundary_of(request.headers.get("content-type", ""))
    if boundary is None:
        raise ProblemError(Code.MEDIA_TYPE_UNKNOWN, "the body is no form; send multipart/form-data")
    return Form(parse(await request.body(), boundary))


async def read_photo(request: Request) -> bytes:
    """Read one photo: the body itself, or the field ``photo`` of a form.

    Raises:
        ProblemError: the body is something else.
    """
    content_type = request.headers.get("content-type", "")
    if content_type.lower().startswith(_RAW):
        return await request.body()
    if boundary_of(content_type) is None:
        raise ProblemError(
            Code.MEDIA_TYPE_UNKNOWN, "the body is no photo; send it as image/jpeg, image/png ... or multipart/form-data"
        )
    return (await read_form(request)).photo("photo")
