from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mien import Gallery, GalleryError
from mien.gallery import Exported, Person, Sample, from_lines, to_lines

NOW = datetime(2026, 5, 1, 12, 30, 15, tzinfo=UTC)


def exported(vectors, name="Ada"):
    samples = [Sample(k, NOW, f"{k}.jpg") for k in range(len(vectors))]
    return Exported(Person(1, name, "signed", NOW, None, len(vectors)), samples, vectors)


FLOATS = st.floats(float(np.float32(-1e30)), float(np.float32(1e30)), width=32)


@given(vectors=arrays(np.float32, st.tuples(st.integers(0, 4), st.just(3)), elements=FLOATS))
def test_numbers_survive_exactly(tiny_contract, vectors):
    lines = list(to_lines(tiny_contract, [exported(vectors)]))
    (back,) = from_lines(lines, tiny_contract, "file")
    np.testing.assert_array_equal(back.embeddings, vectors)
    assert back.embeddings.dtype == np.float32


def test_a_person_moves_with_everything(gallery, tmp_path, tiny_contract, vectors):
    gallery.enroll("Zoë", vectors(2), consent="in Grün", expires=NOW, now=NOW, sources=["a.jpg", "b.jpg"])
    gallery.enroll("Bo", vectors(1), consent="yes")
    lines = list(to_lines(gallery.contract, gallery.export(["Zoë"])))
    assert len(lines) == 2
    record = json.loads(lines[1])
    assert list(record) == ["name", "consent", "consents", "enrolled", "expires", "samples"]
    assert record["expires"] == "2026-05-01T12:30:15Z"
    with Gallery(tmp_path / "new.db", tiny_contract) as new:
        assert new.add(from_lines(lines, new.contract, "file")) == 1
        assert new.person("Zoë") == replace(gallery.person("Zoë"), number=1)
        assert [(s.source, s.added) for s in new.samples("Zoë")] == [("a.jpg", NOW), ("b.jpg", NOW)]
        np.testing.assert_array_equal(new.embeddings("Zoë"), vectors(2))
        assert list(to_lines(new.contract, new.export())) == lines


def test_all_that_a_person_agreed_to_moves_along(gallery, tmp_path, tiny_contract, vectors):
    for text in ("to the door", "to the gate", "to both"):
        gallery.enroll("Ada", vectors(1), consent=text)
    lines = list(to_lines(gallery.contract, gallery.export()))
    record = json.loads(lines[1])
    assert (record["consent"], record["consents"]) == ("to both", ["to the door", "to the gate", "to both"])
    with Gallery(tmp_path / "new.db", tiny_contract) as new:
        new.add(from_lines(lines, new.contract, "file"))
        assert new.person("Ada").consent == "to both"
        assert list(to_lines(new.contract, new.export())) == lines


def test_an_export_without_earlier_consents_is_read(gallery, vectors):
    header, line = to_lines(gallery.contract, [exported(vectors(1))])
    record = json.loads(line)
    del record["consents"]
    gallery.add(from_lines([header, json.dumps(record)], gallery.contract, "file"))
    assert gallery.person("Ada").consent == "signed"
    (again,) = gallery.export()
    assert again.consents == ["signed"]


def test_all_or_nobody(gallery, vectors):
    gallery.enroll("Ada", vectors(1), consent="yes")
    with pytest.raises(GalleryError, match="Ada is enrolled already"):
        gallery.add([exported(vectors(1), "Bo"), exported(vectors(1), "Ada")])
    with pytest.raises(GalleryError, match="Bo is enrolled already"):
        gallery.add([exported(vectors(1), "Bo"), exported(vectors(1), "Bo")])
    assert [person.name for person in gallery.people()] == ["Ada"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1 of file is no JSON"),
        ("{}", "not an export"),
        ("[1]", "not an export"),
        ('{"format": "mien-gallery", "version": 1, "model": "x", "embedding_size": 3}', "holds embeddings of x"),
        ("HEADER\nno", "line 2 of file is no JSON"),
        ("HEADER\n[]", "line 2 of file is no person"),
        ('HEADER\n\n{"name": "Ada"}', "line 3 of file is no person"),
        (
            'HEADER\n{"name": "A", "consent": "", "enrolled": "2026-05-01T12:30:15Z", "expires": null, '
            '"samples": [{"added": "2026-05-01T12:30:15Z", "source": "", "embedding": [1]}]}',
            "line 2 of file is no person",
        ),
        (
            'HEADER\n{"name": "A", "consent": "yes", "consents": ["yes", "no"], "enrolled": "2026-05-01T12:30:15Z", '
            '"expires": null, "samples": []}',
            "line 2 of file is no person .*the last of its consents",
        ),
    ],
)
def test_texts_that_are_no_export(text, message, tiny_contract):
    text = text.replace("HEADER", next(iter(to_lines(tiny_contract, []))).strip())
    with pytest.raises(GalleryError, match=message):
        list(from_lines(text.splitlines(), tiny_contract, "file"))
