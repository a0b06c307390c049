from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from mien.errors import ModelError
from mien.networks import fetch_facenet, find_facenet
from mien.networks.downloads import FACENET, Published, cache_folder, fetch

CONTENT = b"weights" * 1000


@pytest.fixture
def published(tmp_path: Path) -> Published:
    """A file behind an address that is read like any other, without a network."""
    source = tmp_path / "source" / "weights.pt"
    source.parent.mkdir()
    source.write_bytes(CONTENT)
    return Published(source.as_uri(), len(CONTENT), hashlib.sha256(CONTENT).hexdigest())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "a" / "cache"


def test_it_is_downloaded_once(published: Published, folder: Path, tmp_path: Path) -> None:
    path = fetch(published, folder)
    assert path.read_bytes() == CONTENT
    (tmp_path / "source" / "weights.pt").unlink()
    assert fetch(published, folder) == path
    assert list(folder.iterdir()) == [path]


@pytest.mark.parametrize("content", [b"", CONTENT[:-1], CONTENT + b"!", CONTENT.replace(b"w", b"v", 1)])
def test_another_content_is_not_kept(published: Published, folder: Path, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "source" / "weights.pt").write_bytes(content)
    with pytest.raises(ModelError, match="gave a file with SHA-256"):
        fetch(published, folder)
    assert list(folder.iterdir()) == []


def test_no_more_than_announced_is_read(published: Published, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "source" / "weights.pt").write_bytes(CONTENT * 5)
    digest = hashlib.sha256((CONTENT * 2)[: len(CONTENT) + 1]).hexdigest()
    with pytest.raises(ModelError, match=digest):
        fetch(published, folder)


def test_a_damaged_file_in_the_cache_is_not_used(published: Published, folder: Path) -> None:
    fetch(published, folder).write_bytes(b"cut")
    with pytest.raises(ModelError, match=r"is damaged.*remove it"):
        fetch(published, folder)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/weights.pt", "file:///no/such/file.pt"])
def test_without_the_source_it_is_one_clear_error(published: Published, folder: Path, url: str) -> None:
    with pytest.raises(ModelError, match=r"cannot be downloaded .*; where there is no network, put the file") as raised:
        fetch(published._replace(url=url), folder)
    assert "\n" not in str(raised.value)
    assert list(folder.iterdir()) == []


def test_finding_downloads_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MIEN_CACHE", str(tmp_path))
    with pytest.raises(ModelError, match=r"download them with mien\.networks\.fetch_facenet\('vggface2'\)"):
        find_facenet("vggface2")
    path = tmp_path / "20180402-114759-vggface2.pt"
    path.touch()
    assert find_facenet("vggface2") == path


@pytest.mark.parametrize("call", [find_facenet, fetch_facenet])
def test_an_unknown_name_is_refused(call) -> None:
    with pytest.raises(ModelError, match="choose one of: vggface2, casia-webface"):
        call("ms-celeb")


def test_the_cache_is_where_caches_are(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("MIEN_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "mien"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == Path.home() / ".cache" / "mien"


def test_checksums_are_whole() -> None:
    assert all(len(bytes.fromhex(file.sha256)) == 32 for file in FACENET.values())
