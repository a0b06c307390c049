"""Enrolled people: who is on a photo, among those who agreed to be recognised.

>>> from mien import Gallery, Mien
>>> from mien.gallery import enroll_photos
>>> mien = Mien()
>>> gallery = Gallery(getfixture("tmp_path") / "people.db", mien.contract)
>>> _ = enroll_photos(gallery, mien, "Barack Obama", ["examples/obama.jpg"], consent="a public figure")
>>> gallery.identify(mien.analyze("examples/obama2.jpg")[0].embedding).known.name
'Barack Obama'
>>> gallery.remove("Barack Obama").pending
False

Embeddings are biometric data: in the EU (GDPR, Art. 9) and elsewhere (BIPA, Illinois) they may be kept only with a
legal basis, mostly the person's explicit consent. So a person is enrolled with the words of that consent, and with
its end where it has one; `Gallery.export` gives out all that is stored about a person, and `Gallery.remove` leaves
none of it.
"""

from __future__ import annotations

from mien.gallery.checks import NOBODY
from mien.gallery.enrolment import PhotoReport, enroll_photos
from mien.gallery.gallery import Gallery
from mien.gallery.names import MAX_NAME, checked_name, normalized_name
from mien.gallery.records import Identification, Match, Person, Removal, Sample, Stats
from mien.gallery.thresholds import Thresholds
from mien.gallery.transfer import Exported, from_lines, to_lines

__all__ = [
    "MAX_NAME",
    "NOBODY",
    "Exported",
    "Gallery",
    "Identification",
    "Match",
    "Person",
    "PhotoReport",
    "Removal",
    "Sample",
    "Stats",
    "Thresholds",
    "checked_name",
    "enroll_photos",
    "from_lines",
    "normalized_name",
    "to_lines",
]
