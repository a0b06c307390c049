"""Reading tables with errors that name the file and the column."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from pathlib import Path

from mien.errors import DataError


def read_table(path: Path, required: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield each row of a CSV file with its line number; header names in lower case, values stripped.

    Raises:
        DataError: the file cannot be read or lacks a required column.
    """
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))  # a face's pixels are one field
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = csv.reader(file)
            header = [name.strip().lower() for name in next(rows, [])]
            missing = [name for name in required if name not in header]
            if missing:
                raise DataError(f"{path} has no column {missing[0]!r}; its columns are: {', '.join(header) or 'none'}")
            for row in rows:
                if row:
                    values = [value.strip() for value in row] + [""] * (len(header) - len(row))
                    yield rows.line_num, dict(zip(header, values, strict=False))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} cannot be read as a CSV table: {error}") from error


def read_words(path: Path, least: int) -> Iterator[list[str]]:
    """Yield the words of each line of a text file, of lines with at least ``least`` words.

    Raises:
        DataError: the file cannot be read.
    """
    try:
        with path.open(encoding="utf-8-sig") as file:
            for line in file:
                if len(words := line.split()) >= least:
                    yield words
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read ({error})") from error
