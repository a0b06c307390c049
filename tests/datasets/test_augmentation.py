from __future__ import annotations

import dataclasses

import pytest
import torch

from mien.datasets import Augmentation, plain_view

STRONG = Augmentation(0.5, 20, 0.3, 0.1, 0.1, 0.2, 0.4, 0.2, 0.1, 0.5, 0.5)


def images(channels: int = 1, size: int = 48) -> torch.Tensor:
    return torch.randint(0, 256, (6, channels, size, size), generator=torch.Generator().manual_seed(0)).to(torch.uint8)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_without_ranges_a_view_is_the_plain_view() -> None:
    for channels in (1, 3):
        view = Augmentation()(images(channels), 96, seeded())
        torch.testing.assert_close(view, plain_view(images(channels), 96), rtol=0, atol=1e-2)


@pytest.mark.parametrize("channels", [1, 3])
def test_views_are_rgb_within_range(channels: int) -> None:
    view = STRONG(images(channels), 80, seeded())
    assert view.shape == (6, 3, 80, 80)
    assert view.dtype == torch.float32
    assert view.min() >= 0
    assert view.max() <= 255


def test_the_generator_is_the_only_source_of_randomness() -> None:
    first = STRONG(images(), 64, seeded(1))
    torch.rand(7)
    assert torch.equal(first, STRONG(images(), 64, seeded(1)))
    assert not torch.equal(first, STRONG(images(), 64, seeded(2)))


def test_a_flip_is_a_mirror_image() -> None:
    flipped = Augmentation(flip=1.0)(images(), 48, seeded())
    torch.testing.assert_close(flipped, plain_view(images(), 48).flip(3), rtol=0, atol=1e-2)


def test_a_grey_photo_stays_grey_without_tint_and_gets_colour_with_it() -> None:
    grey = dataclasses.replace(STRONG, tint=0.0)(images(), 64, seeded())
    assert torch.equal(grey[:, 0], grey[:, 2])
    coloured = STRONG(images(), 64, seeded())
    assert not torch.equal(coloured[:, 0], coloured[:, 2])


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(Augmentation)])
def test_every_range_changes_something(name: str) -> None:
    value = {"flip": 1.0, "rotation": 15.0, "blur": 1.0, "erase": 1.0}.get(name, 0.2)
    view = Augmentation(**{name: value})(images(), 48, seeded())
    assert (view - plain_view(images(), 48)).abs().max() > 1


def test_erasing_leaves_the_rest_alone() -> None:
    view = Augmentation(erase=1.0)(images(), 48, seeded())
    changed = ((view - plain_view(images(), 48)).abs() > 0.5).any(dim=1).float().mean(dim=(1, 2))
    assert (changed < 0.35**2 + 0.03).all()
    assert (changed > 0).any()
