"""A gallery that is removed or replaced while it is open: nothing is acknowledged, and nothing is created."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from mien import Gallery, ModelError, StorageReplacedError
from mien.outputs import IDENTITY

pytestmark = pytest.mark.skipif(os.name == "nt", reason="open files can be neither removed nor replaced")


def remove(path):
    path.unlink()


def remove_with_logs(path):
    for file in path.parent.glob("people.db*"):
        file.unlink()


def remove_log(path):
    path.with_name("people.db-wal").unlink()


def replace(path):
    shutil.copy(path, path.with_name("copy"))
    path.with_name("copy").replace(path)


CALLS = {
    "enroll": lambda gallery: gallery.enroll("Bo", [1, 0, 0], consent="yes"),
    "remove": lambda gallery: gallery.remove("Ada"),
    "people": lambda gallery: gallery.people(),
    "identify": lambda gallery: gallery.identify([0, 0, 0]),
    "load": lambda gallery: gallery.load(),
    "finish": lambda gallery: gallery.finish_removals(),
    "stats": lambda gallery: gallery.stats(),
    "accompany": lambda gallery: gallery.accompany(Path("x.db"), ["t"]),
}


@pytest.mark.parametrize("act", [remove, remove_with_logs, remove_log, replace])
def test_every_call_refuses(gallery, path, act):
    gallery.enroll("Ada", [0, 0, 0], consent="yes")
    act(path)
    left = sorted(file.name for file in path.parent.iterdir())
    for call in CALLS.values():
        with pytest.raises(StorageReplacedError, match="was removed or replaced while"):
            call(gallery)
    gallery.close()
    assert path.exists() == ("people.db" in left)


def test_a_gallery_that_is_put_back_goes_on(gallery, path):
    gallery.enroll("Ada", [0, 0, 0], consent="yes")
    path.rename(path.with_name("aside"))
    with pytest.raises(StorageReplacedError):
        gallery.people()
    path.with_name("aside").rename(path)
    assert gallery.enroll("Ada", [1, 0, 0]).samples == 2


def test_a_write_during_which_the_file_goes_is_not_acknowledged(gallery, path):
    gallery.enroll("Ada", [0, 0, 0], consent="yes")
    with pytest.raises(StorageReplacedError), gallery._writing():
        path.unlink()


def test_another_working_folder_changes_nothing(tmp_path, monkeypatch, tiny_contract):
    monkeypatch.chdir(tmp_path)
    with Gallery("people.db", tiny_contract) as gallery:
        gallery.enroll("Ada", [0, 0, 0], consent="yes")
        (tmp_path / "elsewhere").mkdir()
        monkeypatch.chdir(tmp_path / "elsewhere")
        assert not gallery.remove("Ada").pending
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_gallery_that_cannot_be_made_leaves_no_file(path, tmp_path, tiny_contract):
    with pytest.raises(ModelError):
        Gallery(path, tiny_contract.without(IDENTITY))
    assert list(tmp_path.iterdir()) == []
