from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
import threading
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from mien import Gallery, GalleryError, ModelError, PersonExistsError, PersonNotFoundError
from mien.contract import Contract
from mien.gallery import NOBODY, Thresholds
from mien.gallery.database import bucket
from mien.outputs import face_outputs
from mien.types import Expression

NOW = datetime(2026, 5, 1, tzinfo=UTC)


def test_enrol_and_identify(gallery):
    gallery.enroll("Ada", [[0, 0, 0], [1, 0, 0]], consent="signed", now=NOW, sources=["a.jpg", "b.jpg"])
    person = gallery.enroll("Bo", [5, 0, 0], consent="said yes", expires=NOW, now=NOW - timedelta(days=1))
    assert (person.name, person.samples, person.expires) == ("Bo", 1, NOW)
    result = gallery.identify([1.5, 0, 0], threshold=0.6, now=NOW - timedelta(hours=1))
    assert [(m.name, m.distance, m.sample) for m in result.matches] == [("Ada", 0.5, 2), ("Bo", 3.5, 3)]
    assert result.known is result.matches[0]
    assert gallery.identify([1.5, 0, 0], threshold=0.4).known is None
    assert [(s.number, s.source, s.added) for s in gallery.samples("Ada")] == [(1, "a.jpg", NOW), (2, "b.jpg", NOW)]
    np.testing.assert_array_equal(gallery.embeddings("Ada"), [[0, 0, 0], [1, 0, 0]])


def test_who_never_agreed_is_not_enrolled(gallery):
    with pytest.raises(GalleryError, match="Ada is new and has given no consent"):
        gallery.enroll("Ada", [0, 0, 0], consent=" ")
    gallery.enroll("Ada", [0, 0, 0], consent="once")
    assert gallery.enroll("Ada", [1, 0, 0]).consent == "once"
    assert gallery.enroll("Ada", [1, 0, 0], consent="again").consent == "again"


def test_only_who_is_expected_is_enrolled(gallery):
    ada = gallery.enroll("Ada", [0, 0, 0], consent="yes", expected=NOBODY)
    with pytest.raises(PersonExistsError, match="Ada is enrolled already; add samples to that person, or choose"):
        gallery.enroll("Ada", [1, 0, 0], consent="yes", expected=NOBODY)
    assert gallery.enroll("Ada", [1, 0, 0], expected=ada.number).samples == 2
    gallery.remove("Ada")
    with pytest.raises(PersonNotFoundError, match="Ada was removed meanwhile"):
        gallery.enroll("Ada", [1, 0, 0], consent="yes", expected=ada.number)
    assert gallery.people() == []
    gallery.enroll("Ada", [5, 0, 0], consent="another person of this name")
    with pytest.raises(PersonNotFoundError):
        gallery.enroll("Ada", [1, 0, 0], expected=ada.number)
    assert gallery.person("Ada").samples == 1


def test_a_consent_that_ended(gallery):
    gallery.enroll("Ada", [0, 0, 0], consent="for a year", expires=NOW)
    gallery.enroll("Bo", [1, 0, 0], consent="for ever")
    before = gallery.identify([0, 0, 0], now=NOW - timedelta(seconds=1))
    assert before.known.name == "Ada"
    assert [match.name for match in gallery.identify([0, 0, 0], now=NOW).matches] == ["Bo"]
    assert gallery.stats(NOW).expired == 1
    removal = gallery.remove_expired(NOW)
    assert (removal.names, removal.samples, removal.pending) == (("Ada",), 1, False)
    assert [person.name for person in gallery.people()] == ["Bo"]


def test_nobody_is_enrolled_further_whose_consent_has_ended(gallery):
    gallery.enroll("Ada", [0, 0, 0], consent="for a year", expires=NOW)
    for end in (None, NOW + timedelta(days=1)):
        with pytest.raises(GalleryError, match="of Ada ended on 2026-05-01; tell what the person agrees to"):
            gallery.enroll("Ada", [1, 0, 0], expires=end, now=NOW)
    assert gallery.person("Ada").samples == 1
    assert gallery.enroll("Ada", [1, 0, 0], now=NOW - timedelta(seconds=1)).expires == NOW


def test_a_new_consent_takes_the_place_of_the_old_ones_end(gallery):
    gallery.enroll("Ada", [0, 0, 0], consent="for a year", expires=NOW)
    ada = gallery.enroll("Ada", [1, 0, 0], consent="renewed, no end", now=NOW)
    assert (ada.consent, ada.expires, ada.samples) == ("renewed, no end", None, 2)
    assert gallery.identify([0, 0, 0], now=NOW).known.name == "Ada"
    later = NOW + timedelta(days=1)
    assert gallery.enroll("Ada", [1, 0, 0], consent="for a day", expires=later, now=NOW).expires == later
    ada = gallery.enroll("Ada", [1, 0, 0], expires=later + timedelta(days=1), now=NOW)
    assert (ada.consent, ada.expires) == ("for a day", later + timedelta(days=1))


def test_refusals(gallery, path):
    gallery.enroll("Ada", [0, 0, 0], consent="yes")
    for call, message in (
        (lambda: gallery.enroll("Bo", [0, 0], consent="yes"), "give 3 numbers"),
        (lambda: gallery.enroll("Bo", [0, 0, np.nan], consent="yes"), "not finite"),
        (lambda: gallery.enroll(" ", [0, 0, 0], consent="yes"), "the name '' is no readable text"),
        (lambda: gallery.enroll("A\nB", [0, 0, 0], consent="yes"), "no readable text"),
        (lambda: gallery.enroll("A\u202eB", [0, 0, 0], consent="yes"), "no readable text"),
        (lambda: gallery.enroll("A" * 201, [0, 0, 0], consent="yes"), "1 to 200 characters"),
        (lambda: gallery.enroll("AC/DC", [0, 0, 0], consent="yes"), "without /"),
        (lambda: gallery.enroll("..", [0, 0, 0], consent="yes"), "no readable text"),
        (lambda: gallery.identify([[0, 0, 0], [1, 0, 0]]), "one face at a time"),
        (lambda: gallery.identify([0, 0, 0], threshold=np.nan), "is no distance"),
        (lambda: gallery.identify([0, 0, 0], threshold=-1), "is no distance"),
        (lambda: gallery.enroll("Ada", [0, 0, 0], sources=["a", "b"]), "2 sources"),
        (lambda: gallery.identify([0, 0, 0], k=0), "at least one person"),
        (lambda: gallery.remove("Ada", "Bo"), "nobody called 'Bo'"),
        (lambda: gallery.remove_sample("Ada", 7), "samples are: 1"),
        (lambda: gallery.person("Bo"), "nobody called 'Bo'"),
    ):
        with pytest.raises(GalleryError, match=message) as caught:
            call()
        assert "\n" not in str(caught.value)
    assert [(person.name, person.samples) for person in gallery.people()] == [("Ada", 1)]


def test_the_file_is_its_owners_alone(gallery, path):
    gallery.enroll("Ada", [0, 0, 0], consent="yes")
    files = sorted(path.parent.glob("people.db*"))
    assert [file.name for file in files] == ["people.db", "people.db-shm", "people.db-wal"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    gallery.close()
    path.chmod(0o644)
    Gallery(path).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_another_models_gallery_is_refused_with_the_way_out(gallery, path, tiny_contract):
    other = replace(tiny_contract, model_id="tiny-2")
    with pytest.raises(GalleryError, match=r"holds embeddings of tiny-1, which tiny-2 .* with --model, or enroll"):
        Gallery(path, other)
    with pytest.raises(GalleryError, match="tiny-2"):
        gallery.check_model(other)
    assert Gallery(path).contract == tiny_contract


def test_a_model_without_identity_has_no_gallery(path, tiny_contract):
    with pytest.raises(ModelError, match="no identity output"):
        Gallery(path, tiny_contract.without("embedding"))


def test_files_that_are_no_gallery(tmp_path, tiny_contract):
    (tmp_path / "text").write_text("no database, but long enough to be read as one" * 100)
    (tmp_path / "empty").touch()
    with sqlite3.connect(tmp_path / "other") as db:
        db.execute("CREATE TABLE t (a)")
    db.close()
    before = (tmp_path / "other").read_bytes()
    for name in ("text", "empty", "other"):
        (tmp_path / name).chmod(0o644)
    for name, message in (
        ("text", "not a gallery"),
        ("empty", "not a gallery"),
        ("other", "not a gallery"),
        ("gone", "does not exist"),
        (".", "not a regular file"),
    ):
        with pytest.raises(GalleryError, match=message):
            Gallery(tmp_path / name)
    with pytest.raises(GalleryError, match="not a gallery"):
        Gallery(tmp_path / "other", tiny_contract)
    assert (tmp_path / "other").read_bytes() == before
    assert [(tmp_path / name).stat().st_mode & 0o777 for name in ("text", "empty", "other")] == [0o644] * 3
    with pytest.raises(GalleryError, match="cannot be opened"):
        Gallery(tmp_path / "no" / "folder.db", tiny_contract)


def test_a_newer_format_is_refused(gallery, path):
    gallery.close()
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 2")
    db.close()
    with pytest.raises(GalleryError, match="format 2, this mien reads 1"):
        Gallery(path)


def test_thresholds_are_the_models_until_calibrated(gallery, path, tiny_contract):
    assert gallery.thresholds.identification == tiny_contract.threshold.distance
    chosen = Thresholds("tiny-1", 0.5, 0.4, 1e-3, "my photos", 9)
    gallery.thresholds = chosen
    assert Gallery(path).thresholds == chosen
    gallery.enroll("Ada", [0, 0, 0], consent="yes")
    assert gallery.identify([0.45, 0, 0]).known is None
    assert gallery.identify([0.35, 0, 0]).known.name == "Ada"
    with pytest.raises(GalleryError, match="calibration is of model other"):
        gallery.thresholds = replace(chosen, model_id="other")


def test_no_threshold_is_said(path, tiny_contract):
    with (
        Gallery(path, replace(tiny_contract, thresholds=None)) as gallery,
        pytest.raises(GalleryError, match="mien calibrate"),
    ):
        gallery.identify([0, 0, 0])


def test_a_gallery_without_a_threshold_tells_what_it_holds(path, tiny_contract):
    with Gallery(path, replace(tiny_contract, thresholds=None)) as gallery:
        gallery.enroll("Ada", [0, 0, 0], consent="yes")
        stats = gallery.stats()
        assert (stats.people, stats.threshold) == (1, None)
        assert "mien calibrate" in stats.threshold_from
        gallery.thresholds = Thresholds("tiny-1", 0.5, 0.4, 1e-3, "my photos", 9)
        assert (gallery.stats().threshold, gallery.stats().threshold_from) == (0.4, "my photos")


def test_searches_while_others_enrol_and_remove(path, wide_contract, vectors):
    """Threads that search always see a person who is there all the time, and no error."""
    data = vectors(60, 128)
    errors = []
    with Gallery(path, wide_contract) as gallery:
        gallery.enroll("stays", data[0], consent="yes")
        done = threading.Event()

        def search():
            try:
                while not done.is_set():
                    if gallery.identify(data[0], k=3, threshold=1.0).known.name != "stays":
                        errors.append("somebody else")
            except Exception as error:  # noqa: BLE001
                errors.append(error)

        threads = [threading.Thread(target=search) for _ in range(2)]
        for thread in threads:
            thread.start()
        for number, vector in enumerate(data[1:40], start=1):
            gallery.enroll(f"p{number}", vector, consent="yes")
            if number % 4 == 0:
                gallery.remove(f"p{number - 2}")
        done.set()
        for thread in threads:
            thread.join()
        assert errors == []
        assert gallery.load() == 1 + 39 - 9


CONTRACT = Contract(
    model_id="tiny-1",
    crop_size=8,
    template=((2.0, 3.0), (6.0, 3.0), (4.0, 4.5), (2.5, 6.0), (5.5, 6.0)),
    outputs=face_outputs(2, (Expression.NEUTRAL,)),
    thresholds=None,
    provenance="",
    terms="",
)
NAMES = st.sampled_from(["Ada", "Bo", "Çelik", "Dé", "丁"])
POINTS = st.tuples(st.integers(-3, 3), st.integers(-3, 3))


class AnyOrder(RuleBasedStateMachine):
    """A gallery used by two handles, against a dict of lists."""

    def __init__(self):
        super().__init__()
        self.folder = TemporaryDirectory()
        self.path = f"{self.folder.name}/people.db"
        self.handles = [Gallery(self.path, CONTRACT), Gallery(self.path)]
        self.model: dict[str, list[tuple[int, int]]] = {}

    @rule(name=NAMES, points=st.lists(POINTS, min_size=1, max_size=3), which=st.integers(0, 1))
    def enroll(self, name, points, which):
        person = self.handles[which].enroll(name, points, consent="yes")
        self.model.setdefault(name, []).extend(points)
        assert person.samples == len(self.model[name])

    @precondition(lambda self: self.model)
    @rule(data=st.data(), which=st.integers(0, 1))
    def remove(self, data, which):
        name = data.draw(st.sampled_from(sorted(self.model)))
        removal = self.handles[which].remove(name)
        assert removal.samples == len(self.model.pop(name))
        assert not removal.pending

    @precondition(lambda self: any(self.model.values()))
    @rule(data=st.data(), which=st.integers(0, 1))
    def remove_sample(self, data, which):
        name = data.draw(st.sampled_from(sorted(name for name, points in self.model.items() if points)))
        place = data.draw(st.integers(0, len(self.model[name]) - 1))
        number = self.handles[which].samples(name)[place].number
        self.handles[which].remove_sample(name, number)
        del self.model[name][place]

    @rule(which=st.integers(0, 1))
    def reopen(self, which):
        self.handles[which].close()
        self.handles[which] = Gallery(self.path, CONTRACT)

    @rule()
    def move_everybody(self):
        exported = list(self.handles[0].export())
        for record in exported:
            self.handles[1].remove(record.person.name)
        assert self.handles[0].people() == []
        assert self.handles[1].add(exported) == len(self.model)

    @rule(query=POINTS, k=st.integers(1, 6), which=st.integers(0, 1))
    def identify(self, query, k, which):
        found = self.handles[which].identify(query, k, threshold=1.0).matches
        best = {
            name: min(float(np.hypot(x - query[0], y - query[1])) for x, y in points)
            for name, points in self.model.items()
            if points
        }
        assert [match.distance for match in found] == pytest.approx(sorted(best.values())[:k])
        assert all(best[match.name] == pytest.approx(match.distance) for match in found)
        assert len({match.name for match in found}) == len(found)

    @invariant()
    def both_tell_the_same(self):
        for handle in self.handles:
            assert {p.name: p.samples for p in handle.people()} == {n: len(v) for n, v in self.model.items()}
            for name, points in self.model.items():
                np.testing.assert_array_equal(handle.embeddings(name), np.array(points).reshape(-1, 2))

    def teardown(self):
        for handle in self.handles:
            handle.close()
        self.folder.cleanup()


AnyOrder.TestCase.settings = settings(max_examples=15, stateful_step_count=25, deadline=None)
TestAnyOrder = AnyOrder.TestCase


def test_a_gallery_that_is_open_twice_loses_nothing(gallery, path):
    """POSIX drops a process's locks when it closes any handle of the file: none may be opened but by SQLite."""
    gallery.enroll("Ada", [0, 0, 0], consent="yes")
    with Gallery(path) as again:
        read = f"from mien import Gallery\nwith Gallery({str(path)!r}) as g: print(len(g.people()))"
        assert subprocess.run([sys.executable, "-c", read], capture_output=True, check=True, text=True).stdout == "1\n"
        gallery.enroll("Bo", [1, 0, 0], consent="yes")
        assert subprocess.run([sys.executable, "-c", read], capture_output=True, check=True, text=True).stdout == "2\n"
        assert len(again.people()) == 2


def test_names_of_before_can_still_be_removed(gallery, path):
    gallery.enroll("José", [0, 0, 0], consent="yes")
    gallery.enroll("Ada", [0, 0, 0], consent="yes")
    old = "Jose\u0301"
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE people SET name = ?, bucket = ? WHERE name = ?", (old, bucket(old), "José"))
    assert [exported.person.name for exported in gallery.export()] == ["Ada", old]
    assert gallery.person(old).samples == 1
    assert gallery.remove(old, "Ada").names == (old, "Ada")


def test_names_that_cannot_be_seen_or_written(gallery):
    gallery.enroll("Ada", [0, 0, 0], consent="yes")
    assert gallery.enroll("Ada\u200d", [0, 0, 0]).samples == 2
    for name in ("\u200d", "\udcff"):
        with pytest.raises(GalleryError, match="no readable text"):
            gallery.enroll(name, [0, 0, 0], consent="yes")
    with pytest.raises(PersonNotFoundError, match="nobody called") as caught:
        gallery.remove("\udcff")
    str(caught.value).encode()
