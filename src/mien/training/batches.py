"""Which photos, seen how, make up each step; a function of the recipe and the step's number alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor

from mien.datasets import UNLABELLED, balanced_order, class_weights, random_order
from mien.training.data import Source
from mien.training.devices import CPU, Device
from mien.training.recipe import Recipe
from mien.training.tasks import Batch
from mien.training.views import StoredView

_VIEW_BATCH = 256


class Batches:
    """Batches of fixed composition: so many photos of each source, each source in its own random order.

    Nothing is remembered between steps, so that a run can be resumed at any of them.

    Args:
        recipe: the recipe.
        sources: its data, on the device.
        stem: from normalised-to-be pixels ``(N, 3, S, S)`` of 0 to 255 to the stem's output; not trained.
        stem_digest: identifies the stem's weights.
        device: where batches are made.
    """

    def __init__(
        self,
        recipe: Recipe,
        sources: Sequence[Source],
        stem: Callable[[Tensor], Tensor],
        stem_digest: str,
        device: Device = CPU,
    ) -> None:
        self.recipe = recipe
        self.device = device
        self.sources = sources
        self.stem = stem
        self.stem_digest = stem_digest
        self.people = sum(len(source.train.people) for source in sources)
        self._weights = [device.move(_weights(source)) for source in sources]
        self._orders: dict[int, tuple[int, Tensor]] = {}
        self._cache: list[list[Tensor]] = []

    @property
    def steps_per_epoch(self) -> int:
        """One pass over the first source."""
        return self._steps_per_pass(0)

    def fill_cache(self, folder: Path, report: Callable[[str], None]) -> None:
        """Compute the stem's output of ``cached_views`` views of each photo; nothing when that is 0.

        It is kept in files, see `mien.training.views`, and read from there in every step.

        Args:
            folder: where the files are; those that are there from an earlier start are taken as they are.
            report: receives a line about each view that is computed.
        """
        for number, source in enumerate(self.sources):
            self._cache.append([self._stored_view(folder, number, source, v, report) for v in self._views])

    @property
    def _views(self) -> range:
        return range(self.recipe.cached_views)

    def _stored_view(
        self, folder: Path, number: int, source: Source, view: int, report: Callable[[str], None]
    ) -> Tensor:
        generator = self._generator(2, number, view)
        shape = self.stem(self._view(source, source.train.images[:1], self._generator(2))).shape[1:]
        key = [
            self.stem_digest,
            repr(source.recipe.augmentation),
            str(self.recipe.crop_size),
            str(generator.initial_seed()),
        ]
        stored = StoredView(folder, [*key, *source.train.digests], (len(source.train), *shape))
        if not stored.complete:
            report(f"{source.recipe.data}: computing view {view + 1} of {self.recipe.cached_views}")
            with stored.writing() as values:
                for rows in torch.split(torch.arange(len(source.train)), _VIEW_BATCH):
                    images = source.train.images[rows]
                    values[rows] = self.stem(self._view(source, images, generator)).bfloat16().cpu()
        return stored.read()

    def batch(self, step: int) -> Batch:
        """The batch of a step, counted from 0 over all epochs."""
        generator = self._generator(1, step)
        views, stems, identities, shares, weights, blendshapes = [], [], [], [], [], []
        offset = 0
        for number, source in enumerate(self.sources):
            rows = self._rows(number, step)
            if self.recipe.cached_views:
                view = torch.randint(self.recipe.cached_views, (len(rows),), generator=generator)
                cached = torch.stack([self._cache[number][v][row] for v, row in zip(view, rows, strict=True)])
                stems.append(self.device.move(cached).float())
            else:
                views.append(self._view(source, source.train.images[rows], generator))
                stems.append(self.stem(views[-1]))
            identity = source.train.identity[rows]
            identities.append(torch.where(identity == UNLABELLED, identity, identity + offset))
            shares.append(source.train.shares[rows])
            weights.append(self._weights[number].expand(len(rows), -1))
            if source.blendshapes is not None:
                blendshapes.append(source.blendshapes[rows])
            offset += len(source.train.people)
        expression = self.recipe.tasks.expression
        pixels = torch.cat(views) if expression and expression.taught else None
        return Batch(
            pixels,
            torch.cat(stems),
            torch.cat(identities),
            torch.cat(shares),
            torch.cat(weights),
            torch.cat(blendshapes) if blendshapes else None,
        )

    def _view(self, source: Source, images: Tensor, generator: torch.Generator) -> Tensor:
        return source.recipe.augmentation(images, self.recipe.crop_size, generator)

    def _steps_per_pass(self, number: int) -> int:
        source = self.sources[number]
        return max(1, len(source.train) // source.recipe.per_batch)

    def _rows(self, number: int, step: int) -> Tensor:
        source, (turn, position) = self.sources[number], divmod(step, self._steps_per_pass(number))
        if self._orders.get(number, (None,))[0] != turn:
            self._orders[number] = turn, torch.tensor(self._order(source, self.recipe.seed, number, turn))
        start = position * source.recipe.per_batch
        return self._orders[number][1][start : start + source.recipe.per_batch]

    def _order(self, source: Source, *key: int) -> list[int]:
        if not source.recipe.balance:
            return random_order(len(source.train), *key)
        return balanced_order(source.train.expression.cpu().numpy(), source.recipe.balance, *key)

    def _generator(self, *key: int) -> torch.Generator:
        return torch.Generator().manual_seed(seed_of(self.recipe.seed, *key))


def _weights(source: Source) -> Tensor:
    """How much each expression counts in a source's part of the loss, float32 ``(K,)``."""
    weights = class_weights(source.train.shares.cpu().numpy(), source.recipe.class_weight)
    return torch.from_numpy(weights * source.recipe.weight).float()


def seed_of(*key: int) -> int:
    """Mix numbers into one 62-bit seed.

    >>> seed_of(0, 1) != seed_of(1, 0)
    True
    """
    mixed = 0
    for number in key:
        mixed = (mixed * 0x9E3779B97F4A7C15 + number + 0x632BE59BD9B4E019) % 2**62
        mixed ^= mixed >> 29
    return mixed
