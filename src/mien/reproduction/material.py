"""A data set's photos, decoded at once, their frozen features computed when a run first needs them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection
from functools import cached_property

from torch import Tensor

from mien.comparison.experiments.face_tasks import Cut, make_stem, stem_views
from mien.datasets import FacePixels, Sample, SampleSet, decode, drop_repeats
from mien.reproduction.selection import Selection, select
from mien.reproduction.table import Source

Announce = Callable[[str], None]


class Material:
    """A data set as the runs need it.

    Attributes:
        source: the rules by which it was chosen.
        selection: what was chosen.
        photos: decoded, N of them.
        samples: ``(N,)`` the photos' records, in the same order.
        left_out: what was left out and why.

    Args:
        source: which photos to take.
        samples: aligned photos.
        cut: the network whose frozen stages are cached.
        announce: gets a line when something takes long.
    """

    def __init__(self, source: Source, samples: SampleSet, cut: Cut, announce: Announce = lambda _: None) -> None:
        self.source = source
        self.selection: Selection = select(source, samples)
        self._cut = cut
        self._announce = announce
        self._crop_size = cut.load().crop_size
        photos = decode(self.selection.samples, self.selection.classes, self._crop_size)
        left_out = [*self.selection.left_out]
        if unread := len(photos.skipped) - len(samples.skipped):
            left_out.append(f"{unread} photos that cannot be read")
        if source.drop_repeats:
            labels = list(zip(photos.identity.tolist(), photos.expression.tolist(), strict=True))
            kept = drop_repeats(photos.digests, labels, ()).keep
            if len(kept) < len(photos):
                left_out.append(f"{len(photos) - len(kept)} photos that occur twice, or with other labels")
            photos = photos.take(kept)
        self.photos: FacePixels = photos
        by_name = {sample.name: sample for sample in self.selection.samples.samples}
        self.samples: list[Sample] = [by_name[name] for name in photos.names]
        self.left_out = tuple(left_out)

    @property
    def classes(self) -> list[str]:
        """The expressions to tell apart."""
        return [str(expression) for expression in self.selection.classes]

    @property
    def people(self) -> list[str]:
        """Who is shown, sorted."""
        return sorted({sample.identity or "" for sample in self.samples})

    @cached_property
    def digest(self) -> str:
        """Identifies photos and labels, wherever they lie."""
        content = hashlib.sha256()
        for sample, pixels in zip(self.samples, self.photos.digests, strict=True):
            content.update(f"{sample.name}|{sample.identity}|{sample.expression}|{pixels}\n".encode())
        return content.hexdigest()[:12]

    def rows(self, people: Collection[str]) -> list[int]:
        """Positions of the photos of these people."""
        wanted = set(people)
        return [row for row, sample in enumerate(self.samples) if sample.identity in wanted]

    @cached_property
    def plain(self) -> Tensor:
        """The stem's output ``(N, C, H, W)`` of the photos as they are."""
        return self._stem(0)[0]

    @cached_property
    def views(self) -> Tensor:
        """The stem's output ``(V, N, C, H, W)`` of what is trained on."""
        return self._stem(self.source.views) if self.source.views else self.plain[None]

    def _stem(self, views: int) -> Tensor:
        stem, size = make_stem(self._cut)
        kind = f"{views} random views each" if views else "as they are"
        self._announce(f"computing the frozen stages of {len(self.photos)} photos of {self.source.title}, {kind}")
        return stem_views(self.photos.images, stem, size, views)
