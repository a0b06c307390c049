"""The data that tables are made from: found, aligned, decoded once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mien.cli.align import cut_faces, labelled_photos
from mien.cli.align_report import NAME as ALIGN_REPORT
from mien.cli.exits import say
from mien.datasets import LAYOUTS, READERS, Pair, SampleSet, pair_key, read_pairs
from mien.errors import DataError
from mien.reproduction.material import Material
from mien.reproduction.selection import frames_of
from mien.reproduction.setup import Setup, make_setup
from mien.reproduction.table import Source, Table
from mien.reproduction.trials import PairTrial, Trial

QUICK_PAIRS = 400
"""Official pairs that are tried with --quick, spread over the folds."""


class Library:
    """Finds the data sets of tables.

    Args:
        folders: where they lie, by name.
        output: gets the aligned crops and the runs.
        setup: the network whose frozen features are cached.
        quick: take few official pairs.
    """

    def __init__(self, folders: dict[str, Path], output: Path, setup: Setup, *, quick: bool) -> None:
        self._folders = folders
        self._output = output
        self._setup = setup
        self._quick = quick
        self._found: dict[str, Material] = {}

    def find(self, table: Table) -> tuple[Material | None, tuple[Material, Trial] | None]:
        """What a table is trained on, and what else it is tested on.

        Raises:
            DataError: no data set of the table was given, or it is not as expected.
        """
        source = self._given(table.data)
        if source is None:
            names = " or ".join(f"--data {each.name}=DIR" for each in table.data)
            raise DataError(f"table {table.name} needs {names}")
        if not LAYOUTS[source.layout].pairs:
            return self._material(source), None
        trained = self._given(table.trained)
        if trained is None:
            names = " or ".join(f"--data {each.name}=DIR" for each in table.trained)
            say(f"{table.name}: nothing to train on, so the pretrained network alone is tested; add {names} for more")
        return (self._material(trained) if trained else None), self._official(source)

    def runs_folder(self, material: Material | None, other: tuple[Material, Trial] | None) -> Path:
        """Where the runs are kept; tables with the same data share it."""
        names = [item.source.name for item in (material, other[0] if other else None) if item]
        usual = make_setup(self._setup.cut.backbone, quick=self._quick).epochs
        length = [f"{self._setup.epochs}-epochs"] if self._setup.epochs != usual else []
        name = "-".join([*names, self._setup.cut.backbone, *(["quick"] if self._quick else []), *length])
        return self._output / "runs" / name

    def _given(self, sources: Sequence[Source]) -> Source | None:
        return next((source for source in sources if source.name in self._folders), None)

    def _material(self, source: Source) -> Material:
        if source.name not in self._found:
            self._found[source.name] = Material(source, self._aligned(source), self._setup.cut, say)
        return self._found[source.name]

    def _official(self, source: Source) -> tuple[Material, Trial]:
        pairs = read_pairs(LAYOUTS[source.layout], self._folders[source.name])
        if self._quick:
            pairs = pairs[:: max(1, len(pairs) // QUICK_PAIRS)]
        samples = self._aligned(source, pairs)
        wanted = _keys(pairs)
        samples = samples.where(lambda sample: pair_key(sample) in wanted)
        material = Material(source, samples, self._setup.cut, say)
        kept = SampleSet(samples.name, tuple(material.samples))
        return material, PairTrial.of(kept, pairs)

    def _aligned(self, source: Source, pairs: Sequence[Pair] = ()) -> SampleSet:
        """The photos' aligned crops; made when the folder is not one of ``mien align``."""
        folder = self._folders[source.name]
        if not folder.is_dir():
            raise DataError(f"--data {source.name}={folder}: there is no such folder")
        if not (folder / ALIGN_REPORT).is_file():
            samples = frames_of(source, READERS[source.layout](folder))
            wanted = _keys(pairs)
            chosen = samples.where(lambda sample: not wanted or pair_key(sample) in wanted)
            folder = self._output / "aligned" / source.name
            say(f"aligning {len(chosen)} photos of {source.title} into {folder}")
            cut_faces(labelled_photos(chosen), folder)
        return READERS["index"](folder)


def _keys(pairs: Sequence[Pair]) -> set[str]:
    return {key for pair in pairs for key in (pair.first, pair.second)}
