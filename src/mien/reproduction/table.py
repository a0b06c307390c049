"""A table of results as a record: which data, which protocols."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from mien.errors import RecipeError
from mien.types import Expression


class Kind(StrEnum):
    """A protocol."""

    EXPRESSION = "expression"
    PAIRS = "verification with expression"
    AUTHENTICATION = "authentication"
    OFFICIAL_PAIRS = "verification"

    @property
    def tasks(self) -> tuple[str, ...]:
        """The trained tasks whose answers it scores."""
        return {
            Kind.EXPRESSION: ("expression",),
            Kind.PAIRS: ("identity",),
            Kind.AUTHENTICATION: ("identity", "expression"),
            Kind.OFFICIAL_PAIRS: ("identity",),
        }[self]


@dataclass(frozen=True, slots=True)
class Source:
    """A data set as a table takes it.

    Attributes:
        name: for ``--data NAME=DIR``.
        title: its name in print.
        layout: how its folder is read before alignment (`mien.datasets.LAYOUTS`).
        part: the official part; empty for all.
        classes: the expressions to tell apart; empty for those with ``class_photos`` or more.
        class_photos: expressions with fewer photos are left out.
        person_photos: people with fewer photos are left out.
        person_expressions: people with fewer expressions are left out.
        most_photos: at most so many photos a person, spread over the sorted names; 0 for all.
        drop_repeats: leave out photos that occur twice.
        neutral_answers: see `mien.evaluation.make_expression_pairs`.
        frames: at most so many frames a video; 0 for all.
        views: random views of each training photo; 0 for the photo as it is, as in the paper's command.
        printable: whether its terms allow photos in a report.
    """

    name: str
    title: str
    layout: str
    part: str = ""
    classes: tuple[Expression, ...] = ()
    class_photos: int = 0
    person_photos: int = 0
    person_expressions: int = 0
    most_photos: int = 0
    drop_repeats: bool = False
    neutral_answers: bool = False
    frames: int = 0
    views: int = 0
    printable: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table.

    Attributes:
        name: by which the command line calls it.
        title: for headings.
        kinds: its protocols.
        data: the data sets that it may be made on; the first one that is given is taken.
        trained: where the evaluated set is not trained on: the sets that may be, optional.
        folds: how many folds of people.
    """

    name: str
    title: str
    kinds: tuple[Kind, ...]
    data: tuple[Source, ...]
    trained: tuple[Source, ...] = ()
    folds: int = 10


@dataclass(frozen=True, slots=True)
class Row:
    """A way of training; its runs are made once and scored by every table of the same data.

    Attributes:
        name: in tables.
        method: a weighting method, see `mien.comparison.Plan`; ``single`` is a network a task, ``pretrained`` none.
        paper: by which the paper's results call it; empty when it has no such row.
        meaning: what it is, in a sentence.
    """

    name: str
    method: str
    paper: str
    meaning: str


PRETRAINED, SINGLE_TASK = "pretrained", "single"

ROWS = (
    Row("pretrained", PRETRAINED, "", "the network before any training on this data; it has no expression branch"),
    Row(
        "single task",
        SINGLE_TASK,
        "single task",
        "one network a task, with the same trainable stages as the others: shared stage and branch",
    ),
    Row("static, equal", "equal", "static", "both tasks weigh the same"),
    Row("static, 1 : 0.1", "fixed 1:0.1", "static", "identity 1, expression 0.1, after a comment in the official code"),
    Row("naive dynamic", "naive", "naive dynamic", "the weight unit, too, descends the total loss"),
    Row("dynamic", "dynamic", "dynamic", "the paper's weight unit, with normalised logits as in its published curves"),
    Row("progress", "progress", "", "our own unit, which follows relative progress; not in the paper"),
)
"""The rows of every table; verification tables alone have the first."""


def find_rows(names: Sequence[str]) -> tuple[str, ...]:
    """The names of rows, each given by its name or by its method.

    Raises:
        RecipeError: there is no such row.

    >>> find_rows(["dynamic", "equal"])
    ('dynamic', 'static, equal')
    """
    known = {key: row.name for row in ROWS for key in (row.method, row.name)}
    if unknown := [name for name in names if name not in known]:
        methods = ", ".join(row.method for row in ROWS)
        raise RecipeError(f"there is no row {unknown[0]}; give methods of rows: {methods}")
    return tuple(dict.fromkeys(known[name] for name in names))
