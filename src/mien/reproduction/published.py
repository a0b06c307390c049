"""Published results, each with the source that it was taken from; numbers without a source are not in here."""

from __future__ import annotations

from dataclasses import dataclass

from mien.reproduction.table import Kind

PAPER = "Ming et al., Dynamic Multi-Task Learning for Face Recognition with Facial Expression, arXiv 1911.03281"
NO_SOURCE = "no primary source"
"""Stands where the paper has a figure that could not be taken from anywhere."""

_ENTRY = "the paper's own entry on Papers with Code"
_REVIEW = "a review of the paper on nubint.ai, a secondary source"
_FACELIVENET = "the README of github.com/hengxyz/FaceLiveNet"
_SD_CNN = "the abstract of the paper on SD-CNN (docslib.org 4473894)"


@dataclass(frozen=True, slots=True)
class Published:
    """A published result.

    Attributes:
        data: the data set's name.
        kind: the protocol it is nearest to.
        method: as its source calls it.
        row: the paper's row that it stands in; empty for other papers.
        value: an accuracy, in per cent.
        protocol: what its source says of the protocol; empty for nothing.
        source: where the number was read.
    """

    data: str
    kind: Kind
    method: str
    row: str
    value: float
    protocol: str
    source: str


PUBLISHED = (
    Published("oulu-casia", Kind.EXPRESSION, "Dynamic MTL", "dynamic", 89.6, "10-fold", _ENTRY),
    Published("oulu-casia", Kind.EXPRESSION, "FaceLiveNet", "", 87.5, "six expressions", _FACELIVENET),
    Published("oulu-casia", Kind.EXPRESSION, "SD-CNN", "", 91.3, "", _SD_CNN),
    Published("ck-plus", Kind.EXPRESSION, "Dynamic MTL", "dynamic", 99.5, "", _REVIEW),
    Published("ck-plus", Kind.EXPRESSION, "FaceLiveNet", "", 99.1, "six expressions", _FACELIVENET),
    Published("ck-plus", Kind.EXPRESSION, "SD-CNN", "", 99.7, "", _SD_CNN),
    Published("ck-plus", Kind.PAIRS, "Dynamic MTL", "dynamic", 99.0, "", _REVIEW),
    Published("lfw", Kind.OFFICIAL_PAIRS, "FaceLiveNet", "", 99.4, "official pairs", _FACELIVENET),
    Published("ytf", Kind.OFFICIAL_PAIRS, "FaceLiveNet", "", 95.0, "official pairs", _FACELIVENET),
    Published("ck-plus", Kind.AUTHENTICATION, "FaceLiveNet", "", 99.0, "product of two accuracies", _FACELIVENET),
    Published("oulu-casia", Kind.AUTHENTICATION, "FaceLiveNet", "", 92.0, "product of two accuracies", _FACELIVENET),
)

PAPER_SETS = {
    Kind.EXPRESSION: ("oulu-casia", "ck-plus"),
    Kind.PAIRS: ("oulu-casia", "ck-plus"),
    Kind.OFFICIAL_PAIRS: ("lfw", "ytf"),
}
"""On which sets the paper reports a protocol; there its missing figures are named as missing."""


def paper_figure(data: str, kind: Kind, row: str) -> Published | None:
    """The paper's figure of a row, where a source for it is known."""
    return next((p for p in PUBLISHED if (p.data, p.kind, p.row) == (data, kind, row) and row), None)


def peers(data: str, kind: Kind) -> list[Published]:
    """Other papers' figures on the same data."""
    return [p for p in PUBLISHED if (p.data, p.kind, p.row) == (data, kind, "")]
