"""Lets schemathesis, which loads this file by itself, come further than to "no photo" and "nobody of this name"."""

from __future__ import annotations

from pathlib import Path

import schemathesis
from hypothesis import strategies as st
from services import ADA

EXAMPLES = Path(__file__).parents[2] / "examples"
PHOTOS = [(EXAMPLES / f"{name}.jpg").read_bytes() for name in ("obama", "obama2", "biden")]

files = st.one_of(st.sampled_from(PHOTOS), st.sampled_from(PHOTOS).map(lambda photo: photo[:5000]), st.binary())
schemathesis.openapi.format("binary", files)
for kind in ("image/jpeg", "image/png", "image/webp", "application/octet-stream"):
    schemathesis.openapi.media_type(kind, files)


def _known(fields, *names):
    """Put the person who is enrolled into some of the fields."""
    if not isinstance(fields, dict):
        return fields
    chosen = {name: ADA for name in names if isinstance(fields.get(name), str) and len(fields[name]) % 2}
    return {**fields, **chosen}


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    return _known(path_parameters, "name")


@schemathesis.hook
def map_body(context, body):
    return _known(body, "name", "person")
