"""Enrolled people: SQLite is the truth, a matrix in memory follows it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from sqlite3 import Connection
from threading import Lock
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mien.contract import Contract
from mien.errors import GalleryError, PersonExistsError, PersonNotFoundError
from mien.gallery import erasure, people
from mien.gallery.checks import check_enrolment, checked_vectors
from mien.gallery.companions import record_companion
from mien.gallery.database import check_model, gallery_sentences, open_gallery
from mien.gallery.index import CHUNK, Index
from mien.gallery.names import checked_name
from mien.gallery.records import Identification, Match, Person, Removal, Sample, Stats
from mien.gallery.thresholds import Thresholds
from mien.gallery.transfer import Exported
from mien.storage import Identity, connect, transaction

Floats = NDArray[np.float32]

ERASURE_SECONDS = 2.0
"""How long a removal goes on trying to truncate the write-ahead log while some process reads the file."""


class Gallery:
    """A file of enrolled people; may be shared by threads, and the file by processes of one machine.

    A call that changes something returns when the change is on the disk. A search sees all changes that were committed
    before it, by whichever process. It holds no lock while it computes, so that enrolment does not wait for it.

    Args:
        path: the database file; beside it SQLite keeps ``-wal`` and ``-shm`` files while it is in use. It must be on a
            local disk. It is created, readable by its owner alone, when it does not exist and a contract is given.
        contract: of the model whose embeddings will be given; None trusts the caller that they are of the model that
            the gallery is pinned to.

    Attributes:
        path: the database file.
        contract: of the model that the gallery is pinned to.

    Raises:
        GalleryError: the file does not exist and no contract is given, it is no gallery, or one of another model.
        ModelError: the contract is of a model without an identity output.
        StorageError: the file cannot be used. Any call may raise it, `StorageReplacedError` when the file was removed
            or replaced meanwhile.
    """

    def __init__(self, path: str | os.PathLike[str], contract: Contract | None = None) -> None:
        self.path = Path(path)
        self.contract = open_gallery(self.path, contract)
        self._index = Index(self.contract.embedding_size)
        self._last_removal = 0
        self._version = -1
        self._place = self.path.absolute()  # the same after a change of the working folder
        with gallery_sentences(self.path):
            self._writer, self._reader = connect(self._place), connect(self._place)
            self._write_lock, self._read_lock, self._follow_lock = Lock(), Lock(), Lock()
            if erasure.is_pending(self._reader):
                erasure.finish_removals(self._place, 0.0)
            self._identity = Identity(self._place)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Gallery({str(self.path)!r})"

    def close(self) -> None:
        """Close the file; the last process to do so removes the write-ahead log."""
        with self._write_lock, self._read_lock:
            self._writer.close()
            self._reader.close()

    def check_model(self, contract: Contract) -> None:
        """Refuse another model than the gallery's.

        Raises:
            GalleryError: the models differ; the sentence tells the way out.
        """
        check_model(self.path, self.contract, contract)

    def enroll(
        self,
        name: str,
        embeddings: ArrayLike,
        *,
        consent: str = "",
        expires: datetime | None = None,
        sources: Sequence[str] = (),
        expected: int | None = None,
        now: datetime | None = None,
    ) -> Person:
        """Enrol a person, or add samples to somebody who is enrolled.

        Args:
            name: who; 1 to 200 readable characters without ``/``. Composed and decomposed letters are the same.
            embeddings: ``(N, D)`` or ``(D,)``, of the gallery's model.
            consent: what the person agreed to, in words; needed for a new person, and where the consent has ended.
            expires: when the consent ends; without a zone, in local time. None: a consent that is given has no end, one
                of before keeps its own.
            sources: where each sample comes from, in words, N of them; none is needed.
            expected: the number of the person that is meant, `NOBODY` for a new one; None takes whoever has the name.
            now: the time, for tests.

        Returns:
            The person as enrolled now.

        Raises:
            GalleryError: the name cannot be one, an embedding is of another size or not finite, or consent is needed
                and not given.
            PersonExistsError: a new person is expected, and the name is taken.
            PersonNotFoundError: the person that is expected has been removed.
        """
        name, vectors = checked_name(name), self._vectors(embeddings)
        if sources and len(sources) != len(vectors):
            raise GalleryError(f"{len(vectors)} embeddings have {len(sources)} sources; give one for each, or none")
        now = now or datetime.now(UTC)
        with self._writing() as db:
            person = people.find_person(db, name)
            check_enrolment(person, name, consent, expected, now)
            number = people.add_person(db, name, now) if person is None else person.number
            if consent.strip():
                people.add_consent(db, number, consent.strip())
            if consent.strip() or expires is not None:
                people.set_end(db, number, expires)
            people.add_samples(db, number, vectors, sources or [""] * len(vectors), [now] * len(vectors))
            return people.person_of(db, number)

    def check_enrolment(self, name: str, *, consent: str = "", expected: int | None = None) -> None:
        """Refuse what `enroll` would refuse now, whatever the embeddings; arguments and errors as there."""
        name = checked_name(name)
        with self._reading() as db:
            check_enrolment(people.find_person(db, name), name, consent, expected, datetime.now(UTC))

    def identify(
        self, embedding: ArrayLike, k: int = 5, *, threshold: float | None = None, now: datetime | None = None
    ) -> Identification:
        """Find the people nearest to an embedding, among those whose consent has not ended.

        Args:
            embedding: ``(D,)``.
            k: how many people to name at most.
            threshold: distance up to which a person counts as known; None takes the gallery's, see `thresholds`.
            now: the time, for tests.

        Raises:
            GalleryError: the embedding is of another size or not finite, or there is no threshold.
        """
        if k < 1:
            raise GalleryError(f"k is {k}; ask for at least one person")
        query = self._vectors(embedding)
        if len(query) != 1:
            raise GalleryError(f"{len(query)} embeddings were given; identify one face at a time")
        threshold = self.thresholds.identification if threshold is None else threshold
        if not threshold >= 0:
            raise GalleryError(f"the threshold {threshold} is no distance; give at least 0")
        index = self._followed()
        with self._reading() as db:
            hidden = people.expired_people(db, now or datetime.now(UTC))
        found = index.nearest(query[0], k, hidden)
        with self._reading() as db:
            names = [people.name_of(db, near.person) for near in found]
        matches = (
            Match(name, near.distance, near.sample)
            for near, name in zip(found, names, strict=True)
            if name is not None  # removed while we searched
        )
        return Identification(tuple(matches), threshold)

    def people(self) -> list[Person]:
        """Everybody, by name, those too whose consent has ended."""
        with self._reading() as db:
            return list(people.all_people(db))

    def person(self, name: str) -> Person:
        """Somebody by name.

        Raises:
            PersonNotFoundError: nobody of that name is enrolled.
        """
        with self._reading() as db:
            return people.get_person(db, name)

    def samples(self, name: str) -> list[Sample]:
        """A person's samples, oldest first; errors as of `person`."""
        with self._reading() as db:
            return people.samples_of(db, people.get_person(db, name).number)

    def embeddings(self, name: str, *, expected: int | None = None) -> Floats:
        """A person's embeddings ``(N, D)``, in the order of `samples`; errors as of `person`.

        Args:
            name: who.
            expected: the number of the person that is meant; None takes whoever has the name.
        """
        with self._reading() as db:
            number = people.get_person(db, name).number
            if expected not in (None, number):
                raise PersonNotFoundError(f"{name} was removed meanwhile, and somebody else has the name")
            return people.embeddings_of(db, number, self.contract.embedding_size)

    def remove(self, *names: str) -> Removal:
        """Remove people: names, consents and samples are overwritten, and nothing is left of them in other files.

        Those are the write-ahead log, and what `mien serve` keeps of challenges and attempts; see `accompany`.

        Raises:
            PersonNotFoundError: nobody of one of the names is enrolled; then nobody is removed.
        """
        with self._writing() as db:
            chosen = [people.get_person(db, name) for name in dict.fromkeys(names)]
            samples = sum(erasure.blank_person(db, person.number) for person in chosen)
        return Removal(tuple(person.name for person in chosen), samples, not self.finish_removals())

    def remove_sample(self, name: str, number: int) -> Removal:
        """Remove one sample of a person, who stays enrolled.

        Raises:
            GalleryError: the person has no such sample.
            PersonNotFoundError: nobody of that name is enrolled.
        """
        with self._writing() as db:
            people.check_sample(db, name, number)
            erasure.blank_samples(db, [number])
        return Removal((), 1, not self.finish_removals())

    def remove_expired(self, now: datetime | None = None) -> Removal:
        """Remove everybody whose consent has ended."""
        now = now or datetime.now(UTC)
        return self.remove(*(person.name for person in self.people() if person.expired(now)))

    def finish_removals(self, seconds: float = ERASURE_SECONDS) -> bool:
        """Finish what removals left pending, so that removed bytes are nowhere; gives whether that was possible.

        Args:
            seconds: how long to go on trying while another process uses the files.
        """
        with gallery_sentences(self.path):
            self._identity.check()
            return erasure.finish_removals(self._place, seconds)

    def accompany(self, file: Path, tables: Sequence[str]) -> str:
        """Note that another SQLite file keeps something about people, so that removals reach it.

        Args:
            file: its path; best beside the gallery, so that both are moved together.
            tables: its tables with a column ``person`` that holds people's numbers, 0 for nobody's.

        Returns:
            The gallery's mark: random text that no other gallery has.
        """
        with self._writing() as db:
            return record_companion(db, self._place, file, tables)

    def export(self, names: Sequence[str] | None = None) -> Iterator[Exported]:
        """Everything that is stored about people: of the given names, or everybody; errors as of `person`."""
        chosen = self.people() if names is None else [self.person(name) for name in names]
        return self._exported([person.name for person in chosen])

    def _exported(self, names: Sequence[str]) -> Iterator[Exported]:
        for name in names:
            with self._reading() as db:
                person = people.get_person(db, name)
                vectors = people.embeddings_of(db, person.number, self.contract.embedding_size)
                samples, consents = people.samples_of(db, person.number), people.consents_of(db, person.number)
                exported = Exported(person, samples, vectors, consents)
            yield exported

    def add(self, exported: Iterable[Exported]) -> int:
        """Enrol exported people, all or none of them; gives how many. Their numbers are given anew.

        Raises:
            GalleryError: an embedding does not fit.
            PersonExistsError: a person is enrolled already.
        """
        count = 0
        with self._writing() as db:
            taken = people.all_names(db)
            for record in exported:
                person, vectors = record.person, self._vectors(record.embeddings)
                name = checked_name(person.name)
                if name in taken:
                    raise PersonExistsError(f"{name} is enrolled already; remove that person first, or rename one")
                taken.add(name)
                number = people.add_person(db, name, person.enrolled)
                for consent in record.consents or [person.consent]:
                    people.add_consent(db, number, consent)
                people.set_end(db, number, person.expires)
                sources, times = [s.source for s in record.samples], [s.added for s in record.samples]
                people.add_samples(db, number, vectors, sources, times)
                count += 1
        return count

    @property
    def thresholds(self) -> Thresholds:
        """Distances to decide by: of the last calibration, or else the model's recommendation.

        Raises:
            GalleryError: there is neither.
        """
        return self._thresholds() or Thresholds.of_model(self.contract)  # which tells what to do

    @thresholds.setter
    def thresholds(self, chosen: Thresholds) -> None:
        if chosen.model_id != self.contract.model_id:
            raise GalleryError(
                f"the calibration is of model {chosen.model_id}, {self.path} of {self.contract.model_id}; calibrate "
                "with that model"
            )
        with self._writing() as db:
            db.execute("UPDATE gallery SET calibration = ?", (chosen.to_json(),))

    def stats(self, now: datetime | None = None) -> Stats:
        """Count what the gallery holds."""
        thresholds = self._thresholds()
        with self._reading() as db:
            enrolled, samples, removed = people.count_all(db)
            expired = len(people.expired_people(db, now or datetime.now(UTC)))
            pending = erasure.is_pending(db)
        return Stats(
            model_id=self.contract.model_id,
            people=enrolled,
            samples=samples,
            expired=expired,
            removed=removed,
            pending=pending,
            size=self._place.stat().st_size,
            threshold=None if thresholds is None else thresholds.identification,
            verification_threshold=None if thresholds is None else thresholds.verification,
            threshold_from="nowhere yet: run `mien calibrate`" if thresholds is None else thresholds.chosen_on,
        )

    def load(self) -> int:
        """Read the embeddings into memory now, instead of at the first search; gives how many there are."""
        return len(self._followed())

    def _thresholds(self) -> Thresholds | None:
        """As `thresholds`; None where there are none."""
        with self._reading() as db:
            (text,) = db.execute("SELECT calibration FROM gallery").fetchone()
        if text is not None:
            return Thresholds.from_json(text)
        return None if self.contract.threshold is None else Thresholds.of_model(self.contract)

    def _followed(self) -> Index:
        """The index, brought to the newest committed state."""
        with self._follow_lock:
            with self._read_lock, gallery_sentences(self.path):
                self._identity.check()
                (version,) = self._reader.execute("PRAGMA data_version").fetchone()
            if version != self._version:
                with self._reading() as db:
                    self._follow(db)
                self._version = version
            return self._index

    def _follow(self, db: Connection) -> None:
        after = self._last_removal
        removals = db.execute("SELECT number, sample FROM removals WHERE number > ?", (after,)).fetchall()
        index = self._index.without(sample for _, sample in removals)
        rows = db.execute(
            "SELECT number, person, embedding FROM samples WHERE number > ? AND removed = 0 ORDER BY number",
            (index.last_sample,),
        )
        while part := rows.fetchmany(CHUNK):
            index = index.with_rows(part)
        self._index = index
        self._last_removal = removals[-1][0] if removals else after

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with self._write_lock, gallery_sentences(self.path):
            self._identity.check()
            with transaction(self._writer, "IMMEDIATE"):
                yield self._writer
            self._identity.check()  # nothing is acknowledged that went into a file without a name

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with self._read_lock, gallery_sentences(self.path):
            self._identity.check()
            with transaction(self._reader, "DEFERRED"):
                yield self._reader

    def _vectors(self, embeddings: ArrayLike) -> Floats:
        return checked_vectors(embeddings, self.contract.embedding_size, self.path)
