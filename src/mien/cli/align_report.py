"""What became of each photo that `mien align` worked on: a table that outlives an interruption."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Self

from mien.errors import DataError

NAME = "align-report.csv"
COLUMNS = ("path", "crop", "way", "score", "message", "form")

Row = dict[str, str]


class Report:
    """The table in a folder of crops; a row is written as soon as its photo is done.

    Args:
        folder: the folder of crops.
        form: size and template of the crops; rows of crops of another form do not count.
    """

    def __init__(self, folder: Path, form: str) -> None:
        self.folder = folder
        rows = read_rows(folder / NAME)
        self.rows = {row["path"]: row for row in rows if row.get("path") and row.get("form") == form}

    def __enter__(self) -> Self:
        write_rows(self.folder / NAME, COLUMNS, self.rows.values())  # without a last line that was cut short
        self._stream = (self.folder / NAME).open("a", newline="", encoding="utf-8", errors="surrogateescape")
        self._writer = csv.DictWriter(self._stream, COLUMNS, lineterminator="\n")
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()

    def has_crop(self, path: str, crop: str) -> bool:
        """Whether a photo's crop was finished and is still there."""
        return self.rows.get(path, {}).get("crop") == crop and (self.folder / crop).is_file()

    def add(self, row: Row) -> None:
        """Note what became of a photo."""
        self.rows[row["path"]] = row
        self._writer.writerow(row)
        self._stream.flush()

    def finish(self, paths: Iterable[str]) -> list[Row]:
        """Leave the rows of these photos, in this order, and return them."""
        rows = [self.rows[path] for path in paths]
        write_rows(self.folder / NAME, COLUMNS, rows)
        return rows


def read_rows(path: Path) -> Iterator[Row]:
    """The rows of a CSV file, missing fields as empty ones; none when there is no such file.

    Raises:
        DataError: it is no CSV file.
    """
    if not path.is_file():
        return
    with path.open(newline="", encoding="utf-8-sig", errors="surrogateescape") as stream:
        try:
            for row in csv.DictReader(stream):
                yield {key: value or "" for key, value in row.items() if key is not None}
        except csv.Error as error:
            raise DataError(f"{path} is no CSV file ({error}); correct or remove it") from error


def write_rows(path: Path, columns: Sequence[str], rows: Iterable[Row]) -> None:
    """Write a CSV file, which is there whole or not at all."""
    unfinished = path.with_name(path.name + ".part")
    with unfinished.open("w", newline="", encoding="utf-8", errors="surrogateescape") as stream:
        writer = csv.DictWriter(stream, columns, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    unfinished.replace(path)
