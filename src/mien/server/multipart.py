"""Forms with files (RFC 7578) from a body that is in memory; nothing is spooled to disk, as usual parsers would."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.message import Message
from email.parser import HeaderParser

from mien.server.problems import Code, ProblemError

MAX_PARTS = 1000
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")


@dataclass(frozen=True, slots=True)
class Part:
    """A field of a form.

    Attributes:
        name: the field's name.
        data: its value.
        is_file: whether it came with a file name, which is not kept.
    """

    name: str
    data: bytes
    is_file: bool


def boundary_of(content_type: str) -> str | None:
    """The boundary that a Content-Type names; None when it is no form with files.

    >>> boundary_of('multipart/form-data; boundary="a b"')
    'a b'
    """
    message = Message()
    message["Content-Type"] = content_type
    if message.get_content_type() != "multipart/form-data":
        return None
    boundary = message.get_param("boundary", "")
    if not isinstance(boundary, str) or not _BOUNDARY.fullmatch(boundary):
        raise _invalid("its Content-Type has no boundary")
    return boundary


def parse(body: bytes, boundary: str) -> list[Part]:
    """Take a form apart.

    Raises:
        ProblemError: it is no form, or has more than `MAX_PARTS` parts.
    """
    delimiter = b"\r\n--" + boundary.encode("ascii")
    pieces = (b"\r\n" + body).split(delimiter, MAX_PARTS + 2)
    if len(pieces) < 2:
        raise _invalid("its boundary does not occur")
    if len(pieces) > MAX_PARTS + 2:
        raise _invalid(f"it has more than {MAX_PARTS} parts")
    if not pieces[-1].startswith(b"--"):
        raise _invalid("it has no end")
    return [_part(piece) for piece in pieces[1:-1]]


def _part(piece: bytes) -> Part:
    """A part from what stands between two delimiters: padding, line end, headers, an empty line, the value."""
    padding, _, rest = piece.partition(b"\r\n")
    head, blank, data = (b"\r\n" + rest).partition(b"\r\n\r\n")
    if padding.strip(b" \t") or not blank:
        raise _invalid("a part has no headers")
    try:
        headers = HeaderParser().parsestr(head.lstrip(b"\r\n").decode("utf-8"))
    except UnicodeDecodeError as error:
        raise _invalid("a part's headers are not UTF-8") from error
    name = headers.get_param("name", None, "content-disposition")
    if not isinstance(name, str) or headers.get_content_disposition() != "form-data":
        raise _invalid("a part has no name")
    return Part(name, data, headers.get_param("filename", None, "content-disposition") is not None)


def _invalid(reason: str) -> ProblemError:
    return ProblemError(Code.REQUEST_INVALID, f"the form cannot be read: {reason}")
