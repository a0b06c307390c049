"""What the gallery answers with: small immutable records."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is enrolled.

    Attributes:
        number: the person's number in this gallery; never given to anybody else.
        name: the name, unique in the gallery.
        consent: what the person agreed to, in words; the latest.
        enrolled: when the person was enrolled (UTC).
        expires: when the consent ends (UTC); from then on the person is not identified. None: no end was set.
        samples: how many samples the person has.
    """

    number: int
    name: str
    consent: str
    enrolled: datetime
    expires: datetime | None
    samples: int

    def expired(self, now: datetime) -> bool:
        """Whether the consent has ended at ``now`` (with a time zone)."""
        return self.expires is not None and self.expires <= now


@dataclass(frozen=True, slots=True)
class Sample:
    """One embedding of a person, without the numbers.

    Attributes:
        number: the sample's number in this gallery; never given to another.
        added: when it was enrolled (UTC).
        source: where it comes from, in words: by default the photo's file name. The photo itself is not kept.
    """

    number: int
    added: datetime
    source: str


@dataclass(frozen=True, slots=True)
class Match:
    """A person who may be the one on a photo.

    Attributes:
        name: who.
        distance: Euclidean distance to the nearest of the person's samples.
        sample: the number of that sample.
    """

    name: str
    distance: float
    sample: int


@dataclass(frozen=True, slots=True)
class Identification:
    """Who is on a photo, if anybody who is enrolled.

    Attributes:
        matches: the nearest people, nearest first, whether or not they are near enough.
        threshold: distance up to which a match counts.
    """

    matches: tuple[Match, ...]
    threshold: float

    @property
    def known(self) -> Match | None:
        """The nearest person when near enough; None: nobody who is enrolled (open set)."""
        return self.matches[0] if self.matches and self.matches[0].distance <= self.threshold else None

    @property
    def near(self) -> tuple[Match, ...]:
        """The matches that are near enough."""
        return tuple(match for match in self.matches if match.distance <= self.threshold)


@dataclass(frozen=True, slots=True)
class Removal:
    """What was removed.

    Attributes:
        names: the people who are gone.
        samples: how many samples are gone.
        pending: True while the bytes are still in the write-ahead log because some process reads the file; they go
            with `Gallery.finish_removals`, or when the gallery is next opened or closed.
    """

    names: tuple[str, ...]
    samples: int
    pending: bool


@dataclass(frozen=True, slots=True)
class Stats:
    """What a gallery holds.

    Attributes:
        model_id: the model that the gallery is pinned to.
        people: how many people are enrolled.
        samples: how many samples they have.
        expired: how many people's consent has ended.
        removed: how many samples were removed since the gallery was made; each leaves a blank row.
        pending: whether bytes of removed samples are still in the write-ahead log.
        size: bytes of the database file.
        threshold: distance up to which `Gallery.identify` knows a person; None before a calibration, where the model
            recommends none.
        verification_threshold: the same, for two photos.
        threshold_from: where the thresholds come from, in words.
    """

    model_id: str
    people: int
    samples: int
    expired: int
    removed: int
    pending: bool
    size: int
    threshold: float | None
    verification_threshold: float | None
    threshold_from: str
