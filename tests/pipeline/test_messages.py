from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from mien.pipeline.messages import receive, send

values = st.recursive(
    st.one_of(
        st.none(),
        st.integers(),
        st.text(),
        st.binary(),
        arrays.arrays(
            st.sampled_from(["<f4", ">f4", "u1", "i8", "?"]), arrays.array_shapes(min_dims=0, max_dims=3, min_side=0)
        ),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(), inner, max_size=3)),
    max_leaves=8,
)


def same(a, b):
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    return type(a) is type(b) and a == b


@given(st.lists(values, max_size=4))
def test_what_is_sent_is_received_one_after_the_other(sent):
    stream = io.BytesIO()
    for value in sent:
        send(stream, value)
    stream.seek(0)
    assert all(same(value, receive(stream)) for value in sent)
    with pytest.raises(EOFError):
        receive(stream)


@given(values, st.data())
def test_a_message_that_was_cut_is_the_end(value, data):
    stream = io.BytesIO()
    send(stream, value)
    whole = stream.getvalue()
    with pytest.raises(EOFError):
        receive(io.BytesIO(whole[: data.draw(st.integers(0, len(whole) - 1))]))


def test_arrays_are_not_copied_into_the_description():
    stream = io.BytesIO()
    array = np.zeros((1000, 1000), np.uint8)
    send(stream, [array, array[:, :10]])
    assert len(stream.getvalue()) < 1_000_000 + 10_000 + 2000
    stream.seek(0)
    assert receive(stream)[0].flags.writeable
