"""All embeddings in memory, and exact search by one matrix product."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mien.gallery.people import decode

Floats = NDArray[np.float32]
Integers = NDArray[np.int64]
Row = tuple[int, int, bytes]
"""Of a sample: its number, its person's number, the stored embedding."""

CHUNK = 65536
"""Rows of a chunk: large enough that a product with it is bound by memory alone (32 MB at 128 numbers), small enough
that copying one, when a sample is removed, takes some ten milliseconds."""


@dataclass(frozen=True, slots=True, eq=False)
class Chunk:
    """Up to `CHUNK` samples. The arrays have room for more than ``count`` rows; only the first ``count`` are valid.

    Attributes:
        vectors: ``(CHUNK, D)`` the embeddings.
        squares: ``(CHUNK,)`` their squared norms.
        samples: ``(CHUNK,)`` the samples' numbers, ascending.
        people: ``(CHUNK,)`` their people's numbers.
        count: how many rows are valid.
    """

    vectors: Floats
    squares: Floats
    samples: Integers
    people: Integers
    count: int = 0

    @classmethod
    def empty(cls, size: int) -> Chunk:
        """A chunk without rows; the system gives the memory as it is filled."""
        vectors, squares = np.empty((CHUNK, size), np.float32), np.empty(CHUNK, np.float32)
        return cls(vectors, squares, np.empty(CHUNK, np.int64), np.empty(CHUNK, np.int64))

    def filled(self, vectors: Floats, samples: Integers, people: Integers) -> Chunk:
        """This chunk with more rows, in the same arrays: whoever holds this one does not look at those rows."""
        new = slice(self.count, self.count + len(vectors))
        self.vectors[new], self.samples[new], self.people[new] = vectors, samples, people
        self.squares[new] = np.einsum("nd,nd->n", vectors, vectors, dtype=np.float64)
        return replace(self, count=new.stop)

    def without(self, removed: Integers) -> Chunk:
        """This chunk, or a copy of it when one of its samples is to go."""
        samples, people = self.samples[: self.count], self.people[: self.count]
        kept = ~np.isin(samples, removed)
        if kept.all():
            return self
        fresh = Chunk.empty(self.vectors.shape[1])
        return fresh.filled(self.vectors[: self.count][kept], samples[kept], people[kept])


@dataclass(frozen=True, slots=True)
class Near:
    """A person by the nearest of the person's samples.

    Attributes:
        person: the person's number.
        sample: the sample's number.
        distance: the Euclidean distance.
    """

    person: int
    sample: int
    distance: float


class Index:
    """One state of the gallery; it never changes, so that a search needs no lock while enrolment goes on.

    `with_rows` shares the arrays with the state before it and must only be called on the newest one, by one thread.

    Attributes:
        size: how many numbers an embedding has.
        last_sample: the greatest sample's number seen, removed ones too.
    """

    def __init__(self, size: int, chunks: tuple[Chunk, ...] = (), last_sample: int = 0) -> None:
        self.size = size
        self.last_sample = last_sample
        self._chunks = chunks

    def __len__(self) -> int:
        return sum(chunk.count for chunk in self._chunks)

    def with_rows(self, rows: Sequence[Row]) -> Index:
        """Add rows whose numbers ascend and are all greater than `last_sample`."""
        if not rows:
            return self
        samples, people = (np.array([row[k] for row in rows], np.int64) for k in (0, 1))
        vectors = decode(b"".join(row[2] for row in rows), self.size)
        chunks = list(self._chunks)
        start = 0
        while start < len(rows):
            if not chunks or chunks[-1].count == CHUNK:
                chunks.append(Chunk.empty(self.size))
            part = slice(start, start + CHUNK - chunks[-1].count)
            chunks[-1] = chunks[-1].filled(vectors[part], samples[part], people[part])
            start = part.stop
        return Index(self.size, tuple(chunks), int(samples[-1]))

    def without(self, removed: Iterable[int]) -> Index:
        """Take samples out, by their numbers; unknown ones do not matter."""
        numbers = np.fromiter(removed, np.int64)
        if not len(numbers):
            return self
        left = tuple(chunk for chunk in (old.without(numbers) for old in self._chunks) if chunk.count)
        return Index(self.size, left, self.last_sample)

    def nearest(self, query: Floats, k: int, hidden: Integers | None = None) -> list[Near]:
        """The k people nearest to an embedding, nearest first; equal distances by the person's number.

        A matrix product in float32 gives |x|^2 - 2 x.q for all samples; for those that its rounding leaves in question
        the distance is computed anew in float64. So the answer is that of comparing with each sample in float64.

        Args:
            query: ``(D,)`` float32, finite.
            k: how many people at most.
            hidden: numbers of people to leave out.
        """
        scores = self._scores(query, np.empty(0, np.int64) if hidden is None else hidden)
        cutoff = self._cutoff(scores, min(k, len(scores)), self._rounding(query))
        found: list[tuple[float, int, int]] = []
        for chunk, part in self._parts():
            rows = np.flatnonzero(scores[part] <= cutoff)
            difference = chunk.vectors[rows].astype(np.float64) - query
            distances = np.sqrt(np.einsum("nd,nd->n", difference, difference))
            found += zip(distances.tolist(), chunk.people[rows].tolist(), chunk.samples[rows].tolist(), strict=True)
        best: dict[int, Near] = {}
        for distance, person, sample in sorted(found):
            best.setdefault(person, Near(person, sample, distance))
            if len(best) == k:
                break
        return list(best.values())

    def _parts(self) -> Iterable[tuple[Chunk, slice]]:
        """The chunks, each with its place in a vector of all rows."""
        start = 0
        for chunk in self._chunks:
            yield chunk, slice(start, start + chunk.count)
            start += chunk.count

    def _scores(self, query: Floats, hidden: Integers) -> Floats:
        """Squared distance without the query's own square, ``(N,)``; infinite where hidden."""
        scores = np.empty(len(self), np.float32)
        doubled = np.float32(-2) * query
        for chunk, part in self._parts():
            np.dot(chunk.vectors[: chunk.count], doubled, out=scores[part])
            scores[part] += chunk.squares[: chunk.count]
            if len(hidden):
                scores[part][np.isin(chunk.people[: chunk.count], hidden)] = np.inf
        return scores

    def _cutoff(self, scores: Floats, k: int, rounding: float) -> float:
        """A score that the best sample of each of the k nearest people surely does not exceed, hidden ones aside."""
        wanted = k
        while wanted:
            rows = np.argpartition(scores, wanted - 1)[:wanted]
            rows = rows[np.isfinite(scores[rows])]
            people = self._people(rows)
            if len(np.unique(people)) >= k:
                return float(_kth_best(scores[rows], people, k)) + 2 * rounding
            if wanted == len(scores):
                break
            wanted = min(4 * wanted, len(scores))
        return float(np.finfo(np.float32).max)

    def _people(self, rows: Integers) -> Integers:
        people = np.empty(len(rows), np.int64)
        for chunk, part in self._parts():
            inside = (rows >= part.start) & (rows < part.stop)
            people[inside] = chunk.people[rows[inside] - part.start]
        return people

    def _rounding(self, query: Floats) -> float:
        """Bound of the error of a score: D + 2 roundings of terms that do not exceed |x|^2 + 2 |x| |q|."""
        largest = max((float(chunk.squares[: chunk.count].max()) for chunk in self._chunks), default=0.0)
        terms = largest + 2 * np.sqrt(largest) * float(np.linalg.norm(query.astype(np.float64)))
        return float((self.size + 2) * np.finfo(np.float32).eps * terms)


def _kth_best(scores: Floats, people: Integers, k: int) -> float:
    """Of the best score of each person, the k-th."""
    order = np.argsort(scores, kind="stable")
    first = np.unique(people[order], return_index=True)[1]
    return float(np.sort(scores[order][first])[k - 1])
