from __future__ import annotations

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.server.multipart import MAX_PARTS, boundary_of, parse
from mien.server.problems import Code, ProblemError

# What an encoder writes as it is; it escapes quotes and line ends in its own way.
names = st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters='"\\'), min_size=1, max_size=20)
values = st.binary(max_size=300) | st.sampled_from([b"", b"\r\n", b"--", b"\r\n--x", b"\r\n\r\n", b"\n"])


@given(st.lists(st.tuples(names, values, st.booleans()), min_size=1, max_size=8))
def test_what_a_client_encodes_comes_back(fields):
    files = [(name, ("photo.jpg" if is_file else None, value)) for name, value, is_file in fields]
    request = httpx.Request("POST", "http://localhost", files=files)
    parts = parse(request.read(), boundary_of(request.headers["content-type"]))
    assert [(part.name, part.data, part.is_file) for part in parts] == fields


@given(st.binary(max_size=300) | st.binary(max_size=300).map(lambda rest: b"--x\r\n" + rest + b"\r\n--x--"))
def test_anything_else_is_a_problem_or_parts(body):
    try:
        parse(body, "x")
    except ProblemError as problem:
        assert problem.code is Code.REQUEST_INVALID


PART = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'


def test_what_stands_around_the_parts_is_passed_over():
    (part,) = parse(b"before\r\n" + PART.replace(b"--x\r\n", b"--x \t\r\n") + b"--x--\r\nafter", "x")
    assert (part.name, part.data) == ("a", b"1")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "does not occur"),
        (b"--y--", "does not occur"),
        (PART, "no end"),
        (PART + b"--x", "no end"),
        (b"--x\r\n1\r\n--x--", "no headers"),
        (b"--xy\r\n\r\n\r\n--x--", "no headers"),
        (b"--x\r\nContent-Type: text/plain\r\n\r\n1\r\n--x--", "no name"),
        (b'--x\r\nContent-Disposition: attachment; name="a"\r\n\r\n1\r\n--x--', "no name"),
        (b'--x\r\nContent-Disposition: form-data; name="\xff"\r\n\r\n1\r\n--x--', "not UTF-8"),
        (PART * (MAX_PARTS + 2) + b"--x--", f"more than {MAX_PARTS} parts"),
    ],
)
def test_what_is_no_form_is_told(body, reason):
    with pytest.raises(ProblemError, match=reason):
        parse(body, "x")


@pytest.mark.parametrize("given", ["", "text/plain", "multipart/mixed; boundary=x", "multipart/form-datax; boundary=x"])
def test_other_bodies_are_no_form(given):
    assert boundary_of(given) is None


@pytest.mark.parametrize(
    "parameter", ["", "; boundary=", '; boundary="a b "', "; boundary=" + "x" * 71, "; boundary=a\tb"]
)
def test_a_form_needs_a_boundary(parameter):
    with pytest.raises(ProblemError, match="no boundary"):
        boundary_of(f"multipart/form-data{parameter}")
