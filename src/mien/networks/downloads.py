"""Weights that are published elsewhere: downloaded when asked for by name, checked, and kept."""

from __future__ import annotations

import hashlib
import os
import tempfile
from http.client import HTTPException
from pathlib import Path
from typing import BinaryIO, NamedTuple
from urllib.request import urlopen

from mien.errors import ModelError

_TIMEOUT = 30.0  # seconds without a byte
_CHUNK = 1 << 20


class Published(NamedTuple):
    """A file on the network.

    Attributes:
        url: where it is.
        size: in bytes.
        sha256: of its content, in hexadecimal digits.
    """

    url: str
    size: int
    sha256: str

    @property
    def name(self) -> str:
        """The file's name."""
        return self.url.rpartition("/")[2]


_RELEASE = "https://github.com/timesler/facenet-pytorch/releases/download/v2.2.9"

FACENET = {
    "vggface2": Published(
        f"{_RELEASE}/20180402-114759-vggface2.pt",
        111_898_327,
        "281cebca8662831adb987a874bdcb36e73f5b1c6dc5ee5878f305e985625d99b",
    ),
    "casia-webface": Published(
        f"{_RELEASE}/20180408-102900-casia-webface.pt",
        115_887_415,
        "7a67afdbbc995fce5e10128675e318799a70698c2f433ba75dd7eb9a2f096e7d",
    ),
}
"""facenet-pytorch's state dicts by the data set that they were trained on; LFW accuracy 99.65 % and 99.05 % by their
authors. The release states no checksums: these are the ones that other projects pinned. The files are for research on
the terms of their data sets."""


def cache_folder() -> Path:
    """Where downloaded weights are kept: ``$MIEN_CACHE``, else ``mien`` in ``$XDG_CACHE_HOME`` or ``~/.cache``."""
    own = os.environ.get("MIEN_CACHE")
    return Path(own) if own else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mien"


def find_facenet(name: str) -> Path:
    """Path of downloaded weights; touches no network.

    Args:
        name: a key of `FACENET`.

    Raises:
        ModelError: they are not there, or of an unknown name.
    """
    published = _published(name)
    path = cache_folder() / published.name
    if not path.is_file():
        raise ModelError(
            f"weights {name} are not in {path.parent}; download them with mien.networks.fetch_facenet({name!r}), "
            f"or put {published.url} there"
        )
    return path


def fetch_facenet(name: str) -> Path:
    """Download weights into the cache, unless they are there, and check them either way; returns their path.

    Args:
        name: a key of `FACENET`.

    Raises:
        ModelError: the name is unknown, the network cannot be reached, or the content is not what was published.
    """
    return fetch(_published(name), cache_folder())


def fetch(published: Published, folder: Path) -> Path:
    """Download a file into a folder, unless it is there, and check it either way.

    What is kept under its name is complete and right: a download goes to another name until it was checked.

    Raises:
        ModelError: the network cannot be reached, or the content is not what was published.
    """
    path = folder / published.name
    if path.is_file():
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if digest != published.sha256:
            raise ModelError(f"{path} is damaged: its SHA-256 is {digest}, not {published.sha256}; remove it")
        return path
    folder.mkdir(parents=True, exist_ok=True)
    handle, partial = tempfile.mkstemp(prefix=published.name, dir=folder)
    try:
        with os.fdopen(handle, "wb") as file:
            digest = _download(published, file)
        if digest != published.sha256:
            raise ModelError(
                f"{published.url} gave a file with SHA-256 {digest} where {published.sha256} is published; try again"
            )
        Path(partial).replace(path)
    except (OSError, HTTPException) as error:
        raise ModelError(
            f"{published.url} cannot be downloaded ({error}); where there is no network, put the file into {folder}"
        ) from error
    finally:
        Path(partial).unlink(missing_ok=True)
    return path


def _download(published: Published, file: BinaryIO) -> str:
    """Write the content, at most a byte more than announced; returns its SHA-256."""
    digest = hashlib.sha256()
    left = published.size + 1
    with urlopen(published.url, timeout=_TIMEOUT) as answer:  # noqa: S310 -- addresses are constants
        while left > 0 and (chunk := answer.read(min(_CHUNK, left))):
            digest.update(chunk)
            file.write(chunk)
            left -= len(chunk)
    return digest.hexdigest()


def _published(name: str) -> Published:
    if name not in FACENET:
        raise ModelError(f"there are no published weights {name}; choose one of: {', '.join(FACENET)}")
    return FACENET[name]
