from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from mien.drawing import COLOURS, annotate
from mien.types import Box, Expression, ExpressionScores, Face


def face(box, expression=Expression.HAPPINESS):
    scores = None if expression is None else ExpressionScores((expression,), (1.0,))
    return Face(Box(*box), 0.99, None, True, None, scores)


def painted(picture):
    return np.argwhere((np.asarray(picture) != 128).any(axis=2))


@pytest.mark.parametrize("size", [(400, 300), (4000, 3000)])
def test_sizes_follow_the_photo(size):
    grey = Image.new("RGB", size, (128, 128, 128))
    scale = size[0] / 400
    drawn = annotate(grey, [face(np.array([150, 100, 250, 230]) * scale)])
    assert (np.asarray(grey) == 128).all()
    assert drawn.size == size
    rows, columns = painted(drawn).T / scale
    assert columns.min() == pytest.approx(149, abs=2)
    assert rows.max() == pytest.approx(231, abs=2)
    assert 80 < rows.min() < 95  # the label


@given(
    st.lists(st.tuples(*[st.floats(-300, 500)] * 2, *[st.floats(0, 600)] * 2), min_size=1, max_size=5),
    st.tuples(st.integers(1, 400), st.integers(1, 400)),
    st.sampled_from([None, *Expression]),
)
def test_any_box_can_be_drawn(boxes, size, expression):
    grey = Image.new("RGB", size, (128, 128, 128))
    faces = [face((x, y, x + width, y + height), expression) for x, y, width, height in boxes]
    assert annotate(grey, faces).size == size


@pytest.mark.parametrize("box", [(0, 0, 120, 150), (280, 150, 400, 300), (300, -20, 420, 120), (0, 0, 400, 300)])
def test_labels_stay_inside(box):
    drawn = np.asarray(annotate(Image.new("RGB", (400, 300), (128, 128, 128)), [face(box)]))
    plate = (drawn == COLOURS[Expression.HAPPINESS]).all(axis=2)
    rows = np.flatnonzero(plate.sum(axis=1) > 60)
    assert rows.size >= 10


def test_labels_of_neighbours_do_not_overlap():
    boxes = [(50 + 60 * k, 100, 100 + 60 * k, 160) for k in range(4)]
    grey = Image.new("RGB", (400, 300), (128, 128, 128))
    colours = [Expression.HAPPINESS, Expression.ANGER, Expression.SADNESS, Expression.DISGUST]
    drawn = np.asarray(annotate(grey, [face(box, name) for box, name in zip(boxes, colours, strict=True)]))
    alone = [np.asarray(annotate(grey, [face(boxes[0], name)])) for name in colours]
    for name, single in zip(colours, alone, strict=True):
        assert (drawn == COLOURS[name]).all(axis=2).sum() > 0.8 * (single == COLOURS[name]).all(axis=2).sum()


def test_every_expression_has_a_colour():
    assert set(COLOURS) == set(Expression)
