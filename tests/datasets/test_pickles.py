from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mien.datasets import LAYOUTS, read_pairs
from mien.datasets.pickles import read_bin
from mien.errors import DataError

IMAGES = [b"\xff\xd8\xff one", b"two", b"three", b"four"]


@pytest.fixture
def archive(tmp_path: Path):
    def write(content: Any, protocol: int = 4) -> Path:
        path = tmp_path / "cfp_fp.bin"
        path.write_bytes(content if isinstance(content, bytes) else pickle.dumps(content, protocol))
        return path

    return write


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("same", [[True, False], [1, 0], [np.bool_(True), np.bool_(False)]])
def test_archives_of_all_protocols(archive, protocol: int, same: list[Any]) -> None:
    assert read_bin(archive((IMAGES, same), protocol)) == (IMAGES, [True, False])
    assert read_bin(archive([IMAGES, same], protocol)) == (IMAGES, [True, False])


def test_an_archive_of_python_2(archive) -> None:
    """There texts are bytes: two lists of one image each, written by hand in its format."""
    content = b"((lp1\nS'\\xff\\xd8'\naS'two'\na(lp2\nI01\natp3\n."
    assert read_bin(archive(content)) == ([b"\xff\xd8", b"two"], [True])


class Evil:
    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> Any:
        return self.call


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize(
    "evil",
    [
        Evil(os.system, "touch pwned"),
        Evil(eval, "open('pwned', 'w')"),
        Evil(getattr, "text", "upper"),
        Evil(np.load, "pwned"),
        Evil(Path, "pwned"),
    ],
    ids=["system", "eval", "getattr", "numpy.load", "a class"],
)
def test_functions_are_refused_and_not_run(archive, tmp_path: Path, monkeypatch, evil: Evil, protocol: int) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match="which no archive of pairs needs and which could run anything"):
        read_bin(archive(([evil, b"two"], [True]), protocol))
    assert not (tmp_path / "pwned").exists()


def test_other_codecs_and_types_are_refused(archive) -> None:
    import codecs

    for evil in (Evil(codecs.encode, "text", "rot13"), np.float64(1.0), np.datetime64(1, "s")):
        with pytest.raises(DataError):
            read_bin(archive(([evil, b"two"], [True]), 2))


def test_references_to_outside_are_refused(archive) -> None:
    with pytest.raises(DataError, match="outside itself"):
        read_bin(archive(b"Pname\n."))


@pytest.mark.parametrize(
    "content",
    [
        (IMAGES, [True]),
        ([], []),
        (IMAGES, [True, 2]),
        (IMAGES, ["yes", "no"]),
        ([1, 2], [True]),
        {"images": IMAGES},
        IMAGES,
        ("ab", [True]),
    ],
)
def test_other_contents_are_refused(archive, content: Any) -> None:
    with pytest.raises(DataError, match="no archive of pairs"):
        read_bin(archive(content))


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.binary(max_size=60), st.integers(0, 80), st.binary(max_size=3))
def test_damaged_archives_end_in_one_error(archive, noise: bytes, cut: int, patch: bytes) -> None:
    whole = pickle.dumps((IMAGES, [True, False]), 2)
    for content in (noise, whole[:cut], whole[:cut] + patch + whole[cut + len(patch) :]):
        try:
            images, same = read_bin(archive(content))
        except DataError:
            continue
        assert all(isinstance(image, bytes) for image in images)
        assert len(images) == 2 * len(same)


def test_a_missing_archive(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"gone\.bin"):
        read_bin(tmp_path / "gone.bin")


def test_pairs_are_neighbours_in_ten_folds(archive) -> None:
    path = archive(([b"x"] * 40, [True, False] * 10))
    pairs = read_pairs(LAYOUTS["cfp-fp"], path)
    assert [(p.first, p.second, p.same) for p in pairs[:2]] == [("00000", "00001", True), ("00002", "00003", False)]
    assert [p.fold for p in pairs] == [fold for fold in range(10) for _ in range(2)]
