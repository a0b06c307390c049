"""The data sets by name."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from mien.datasets.engine import read_layout
from mien.datasets.layout import Layout
from mien.datasets.layouts import celeba, ck_plus, clips, fer2013, ferplus, identity, index, oulu_casia, posed, wild
from mien.datasets.layouts.archives import ARCHIVES
from mien.datasets.samples import SampleSet
from mien.errors import DataError

_ALL = (
    ck_plus.CK_PLUS,
    oulu_casia.OULU_CASIA,
    posed.JAFFE,
    posed.KDEF,
    posed.RAFD,
    posed.YALE,
    posed.CMU_FACES,
    posed.LONDON,
    clips.CREMA_D,
    clips.RAVDESS,
    wild.RAF_DB,
    wild.AFFECTNET,
    wild.SFEW,
    fer2013.FER2013,
    ferplus.FER_PLUS,
    ferplus.FER2013_VOTES,
    celeba.CELEBA,
    identity.LFW,
    identity.YTF,
    *ARCHIVES,
    identity.CASIA_WEBFACE,
    identity.VGGFACE2,
    identity.MS_CELEB,
    identity.FOLDERS,
    index.INDEX,
)

LAYOUTS: dict[str, Layout] = {layout.name: layout for layout in _ALL}
"""The records by name."""

READERS: dict[str, Callable[[Path], SampleSet]] = {
    name: partial(read_layout, layout) for name, layout in LAYOUTS.items()
}
"""From a layout's name to the function that reads a folder of that layout."""


def find_layout(name: str) -> Layout:
    """The record of a data set.

    Raises:
        DataError: there is none of that name.
    """
    if name not in LAYOUTS:
        raise DataError(f"there is no layout {name!r}; choose one of: {', '.join(LAYOUTS)}")
    return LAYOUTS[name]


def read_fer2013(root: Path) -> SampleSet:
    """Read FER2013 with the parts ``train``, ``public-test`` and ``private-test``; see `read_layout`."""
    return read_layout(fer2013.FER2013, root)


def read_london(root: Path) -> SampleSet:
    """Read the Face Research Lab London Set; see `read_layout`."""
    return read_layout(posed.LONDON, root)


def read_index(root: Path) -> SampleSet:
    """Read ``labels.csv`` and its photos, or a folder a person; see `read_layout`."""
    return read_layout(index.INDEX, root)
