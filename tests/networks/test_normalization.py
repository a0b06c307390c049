from __future__ import annotations

import numpy as np
import torch

from mien.networks.normalization import ImageStandardization, PixelNormalization


def test_each_image_is_standardised_by_itself() -> None:
    pixels = np.random.default_rng(0).uniform(0, 255, (3, 3, 5, 7))
    expected = np.stack([(image - image.mean()) / image.std() for image in pixels])
    torch.testing.assert_close(ImageStandardization()(torch.from_numpy(pixels)).numpy(), expected)


def test_an_even_image_becomes_nothing() -> None:
    pixels = torch.full((1, 3, 4, 4), 200.0)
    assert (ImageStandardization()(pixels) == 0).all()


def test_an_almost_even_image_is_not_blown_up() -> None:
    pixels = torch.zeros(1, 3, 10, 10)
    pixels[0, 0, 0, 0] = 0.01  # its deviation is below 1 / sqrt(300)
    pixels[0, 0, 0, 1] = -0.01
    torch.testing.assert_close(ImageStandardization()(pixels), pixels * 300**0.5)


def test_pixels_by_mean_and_scale() -> None:
    pixels = torch.tensor([10.0, 20.0, 30.0])[None, :, None, None]
    assert PixelNormalization((1.0, 2.0, 3.0), 9.0)(pixels).flatten().tolist() == [1.0, 2.0, 3.0]
