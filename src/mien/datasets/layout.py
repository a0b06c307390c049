"""One record a data set: where its photos lie, what their names and labels mean, and what may be done with them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mien.datasets.pairs import Pair
from mien.datasets.samples import Skipped, Source
from mien.types import Expression


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """One photo in the data set's own words; an empty word is a missing one.

    Attributes:
        name: tells the photo in messages: its path inside the data set, or a row of a table.
        source: where its pixels are.
        identity: who it shows.
        expression: a word or code of the layout's label table.
        votes: how many people chose each word or code of the table, instead of ``expression``; None without a vote.
        part: the official part, as paths or tables spell it.
        sequence: the video or image sequence that it is a frame of.
        frame: its number within the sequence.
        key: by what label files name it.
    """

    name: str
    source: Source
    identity: str = ""
    expression: str = ""
    part: str = ""
    sequence: str = ""
    frame: int = 0
    key: str = ""
    votes: Mapping[str, float] | None = None


@dataclass(frozen=True, slots=True)
class Frames:
    """Which frames of a sequence are taken, where it leads from a neutral face to the peak of an expression.

    Attributes:
        neutral: so many from the start, labelled neutral.
        peak: so many from the end, labelled with the sequence's expression.
    """

    neutral: int
    peak: int


@dataclass(frozen=True, slots=True)
class Official:
    """What the whole set holds, after the choice of frames; None and empty where no figure is known.

    Attributes:
        images: how many photos.
        people: how many people.
        sequences: how many videos or image sequences.
        names: the people's names, where they are known beforehand.
        expressions: how many photos of each expression.
        parts: how many photos in each official part.
        pairs: how many official verification pairs.
    """

    images: int | None = None
    people: int | None = None
    sequences: int | None = None
    names: tuple[str, ...] = ()
    expressions: Mapping[Expression, int] = field(default_factory=dict)
    parts: Mapping[str, int] = field(default_factory=dict)
    pairs: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """A data set as a record; `mien.datasets.read_layout` reads any of them.

    Attributes:
        name: by which recipes and the command line call it.
        title: its name in print.
        what: what it shows, in a few words.
        tree: what the folder should look like, shown when it does not.
        entries: from a folder to its photos in the data set's own words, and the files that it could not use. Raises
            `mien.errors.DataError` with what is missing.
        expressions: the label table: from words or codes, in lower case, to expressions; None for a class of the set
            that has none of ours. Empty when the set has no expression labels.
        subjects: the rule that tells the people apart; empty when they are not known.
        licence: the terms.
        ask: where to get it.
        reference: who made it.
        official: its official figures.
        parts: from the words of paths and tables, in lower case, to the names of the parts, where they differ.
        frames: which frames of each sequence are taken; None for all.
        pairs: reads the official verification pairs, if the set has some.
        unsure: what about this record was not checked against the set's own documentation.
        generic: whether it is a form of folder rather than one set; such a set is named by its folder.
    """

    name: str
    title: str
    what: str
    tree: str
    entries: Callable[[Path], Iterable[Entry | Skipped]]
    licence: str
    ask: str
    reference: str
    expressions: Mapping[str, Expression | None] = field(default_factory=dict)
    subjects: str = ""
    official: Official = Official()
    parts: Mapping[str, str] = field(default_factory=dict)
    frames: Frames | None = None
    pairs: Callable[[Path], tuple[Pair, ...]] | None = None
    unsure: str = ""
    generic: bool = False

    @property
    def classes(self) -> tuple[Expression, ...]:
        """The expressions that the set labels, in mien's order."""
        known = set(self.expressions.values()) | ({Expression.NEUTRAL} if self.frames else set())
        return tuple(expression for expression in Expression if expression in known)
