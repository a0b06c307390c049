from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.gallery import index as module
from mien.gallery.index import Index


@pytest.fixture(autouse=True, scope="module")
def small_chunks():
    before, module.CHUNK = module.CHUNK, 8
    yield
    module.CHUNK = before


def build(vectors, people):
    rows = [(n + 1, int(p), v.tobytes()) for n, (v, p) in enumerate(zip(vectors, people, strict=True))]
    return Index(vectors.shape[1]).with_rows(rows)


def brute_force(vectors, people, samples, query, k):
    best = {}
    for vector, person, sample in zip(vectors.astype(np.float64), people, samples, strict=True):
        distance = float(np.sqrt(((vector - query.astype(np.float64)) ** 2).sum()))
        best[person] = min(best.get(person, (np.inf, 0)), (distance, int(sample)))
    return sorted((distance, int(person), sample) for person, (distance, sample) in best.items())[:k]


@st.composite
def galleries(draw):
    """Small numbers on a grid, so that distances are often equal; scaled, so that rounding matters."""
    count, size = draw(st.integers(1, 40)), draw(st.integers(1, 4))
    seed, scale = draw(st.integers(0, 2**32 - 1)), draw(st.sampled_from([1.0, 1e-3, 3e4]))
    rng = np.random.default_rng(seed)
    offset = draw(st.sampled_from([0.0, 100.0]))  # large common part: the product in float32 cancels
    vectors = ((rng.integers(-2, 3, (count, size)) + offset) * scale).astype(np.float32)
    query = ((rng.integers(-2, 3, size) + offset) * scale).astype(np.float32)
    return vectors, rng.integers(1, draw(st.integers(1, 20)) + 1, count), query


@given(galleries(), st.integers(1, 25))
@settings(max_examples=300, deadline=None)
def test_search_is_that_of_comparing_with_each(gallery, k):
    vectors, people, query = gallery
    found = build(vectors, people).nearest(query, k)
    expected = brute_force(vectors, people, range(1, len(vectors) + 1), query, k)
    assert [(near.person, near.sample) for near in found] == [(person, sample) for _, person, sample in expected]
    np.testing.assert_allclose([near.distance for near in found], [d for d, _, _ in expected], rtol=1e-12, atol=0)


@given(galleries(), st.sets(st.integers(1, 40)), st.sets(st.integers(1, 20)))
@settings(max_examples=200, deadline=None)
def test_removed_samples_and_hidden_people_are_not_found(gallery, removed, hidden):
    vectors, people, query = gallery
    index = build(vectors, people).without(removed)
    samples = np.arange(1, len(vectors) + 1)
    kept = ~np.isin(samples, list(removed)) & ~np.isin(people, list(hidden))
    found = index.nearest(query, 5, np.array(sorted(hidden), np.int64))
    expected = brute_force(vectors[kept], people[kept], samples[kept], query, 5)
    assert [(near.person, near.sample) for near in found] == [(person, sample) for _, person, sample in expected]


def test_an_older_state_does_not_change():
    rng = np.random.default_rng(0)
    vectors, people = rng.normal(size=(20, 3)).astype(np.float32), np.arange(1, 21)
    old = build(vectors, people)
    answer = old.nearest(vectors[5], 3)
    new = old.with_rows([(21, 21, vectors[5].tobytes())]).without([6])
    assert old.nearest(vectors[5], 3) == answer
    assert answer[0].person == 6
    assert (len(old), len(new)) == (20, 20)
    assert new.nearest(vectors[5], 1)[0].person == 21


def test_nobody():
    assert Index(3).nearest(np.zeros(3, np.float32), 5) == []
    index = Index(3).with_rows([(1, 1, np.zeros(3, np.float32).tobytes())]).without([1])
    assert len(index) == 0
    assert index.last_sample == 1
    assert index.nearest(np.zeros(3, np.float32), 5) == []
