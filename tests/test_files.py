from __future__ import annotations

import os
import socket

import pytest

from mien.files import walk


@pytest.fixture
def tree(tmp_path):
    for name in ("b.jpg", "a/2.jpg", "a/1.jpg", ".hidden/x.jpg", "a/._1.jpg", "c/d/3.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def names(folder, **options):
    return [path.relative_to(folder).as_posix() for path in walk(folder, **options)]


def test_files_come_sorted_before_those_of_subfolders_and_without_hidden_ones(tree, monkeypatch):
    monkeypatch.chdir(tree)  # a socket's path must be short
    with socket.socket(socket.AF_UNIX) as special:
        special.bind("socket")
    assert names(tree) == ["b.jpg", "a/1.jpg", "a/2.jpg", "c/d/3.jpg"]


def test_links_are_followed_but_not_in_circles(tree, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "4.jpg").touch()
    (elsewhere / "back").symlink_to(tree)
    (tree / "c" / "linked").symlink_to(elsewhere)
    (tree / "a" / "self").symlink_to(tree / "a")
    (tree / "gone.jpg").symlink_to(tree / "nowhere.jpg")
    assert names(tree) == ["b.jpg", "gone.jpg", "a/1.jpg", "a/2.jpg", "c/d/3.jpg", "c/linked/4.jpg"]


def test_a_folder_that_cannot_be_read_is_told(tree):
    failed = []
    assert names(tree / "none", failed=failed.append) == []
    assert failed[0].filename == str(tree / "none")
    with pytest.raises(FileNotFoundError):
        names(tree / "none")


@pytest.mark.parametrize(("mode", "there"), [(0o000, []), (0o444, ["a/1.jpg", "a/2.jpg"])])
def test_nothing_is_lost_without_a_word_for_want_of_permission(tree, mode, there):
    failed = []
    (tree / "a").chmod(mode)
    if os.access(tree / "a", os.R_OK | os.X_OK):
        pytest.skip("this user may read everything")
    try:
        assert names(tree, failed=failed.append) == ["b.jpg", *there, "c/d/3.jpg"]
    finally:
        (tree / "a").chmod(0o755)
    assert [error.filename for error in failed] == ([] if there else [str(tree / "a")])
