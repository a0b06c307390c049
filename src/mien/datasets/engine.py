"""Reading any layout: from a data set's own words to samples in the one label space."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from mien.datasets.layout import Entry, Frames, Layout
from mien.datasets.pairs import Pair
from mien.datasets.samples import Sample, SampleSet, Skipped, make_sample_set
from mien.errors import DataError
from mien.types import Expression


def read_layout(layout: Layout, root: Path) -> SampleSet:
    """Read a data set.

    Where the layout chooses frames, sequences without an expression label and those that are too short are left out and
    named. A photo of a class that is none of mien's keeps its identity, or is left out when it has none. Votes become
    shares of the expressions that are mien's.

    Args:
        layout: how the folder is read.
        root: the folder that the set was unpacked to, or its table or archive where the layout has a single one.

    Raises:
        DataError: the folder is not what the layout says; the message shows what it should look like.
    """
    try:
        found = list(layout.entries(root))
        labelled = list(_labelled(layout, [item for item in found if isinstance(item, Entry)]))
        skipped = [item for item in (*found, *labelled) if isinstance(item, Skipped)]
        samples = [item for item in labelled if isinstance(item, Sample)]
        return make_sample_set(_set_name(layout, root), samples, skipped)
    except DataError as error:
        raise refusal(layout, root, error) from error


def read_pairs(layout: Layout, root: Path) -> tuple[Pair, ...]:
    """Read a data set's official verification pairs.

    Raises:
        DataError: the set has none, or their file is missing or not as expected.
    """
    if layout.pairs is None:
        raise DataError(f"{layout.title} has no official pairs; make some with mien.evaluation.make_pairs")
    try:
        return layout.pairs(root)
    except DataError as error:
        raise refusal(layout, root, error) from error


def refusal(layout: Layout, root: Path, problem: DataError) -> DataError:
    """The error that shows what the folder should look like."""
    tree = "\n".join(f"  {line}" for line in layout.tree.strip().splitlines())
    return DataError(f"{root} cannot be read as {layout.title}: {problem}; it should hold\n{tree}")


def _set_name(layout: Layout, root: Path) -> str:
    return (root.name if root.is_dir() else root.parent.name) if layout.generic else layout.name


def _labelled(layout: Layout, entries: Iterable[Entry]) -> Iterator[Sample | Skipped]:
    if layout.frames:
        yield from _chosen_frames(layout, layout.frames, entries)
    else:
        for entry in entries:
            yield from _sample(layout, entry)


def _chosen_frames(layout: Layout, choice: Frames, entries: Iterable[Entry]) -> Iterator[Sample | Skipped]:
    neutral, peak = choice.neutral, choice.peak
    sequences = defaultdict[str, list[Entry]](list)
    for entry in entries:
        sequences[entry.sequence].append(entry)
    for name, frames in sorted(sequences.items()):
        frames.sort(key=lambda entry: entry.frame)
        if not frames[0].expression:
            yield Skipped(name, "its sequence has no expression label")
        elif len(frames) < neutral + peak:
            yield Skipped(name, f"its sequence has {len(frames)} frames, fewer than the {neutral + peak} needed")
        else:
            for entry in frames[:neutral]:
                yield _make(layout, entry, Expression.NEUTRAL)
            for entry in frames[-peak:]:
                yield from _sample(layout, entry)


def _sample(layout: Layout, entry: Entry) -> Iterator[Sample | Skipped]:
    if entry.votes is not None:
        yield _voted(layout, entry, entry.votes)
        return
    word = entry.expression.strip().lower()
    if word and word not in layout.expressions:
        yield Skipped(entry.name, f"its expression {entry.expression!r} is unknown")
        return
    expression = layout.expressions[word] if word else None
    if expression or entry.identity or not word:
        yield _make(layout, entry, expression)


def _voted(layout: Layout, entry: Entry, votes: Mapping[str, float]) -> Sample | Skipped:
    counts = dict.fromkeys(layout.classes, 0.0)
    for word, count in votes.items():
        if expression := layout.expressions[word]:
            counts[expression] += count
    total = sum(counts.values())
    if total <= 0:
        return Skipped(entry.name, "nobody voted for an expression that is known here")
    shares = {expression: count / total for expression, count in counts.items()}
    best = [expression for expression, count in counts.items() if count == max(counts.values())]
    return _make(layout, entry, best[0] if len(best) == 1 else None, shares)


def _make(
    layout: Layout, entry: Entry, expression: Expression | None, shares: Mapping[Expression, float] | None = None
) -> Sample:
    part = entry.part if layout.generic else entry.part.lower()
    return Sample(
        name=entry.name,
        source=entry.source,
        identity=entry.identity or None,
        expression=expression,
        split=layout.parts.get(part, part) or None,
        sequence=entry.sequence or None,
        shares=shares,
    )
